# shellcheck shell=bash
# What `test` checks before and beside the tests themselves, and the tests.

# Fast, and needs nothing built.
check_sources() {
    check_lock
    check_trees
    check_scripts
    check_dependencies
    check_format
}

# Everything comes from the one public registry: no mirror, no git, no local copy.
check_lock() {
    say "Checking where the dependencies come from…"
    local strange
    strange=$(grep '^source = ' Cargo.lock | grep -vF '"registry+https://github.com/rust-lang/crates.io-index"' | sort -u || true)
    [ -z "$strange" ] || die "Cargo.lock names a source that is not crates.io:" "$strange"
}

# What each crate must not pull in. That no two modules of a crate need each other, testing/tests/floors holds.
check_trees() {
    local runtime='tokio|async-trait|futures-util' http='poem|poem-openapi|hyper' engines='sled|tokio-postgres|deadpool'
    local upper='password-auth|password-auth-http|password-auth-core' crate
    say "Checking that no crate pulls in what belongs to the ones above it…"
    for crate in wire popup broker page; do
        check_tree "password-auth-$crate" "$WASM_TARGET" "tokio|$http|$engines|jsonwebtoken|scrypt|password-auth-model|$upper"
    done
    check_tree password-auth-model all "$runtime|$http|$engines|password-auth-store|$upper"
    check_tree password-auth-store all "$http|$upper"
    check_tree password-auth-core all "$http|$engines|password-auth-http|password-auth"
    check_tree password-auth-http all "$engines|password-auth"
    # What other people's services take: nothing of the server's.
    check_tree password-auth-guard all "$engines|poem-openapi|scrypt|lettre|password-auth-model|password-auth-store|$upper"
}

# check_tree CRATE TARGET PATTERN: none of its dependencies has a name like that.
check_tree() {
    local tree found
    tree=$(host_cargo tree --locked -p "$1" --target "$2" -e normal --prefix none)
    found=$(awk -v pattern="^($3)\$" 'NR > 1 && $1 ~ pattern { print $1 }' <<<"$tree" | sort -u)
    [ -z "$found" ] || die "$1 pulls in what it must not:" "$found" \
        "cargo tree -p $1 --target $2 -e normal -i NAME says by which way."
}

check_scripts() {
    if ! have shellcheck; then
        note "Skipped: shellcheck of build.sh (apt-get install shellcheck)."
        return 0
    fi
    say "Checking build.sh with shellcheck…"
    shellcheck -x build.sh .ci/run
}

# cargo-deny takes minutes to compile: the everyday run uses it where it is, and `audit` installs it.
cargo_deny_bin() {
    local own
    own="$(tool_cache)/cargo-deny/bin/cargo-deny"
    command -v cargo-deny || { [ -x "$own" ] && printf '%s\n' "$own"; }
}

cargo_deny() { CARGO="$HOST_CARGO" "${HOST_RUN[@]}" "$(cargo_deny_bin)" --locked "$@"; }

ensure_cargo_deny() {
    cargo_deny_bin >/dev/null && return 0
    local folder
    folder="$(tool_cache)/cargo-deny"
    say "Installing cargo-deny into $folder (once; several minutes)…"
    install_tool "$folder" --locked cargo-deny || install_tool "$folder" --force cargo-deny ||
        die "cargo-deny could not be installed; cargo's messages above say why."
}

check_dependencies() {
    if ! cargo_deny_bin >/dev/null; then
        note "Skipped: cargo-deny, which is not installed (./build.sh audit installs and runs it)."
        return 0
    fi
    say "Checking licenses, bans and sources with cargo-deny…"
    cargo_deny check bans licenses sources
}

# Another Rust formats and warns in its own way: only the pinned one may fail a test run for it.
pinned_toolchain() { [ "$HOST_TOOLCHAIN" = "$(pinned_rust)" ]; }

check_format() {
    if ! pinned_toolchain || ! host_cargo fmt --version >/dev/null 2>&1; then
        note "Skipped: the format, which is Rust $(pinned_rust)'s (with rustfmt, by rustup)."
        return 0
    fi
    say "Checking the format…"
    host_cargo fmt --all --check || die "some files are not formatted." "cargo fmt --all does it."
}

check_lints() {
    if ! pinned_toolchain || ! host_cargo clippy --version >/dev/null 2>&1; then
        note "Skipped: the lints, which are Rust $(pinned_rust)'s (with clippy, by rustup)."
        return 0
    fi
    say "Linting everything (clippy)…"
    host_cargo clippy --locked --workspace --all-targets -- -D warnings
    say "Checking what the documentation of the code links to (rustdoc)…"
    RUSTDOCFLAGS="-D warnings" host_cargo doc --quiet --locked --workspace --no-deps --document-private-items
    if ! has_wasm_std "${HOST_RUN[@]}" "$HOST_RUSTC"; then
        note "Skipped: the lints of the extension as WASM; Rust $(pinned_rust) has no $WASM_TARGET here."
        return 0
    fi
    say "Linting the extension as WASM (clippy)…"
    CARGO_TARGET_DIR="$ROOT/target/wasm" host_cargo clippy --locked \
        -p password-auth-popup -p password-auth-broker -p password-auth-page --target "$WASM_TARGET" -- -D warnings
}

# run_tests [FILTER…]: units, the API over HTTP, and the browser, in one call of cargo, so that each
# dependency is compiled once: with its features for the whole workspace.
#
# The browser meets the debug server, the one that the API's tests have built: it checks overflows and
# assertions, scrypt and sled are optimised in it, and a release build would double the time of a cold run.
# It is built with traces, which the release leaves out: they have tests too, and do nothing without a collector.
run_tests() {
    say "Testing: units, the API, the extension in Chromium…"
    local log=target/test.log status=0
    PASSWORD_AUTH_BIN="$CARGO_TARGET_DIR/debug/password-auth" EXTENSION_DIR="$ROOT/dist" \
        CHROMIUM="$CHROMIUM" CHROMEDRIVER="$CHROMEDRIVER" \
        host_cargo test --locked --workspace --features password-auth/otel --no-fail-fast -- "$@" | tee "$log" || status=$?

    local passed failed
    read -r passed failed < <(awk '/^test result:/ { passed += $4; failed += $6 } END { print passed + 0, failed + 0 }' "$log")
    printf '\n%s passed, %s failed\n' "$passed" "$failed"
    if [ "$status" -eq 0 ] && [ "$passed" -eq 0 ]; then
        die "no test's name contains: $*"
    fi
    return "$status"
}
