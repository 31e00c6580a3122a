# shellcheck shell=bash
# Finds or installs everything that a command needs, before the command begins.

compiles_c() { have cc && printf '#include <stdlib.h>\n' | cc -E -o /dev/null - 2>/dev/null; }

# The server's programs, which Debian keeps out of the PATH. The tests start servers of their own: a cluster
# that the distribution's package has started is left alone.
has_postgresql() {
    local folder
    for folder in /usr/lib/postgresql/*/bin "$(pg_config --bindir 2>/dev/null || true)"; do
        [ ! -x "$folder/initdb" ] || return 0
    done
    have initdb
}

# The mail server of the tests. Debian's Python has it, whatever other one is in the PATH.
has_aiosmtpd() {
    local python
    for python in /usr/bin/python3 python3; do
        ! "$python" -c 'import aiosmtpd' 2>/dev/null || return 0
    done
    return 1
}

# What the example in Python needs, of Debian's Python.
has_pyjwt() { /usr/bin/python3 -c 'import jwt, cryptography' 2>/dev/null; }

want_firefox() {
    refresh_package_lists
    [ -z "$(apt_candidate firefox-esr)" ] || want firefox-esr
}

# want_for KIND: collects in WANTED the packages that are missing and already known by name.
want_for() {
    compiles_c || want gcc libc6-dev
    [ -e /etc/ssl/certs/ca-certificates.crt ] || ! have apt-get || want ca-certificates
    case $1 in
        test)
            have strace || want strace
            have curl || want curl
            have openssl || want openssl
            have inotifywait || want inotify-tools
            have zip || want zip
            has_postgresql || want postgresql
            has_aiosmtpd || want python3-aiosmtpd
            # Services that the server guards.
            has_pyjwt || want python3-jwt python3-cryptography
            have node || want nodejs
            [ -x /usr/sbin/nginx ] || have nginx || want nginx
            have caddy || want caddy
            find_browser || want_browser
            # Where there is no package of it, its tests are skipped.
            have firefox-esr || want_firefox
            ;;
        bench)
            has_postgresql || want postgresql
            find_browser || want_browser
            ;;
        fuzz) have c++ || want g++ ;;
        package) have zip || want zip ;;
        watch) have inotifywait || want inotify-tools ;;
    esac
}

# set_up KIND: host (a Rust), build (both halves), watch, test, bench, package.
set_up() {
    want_for "$1"
    local wasm=
    [ "$1" = host ] || [ "$1" = fuzz ] || wasm=yes
    find_host_rust || want_host_rust
    # Which Rust builds the WASM depends on the host's. Where that comes from the distribution too, one
    # call of apt-get installs both.
    if [ -n "$wasm" ] && { [ -n "$HOST_CARGO" ] || distro_rust_suffix >/dev/null; }; then
        find_wasm_rust || true
    fi
    drop_doubles
    install_wanted

    find_host_rust || { install_rustup && find_host_rust; } ||
        die "there is no Rust $(minimum_rust) or newer, and none could be installed." \
            "Install it from https://rustup.rs, then call ./build.sh again."
    if [ -n "$wasm" ] && ! find_wasm_rust; then
        drop_doubles
        install_wanted
        find_wasm_rust || die "the packages are installed, and still no Rust here builds for $WASM_TARGET."
    fi
    [ "$1" != test ] || find_browser || fetch_browser
    say "Using $HOST_NAME."
    [ -z "$wasm" ] || [ "$WASM_NAME" = "$HOST_NAME" ] || note "For WASM: $WASM_NAME."
}

drop_doubles() {
    [ ${#WANTED[@]} -eq 0 ] || mapfile -t WANTED < <(printf '%s\n' "${WANTED[@]}" | awk '!seen[$0]++')
}
