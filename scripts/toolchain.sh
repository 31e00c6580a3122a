# shellcheck shell=bash
# Rust, for the host and for WASM.
#
# The host: rustup's pinned toolchain, else any Rust that is new enough, else the distribution's.
# WASM: what is installed, else `rustup target add`, else the distribution's Rust, which compiles the
# standard library itself (-Zbuild-std), so that no rustup server is needed.

readonly WASM_TARGET=wasm32-unknown-unknown
# What to call: a prefix that chooses the compiler, and a cargo. Set by find_host_rust and find_wasm_rust.
HOST_RUN=() HOST_CARGO='' HOST_RUSTC='' HOST_NAME='' HOST_TOOLCHAIN=''
WASM_RUN=() WASM_CARGO='' WASM_FLAGS=() WASM_NAME=''

host_cargo() { "${HOST_RUN[@]}" "$HOST_CARGO" "$@"; }

# --- the host -----------------------------------------------------------------------------------------

rustup_bin() {
    command -v rustup || { local own="${CARGO_HOME:-$HOME/.cargo}/bin/rustup" && [ -x "$own" ] && printf '%s\n' "$own"; }
}

# The version of a rustc or cargo, or nothing.
rust_version() { "$@" --version 2>/dev/null | awk '{ print $2; exit }'; }

# use_rustup TOOLCHAIN: takes it for the host if it is installed and new enough.
use_rustup() {
    local rustup version
    rustup=$(rustup_bin) || return 1
    RUSTUP_AUTO_INSTALL=0 "$rustup" which --toolchain "$1" cargo >/dev/null 2>&1 || return 1
    version=$(rust_version "$rustup" run "$1" rustc)
    at_least "${version:-0}" "$(minimum_rust)" || return 1
    HOST_RUN=("$rustup" run "$1")
    HOST_CARGO=cargo
    HOST_RUSTC=rustc
    HOST_TOOLCHAIN=$1
    HOST_NAME="Rust $version of rustup"
}

RUSTUP_TRIED=
# Once a run: where rustup's server cannot be reached, the next way is taken.
install_rustup_toolchain() {
    local rustup
    rustup=$(rustup_bin) || return 1
    [ "$RUSTUP_TRIED" != "$rustup" ] || return 1
    RUSTUP_TRIED=$rustup
    say "Installing Rust $(pinned_rust) with rustup…"
    # Its status also tells of its own update, which is not what matters here.
    "$rustup" toolchain install "$(pinned_rust)" --profile minimal --component clippy --component rustfmt || true
    use_rustup "$(pinned_rust)" || { note "rustup could not; looking for another Rust."; return 1; }
}

# is_proxy BIN: rustup's stand-in, which is no compiler of its own.
is_proxy() {
    local rustup
    [[ $(readlink -f "$1") == */rustup ]] && return 0
    rustup=$(rustup_bin) && [ "$1" -ef "$rustup" ]
}

# Prints "cargo rustc" for the first pair outside rustup that is new enough. The versioned names are Ubuntu's.
find_plain_rust() {
    local pair cargo rustc suffix
    local pairs=("$(command -v cargo || true) $(command -v rustc || true)" "/usr/bin/cargo /usr/bin/rustc")
    for suffix in $(compgen -G '/usr/bin/rustc-1.*' | sed 's/.*rustc//' | sort -rV); do
        pairs+=("/usr/bin/cargo$suffix /usr/bin/rustc$suffix")
    done
    for pair in "${pairs[@]}"; do
        read -r cargo rustc <<<"$pair"
        { [ -x "$cargo" ] && [ -x "$rustc" ]; } || continue
        { is_proxy "$cargo" || is_proxy "$rustc"; } && continue
        at_least "$(rust_version "$cargo")" "$(minimum_rust)" || continue
        at_least "$(rust_version "$rustc")" "$(minimum_rust)" || continue
        printf '%s %s\n' "$cargo" "$rustc"
        return 0
    done
    return 1
}

# choose_compiler RUSTC: the environment that keeps cargo from taking another one, rustup's for example.
choose_compiler() { printf 'RUSTC=%s\nRUSTDOC=%s\n' "$1" "${1/rustc/rustdoc}"; }

find_host_rust() {
    local pair pinned
    pinned=$(pinned_rust)
    use_rustup "$pinned" && return 0
    install_rustup_toolchain && return 0
    use_rustup stable && return 0
    pair=$(find_plain_rust) || return 1
    read -r HOST_CARGO HOST_RUSTC <<<"$pair"
    mapfile -t HOST_RUN < <(choose_compiler "$HOST_RUSTC")
    HOST_RUN=(env "${HOST_RUN[@]}")
    HOST_TOOLCHAIN=plain
    HOST_NAME="Rust $(rust_version "$HOST_RUSTC") at $HOST_RUSTC"
}

# The end of the distribution's package names (cargo-web, cargo, cargo-1.95) whose Rust is new enough.
distro_rust_suffix() {
    local suffix version
    for suffix in -web '' $(apt-cache pkgnames cargo- 2>/dev/null | sed -n 's/^cargo\(-1\.[0-9]*\)$/\1/p' | sort -rV); do
        version=$(apt_candidate "rustc$suffix")
        [ -n "$(apt_candidate "cargo$suffix")" ] || continue
        at_least "${version:-0}" "$(minimum_rust)" || continue
        printf '%s\n' "$suffix"
        return 0
    done
    return 1
}

# Wants the packages of a Rust for the host.
want_host_rust() {
    local suffix
    refresh_package_lists
    if suffix=$(distro_rust_suffix); then
        want "cargo$suffix" "rustc$suffix"
    elif [ -n "$(apt_candidate rustup)" ]; then
        want rustup
    elif ! have curl; then
        want curl
    fi
}

