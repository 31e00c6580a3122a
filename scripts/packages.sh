# shellcheck shell=bash
# The distribution's packages: what is missing is collected in WANTED, and installed in one go.

WANTED=()
want() { WANTED+=("$@"); }

APT_FRESH=

# How apt-get is called here; empty where we may not.
apt_prefix() {
    if [ "$(id -u)" -eq 0 ]; then
        printf 'env'
    elif have sudo && sudo -n true 2>/dev/null; then
        printf 'sudo -n'
    fi
}

apt_get() {
    local prefix
    prefix=$(apt_prefix)
    # shellcheck disable=SC2086 # the prefix is one or two words
    $prefix env DEBIAN_FRONTEND=noninteractive apt-get -o Acquire::Retries=3 -o DPkg::Lock::Timeout=300 "$@" </dev/null
}

# Reads the package lists anew, once, where we may. A third party's broken source must not stop us.
refresh_package_lists() {
    if [ -n "$APT_FRESH" ] || ! have apt-get || [ -z "$(apt_prefix)" ]; then
        return 0
    fi
    say "Reading the package lists (apt-get update)…"
    apt_get update -qq || note "apt-get update had errors; going on with what it could read."
    APT_FRESH=yes
}

# The version that apt would install; empty where there is none.
apt_candidate() {
    have apt-cache || return 0
    apt-cache policy "$1" 2>/dev/null | awk '/Candidate:/ && $2 != "(none)" { print $2 }'
}

# The first of the names that apt knows.
first_package() {
    local name
    for name; do
        if [ -n "$(apt_candidate "$name")" ]; then
            printf '%s\n' "$name"
            return 0
        fi
    done
    return 1
}

install_wanted() {
    [ ${#WANTED[@]} -gt 0 ] || return 0
    local list="${WANTED[*]}"
    if ! have apt-get; then
        die "this machine has no apt-get, and something is missing." \
            "Needed (by their Debian names): $list" \
            "Install what corresponds to them here, then call ./build.sh again."
    fi
    if [ -z "$(apt_prefix)" ]; then
        die "these packages are missing, and only root can install them: $list" \
            "Run this, then call ./build.sh again:" \
            "    sudo apt-get update && sudo apt-get install -y --no-install-recommends $list"
    fi
    say "Missing, to be installed with apt-get: $list"
    refresh_package_lists
    say "Installing $list…"
    # Hundreds of lines that nobody reads, unless it fails.
    local log
    log=$(mktemp)
    apt_get install -y -qq --no-install-recommends "${WANTED[@]}" >"$log" 2>&1 || {
        tail -n 20 "$log" >&2
        die "apt-get could not install: $list" "Its last messages stand above; all of them are in $log"
    }
    rm "$log"
    hash -r
    WANTED=()
}
