# shellcheck shell=bash
# What every part of build.sh uses: how it speaks, where things are kept, what the manifests say.

say() { printf '==> %s\n' "$*"; }
note() { printf '    %s\n' "$*"; }

TIMES=()
# timed WHAT COMMAND…: notes how long it took, for say_times.
timed() {
    local what=$1 began=$SECONDS
    shift
    "$@"
    TIMES+=("$what $((SECONDS - began)) s")
}

say_times() {
    local all
    all=$(printf '%s, ' "${TIMES[@]}")
    say "Took: ${all%, }."
}

# die WHAT [WHAT TO DO…]: one line each, then the end.
die() {
    printf 'error: %s\n' "$1" >&2
    shift
    [ $# -eq 0 ] || printf '       %s\n' "$@" >&2
    exit 1
}

# usage_error COMMAND WHAT
usage_error() {
    printf 'error: %s\n' "$2" >&2
    printf '       ./build.sh %s --help says how it is called.\n' "$1" >&2
    exit 2
}

have() { command -v "$1" >/dev/null 2>&1; }

# at_least VERSION MINIMUM
at_least() { printf '%s\n%s\n' "$2" "$1" | sort -V -C; }

[ -n "${HOME:-}" ] || { HOME=$(getent passwd "$(id -u)" | cut -d : -f 6); export HOME; }

# Tools that are installed once and outlive target/.
tool_cache() { printf '%s/password-auth' "${XDG_CACHE_HOME:-$HOME/.cache}"; }

# Versions are written down once each, in Cargo.toml, Cargo.lock and rust-toolchain.toml.
workspace_version() { awk -F'"' '/^version = /{ print $2; exit }' Cargo.toml; }
minimum_rust() { awk -F'"' '/^rust-version = /{ print $2; exit }' Cargo.toml; }
pinned_rust() { awk -F'"' '/^channel = /{ print $2; exit }' rust-toolchain.toml; }

# cargo builds where this project says, whatever the caller's environment says.
export CARGO_TARGET_DIR="$ROOT/target"
# Nobody edits and builds again in CI: incremental data would only cost time and space.
[ -z "${CI:-}" ] || export CARGO_INCREMENTAL=0