# The last resort of a machine whose distribution has no Rust for us.
install_rustup() {
    have curl || return 1
    say "Installing rustup from https://sh.rustup.rs, since no package has Rust $(minimum_rust) or newer…"
    curl --proto '=https' --tlsv1.2 -sSf https://sh.rustup.rs |
        sh -s -- -y --profile minimal --default-toolchain none --no-modify-path
}

# --- WASM ---------------------------------------------------------------------------------------------

# has_wasm_std COMMAND…: whether that rustc has the standard library for WASM.
has_wasm_std() {
    local folder
    folder=$("$@" --print target-libdir --target "$WASM_TARGET" 2>/dev/null) || return 1
    compgen -G "$folder/libcore-*.rlib" >/dev/null
}

use_host_for_wasm() {
    WASM_RUN=("${HOST_RUN[@]}")
    WASM_CARGO=$HOST_CARGO
    WASM_FLAGS=()
    WASM_NAME=$HOST_NAME
    # Rust of a distribution comes without the linker.
    local linker
    if [ "$HOST_TOOLCHAIN" = plain ] && linker=$(wasm_linker); then
        WASM_RUN+=("CARGO_TARGET_WASM32_UNKNOWN_UNKNOWN_LINKER=$linker")
    fi
}

add_rustup_target() {
    local rustup
    [ "$HOST_TOOLCHAIN" != plain ] || return 1
    rustup=$(rustup_bin) || return 1
    say "Adding the WASM target with rustup…"
    "$rustup" target add --toolchain "$HOST_TOOLCHAIN" "$WASM_TARGET"
}

wasm_linker() {
    local name
    name=$({ compgen -c wasm-ld || true; } | grep -E '^wasm-ld(-[0-9]+)?$' | sort -uV | tail -n 1)
    [ -n "$name" ] && printf '%s\n' "$name"
}

# The distribution's Rust with its own sources, complete.
find_distro_wasm() {
    local pair cargo rustc linker
    pair=$(find_plain_rust) || return 1
    read -r cargo rustc <<<"$pair"
    [ -e "$("$rustc" --print sysroot)/lib/rustlib/src/rust/library/std/Cargo.toml" ] || return 1
    linker=$(wasm_linker) || return 1
    mapfile -t WASM_RUN < <(choose_compiler "$rustc")
    # RUSTC_BOOTSTRAP: -Zbuild-std is not stable. It reaches the extension's build alone.
    # A panic ends the module at once: nobody would read its text, a tenth of the package.
    WASM_RUN=(env "${WASM_RUN[@]}" RUSTC_BOOTSTRAP=1 "CARGO_TARGET_WASM32_UNKNOWN_UNKNOWN_LINKER=$linker"
        "CARGO_TARGET_WASM32_UNKNOWN_UNKNOWN_RUSTFLAGS=-Zunstable-options -Cpanic=immediate-abort")
    WASM_CARGO=$cargo
    WASM_FLAGS=(-Zbuild-std=std,panic_abort -Zbuild-std-features=optimize_for_size)
    WASM_NAME="Rust $(rust_version "$rustc") at $rustc, which builds its standard library too"
}

# Wants the packages of a Rust that can build the standard library for WASM.
want_distro_wasm() {
    local suffix lld
    refresh_package_lists
    suffix=$(distro_rust_suffix) || {
        have apt-get || { want rustc rust-src lld; return 0; }
        die "no package of this distribution has Rust $(minimum_rust) or newer." \
            "With a network, rustup can add what is missing: rustup target add $WASM_TARGET"
    }
    want "cargo$suffix" "rustc$suffix"
    want "rust$suffix-src"
    wasm_linker >/dev/null || {
        # 19 is the one that was measured; a newer one is the next best.
        lld=$(first_package lld-19) || lld=$(apt-cache pkgnames lld- | grep -E '^lld-[0-9]+$' | sort -V | tail -n 1)
        want "${lld:-lld}"
    }
}

# find_wasm_rust: 0 with WASM_* set, or 1 with the packages that it needs wanted.
find_wasm_rust() {
    case ${WASM_STD:-} in
        '' | rustup | distro) ;;
        *) die "WASM_STD is \"$WASM_STD\"; it can be rustup or distro, or unset." ;;
    esac
    if [ "${WASM_STD:-}" != distro ] && [ -n "$HOST_CARGO" ]; then
        if has_wasm_std "${HOST_RUN[@]}" "$HOST_RUSTC"; then
            use_host_for_wasm
            return 0
        fi
        if [ "${WASM_STD:-}" != rustup ] && find_distro_wasm; then
            return 0
        fi
        if add_rustup_target; then
            use_host_for_wasm
            return 0
        fi
        [ "${WASM_STD:-}" != rustup ] ||
            die "rustup could not add $WASM_TARGET, and WASM_STD=rustup allows no other way." \
                "Unset WASM_STD to build with the distribution's Rust."
    elif find_distro_wasm; then
        return 0
    fi
    want_distro_wasm
    return 1
}

# --- tools written in Rust ----------------------------------------------------------------------------

# install_tool FOLDER FLAG CRATE [VERSION]. It runs for a second at a time: no need to optimise it for minutes.
install_tool() {
    env -u CARGO_TARGET_DIR CARGO_PROFILE_RELEASE_OPT_LEVEL=1 CARGO_PROFILE_RELEASE_LTO=off \
        "${HOST_RUN[@]}" "$HOST_CARGO" install --quiet --root "$1" "$2" "$3" ${4:+--version "=$4"}
}
