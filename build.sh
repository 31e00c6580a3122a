#!/usr/bin/env bash
# The one door: sets up what is missing, builds, runs, tests, measures and packs Password Auth.
# It decides nothing itself: cargo builds and tests, and the parts stand in scripts/.
set -euo pipefail

ROOT=$(cd -- "$(dirname -- "${BASH_SOURCE[0]}")" && pwd -P)
readonly ROOT
cd -- "$ROOT"

# shellcheck source=scripts/common.sh
. scripts/common.sh
# shellcheck source=scripts/packages.sh
. scripts/packages.sh
# shellcheck source=scripts/toolchain.sh
. scripts/toolchain.sh
# shellcheck source=scripts/browser.sh
. scripts/browser.sh
# shellcheck source=scripts/watch.sh
. scripts/watch.sh
# shellcheck source=scripts/setup.sh
. scripts/setup.sh
# shellcheck source=scripts/extension.sh
. scripts/extension.sh
# shellcheck source=scripts/fuzz.sh
. scripts/fuzz.sh
# shellcheck source=scripts/checks.sh
. scripts/checks.sh
# shellcheck source=scripts/pack.sh
. scripts/pack.sh
# shellcheck source=scripts/store.sh
. scripts/store.sh

help_main() {
    cat <<'TEXT'
Usage: ./build.sh COMMAND [ARGUMENTS]

  run          build both halves and serve on http://127.0.0.1:8000 (development mode)
  build        build both halves: target/release/password-auth and dist/
  test         check and test everything, also in a real browser
  fuzz         try inputs that nobody thought of on one parser, for an hour
  bench        measure the release build
  package      pack dist/ for each store, its source, and the server, into target/package/
  audit        ask the advisory database about every dependency
  screenshots  take the pictures in docs/ anew
  help         this text; ./build.sh COMMAND --help says more about one command

Each command first sets up what it is missing: on Debian and Ubuntu by itself, and it says before what
it installs. Elsewhere it says what is needed.
TEXT
}

help_run() {
    cat <<'TEXT'
Usage: ./build.sh run [--open | --watch] [-- SERVER FLAGS…]

Builds both halves and starts the server in development mode, on http://127.0.0.1:8000, with its data in
./data. Everything after -- goes to the server:  ./build.sh run -- --port 9000

  --open    once the server is ready, also start Chromium with the extension loaded and a profile that
            is thrown away afterwards. Ctrl-C stops both.
  --watch   build again after each change: the server restarts, and dist/ is made anew. A build that
            fails leaves the running server and dist/ as they are.

The server is built quickly, with its hashing and its store optimised; ./build.sh package makes the release.

PORT, DATA_DIR and the server's other settings are also read from the environment and from a file .env, with
paths relative to this folder.
TEXT
}

help_build() {
    cat <<'TEXT'
Usage: ./build.sh build

Leaves the server at target/release/password-auth, and the extension, ready to load unpacked, in dist/.
TEXT
}

help_test() {
    cat <<'TEXT'
Usage: ./build.sh test [--long] [FILTER…]

Without a filter: format, lints, dependency rules, the size of the extension, then every test: units, the
API over HTTP, and the extension in a real Chromium. With filters: only the tests whose names contain one
of them, and no other check.

  --long    the long runs of crashes, power losses, damage, fail-overs and histories as well (PASSWORD_AUTH_LONG=1)
TEXT
}

help_fuzz() {
    cat <<'TEXT'
Usage: ./build.sh fuzz [TARGET [SECONDS]]
       ./build.sh fuzz --keep TARGET

Tries inputs on TARGET for an hour, or so many SECONDS: libFuzzer changes those that reach new code, and goes on from
them. It begins with the inputs in testing/corpus/TARGET, which every ./build.sh test tries, and with what it found the
last time. Without a target, lists the targets. The first call compiles the server with instruments for coverage.

An input that fails is kept as target/fuzz/TARGET/crash-… (or timeout-…, oom-…): fix the cause, then move it into
testing/corpus/TARGET.

  --keep    adds to testing/corpus/TARGET the fewest inputs that reach all that was found
TEXT
}

help_bench() {
    cat <<'TEXT'
Usage: ./build.sh bench [ARGUMENTS…]

Builds the release, then runs the benchmark `report`. The arguments go to the benchmark.
TEXT
}

help_package() {
    cat <<'TEXT'
Usage: ./build.sh package [--extension]

Packs the extension for the stores of Chrome, Edge and Firefox (zip), as an npm package (tgz) and as the source
that a reviewer builds (tar.gz), and the server for this machine's kind (tar.gz) into target/package/, with their
SHA-256 sums. The same input gives the same bytes.

  --extension   all but the server, which takes most of the time
TEXT
}

help_audit() {
    cat <<'TEXT'
Usage: ./build.sh audit

Runs cargo-deny with everything that deny.toml asks for, security advisories included. Installs cargo-deny
first where it is missing: once, several minutes. Fetches the advisory database.
TEXT
}

help_screenshots() {
    cat <<'TEXT'
Usage: ./build.sh screenshots

Takes the pictures of the README, of docs/screens.md and for the stores anew, in a real Chromium: popup, options and
web page, in every state.
TEXT
}

# The server: target/release for what is handed out and measured, target/debug to run and test. The latter has
# no link-time optimisation, and everything that would be too slow without optimisation has it (Cargo.toml).
build_server() {
    load_brand
    say "Building the server (release)…"
    host_cargo build --locked --release -p password-auth
}

readonly RUN_BINARY="$ROOT/target/debug/password-auth"

build_server_to_run() {
    load_brand
    say "Building the server…"
    host_cargo build --locked -p password-auth
}

cmd_build() {
    [ $# -eq 0 ] || usage_error build "unexpected argument: $1"
    set_up build
    # In this order: the server embeds the page.
    build_extension
    build_server
    say "Built."
    note "server     $ROOT/target/release/password-auth"
    note "extension  $ROOT/dist"
}

cmd_run() {
    local how='' wants=build
    while [ $# -gt 0 ]; do
        case $1 in
            --open | --watch)
                [ -z "$how" ] || usage_error run "$how and $1 do not go together"
                how=$1
                ;;
            --) shift; break ;;
            *) usage_error run "unexpected argument: $1 (flags for the server stand after --)" ;;
        esac
        shift
    done
    [ "$how" != --watch ] || wants=watch
    timed "setting up" set_up "$wants"
    timed "the extension" build_extension
    timed "the server" build_server_to_run
    say_times
    say "Starting the server (development mode). Ctrl-C stops it."
    note "Load the extension: chrome://extensions, switch on \"Developer mode\", \"Load unpacked\", choose"
    note "    $ROOT/dist"
    note "Try the API in the browser: the server's address, then /docs."
    local server=("$RUN_BINARY" serve --dev "$@")
    case $how in
        --open) serve_with_browser "${server[@]}" ;;
        --watch) watch_and_serve "${server[@]}" ;;
        *) exec "${server[@]}" ;;
    esac
}

cmd_test() {
    local filters=()
    while [ $# -gt 0 ]; do
        case $1 in
            --long) export PASSWORD_AUTH_LONG=1 ;;
            -*) usage_error test "unknown flag: $1" ;;
            *) filters+=("$1") ;;
        esac
        shift
    done
    set_up test
    export UNBRANDED=yes
    [ ${#filters[@]} -gt 0 ] || check_sources
    build_extension
    if [ ${#filters[@]} -eq 0 ]; then
        check_size
        check_packages
        check_lints
    fi
    run_tests ${filters[@]+"${filters[@]}"}
}

cmd_fuzz() {
    local keep=
    [ "${1:-}" != --keep ] || { keep=yes && shift; }
    if [ $# -eq 0 ]; then
        ls testing/corpus
        return 0
    fi
    [ $# -le 2 ] || usage_error fuzz "unexpected argument: $3"
    [ -d "testing/corpus/$1" ] || usage_error fuzz "no such target: $1 (./build.sh fuzz lists them)"
    [[ ${2:-3600} =~ ^[0-9]+$ ]] || usage_error fuzz "expected a number of seconds, not $2"
    set_up fuzz
    if [ -n "$keep" ]; then
        keep_inputs "$1"
    else
        try_inputs "$1" "${2:-3600}"
    fi
}

cmd_bench() {
    [ "${1:-}" != -- ] || shift
    set_up bench
    build_extension
    build_server
    say "Measuring…"
    EXTENSION_DIR="$ROOT/dist" CHROMIUM="${CHROMIUM:-}" host_cargo bench --locked -p password-auth --bench report -- "$@"
}

cmd_package() {
    local out="$ROOT/target/package" what=all
    case ${1:-} in
        --extension) what=extension && shift ;;
    esac
    [ $# -eq 0 ] || usage_error package "unexpected argument: $1"
    set_up package
    build_extension
    check_store dist "$FIREFOX_DIR"
    pack_extension "$out"
    if [ "$what" = all ]; then
        build_server
        pack_server "$out"
    fi
    finish_packages "$out"
}

cmd_audit() {
    [ $# -eq 0 ] || usage_error audit "unexpected argument: $1"
    set_up host
    ensure_cargo_deny
    say "Checking every dependency: advisories, bans, licenses, sources…"
    cargo_deny check
}

cmd_screenshots() {
    [ $# -eq 0 ] || usage_error screenshots "unexpected argument: $1"
    set_up test
    build_extension
    run_tests the_pictures_of_the_readme the_pictures_for_the_stores accessible_and_fits
    cp target/e2e/popup-signed-out.png target/e2e/popup-signed-in.png docs/
    cp target/e2e/{popup,options,page}-*-light.png target/e2e/*-signed-in-{dark,arabic-more-contrast}.png docs/screens/
    cp target/e2e/store-*.png docs/store/
    say "The pictures are in docs/."
}

main() {
    local command=${1:-help}
    [ $# -eq 0 ] || shift
    case $command in
        run | build | test | fuzz | bench | package | audit | screenshots) ;;
        help | --help | -h) help_main; return ;;
        *)
            printf 'error: unknown command: %s\n' "$command" >&2
            printf '       ./build.sh help lists the commands.\n' >&2
            return 2
            ;;
    esac
    case ${1:-} in
        --help | -h) "help_$command"; return ;;
    esac
    "cmd_$command" "$@"
}

main "$@"
