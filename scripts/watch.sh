# shellcheck shell=bash
# `run --watch`: builds again after each change. A build that fails leaves what runs as it is.

WATCHED_SERVER=() WATCH_FOLDER='' WATCH_PIDS=() SERVER_OUTPUT=''

# watch_and_serve SERVER…: until this script is told to stop.
watch_and_serve() {
    WATCHED_SERVER=("$@")
    WATCH_FOLDER=$(mktemp -d)
    trap stop_watching EXIT
    trap 'exit 130' INT
    trap 'exit 143' TERM
    watch_sources
    start_server || note "Waiting for the next change."
    say "Watching for changes. Ctrl-C stops."
    local change
    while read -r -u "$CHANGES" change; do
        # An editor writes several files, and each in several steps.
        while read -r -t 0.2 -u "$CHANGES" _; do :; done
        say "Changed: ${change#./}"
        rebuild
    done
    die "inotifywait ended; its message above says why."
}

# Opens CHANGES, from which each change of a source is read as a line.
watch_sources() {
    local events='close_write,moved_to,moved_from,delete'
    mkfifo "$WATCH_FOLDER/changes"
    # What a build writes is no source.
    inotifywait --quiet --monitor --recursive --event "$events" --format '%w%f' --exclude '^api/http/page/' \
        wire api extension >"$WATCH_FOLDER/changes" &
    WATCH_PIDS+=($!)
    inotifywait --quiet --monitor --event "$events" --format '%w%f' \
        --include '/(Cargo\.(toml|lock)|manifest\.json|rust-toolchain\.toml)$' . >"$WATCH_FOLDER/changes" &
    WATCH_PIDS+=($!)
    exec {CHANGES}<"$WATCH_FOLDER/changes"
}

rebuild() {
    local began=$SECONDS before status
    before=$(cat target/wasm/dist.stamp)
    if ! attempt build_extension; then
        note "The build failed: dist/ is the one from before."
    elif [ "$(cat target/wasm/dist.stamp)" != "$before" ]; then
        note "dist/ is new after $((SECONDS - began)) s. Load it again: chrome://extensions, the round arrow."
    fi
    began=$SECONDS
    before=$(stat -c '%i %Y' "$RUN_BINARY")
    if ! attempt build_server_to_run; then
        note "The build failed: the server that runs is the one from before."
    elif [ "$(stat -c '%i %Y' "$RUN_BINARY")" != "$before" ] || ! server_runs; then
        stop_server
        start_server && note "Serving again after $((SECONDS - began)) s."
    fi
}

# attempt FUNCTION: runs it with `set -e`, which an `if` would switch off, and returns its status.
attempt() {
    local status
    set +e
    (
        set -e
        "$1"
    )
    status=$?
    set -e
    return "$status"
}

# 0 once it listens.
start_server() {
    local line
    rm -f "$WATCH_FOLDER/out"
    mkfifo "$WATCH_FOLDER/out"
    "${WATCHED_SERVER[@]}" >"$WATCH_FOLDER/out" &
    SERVER_PID=$!
    exec {SERVER_OUTPUT}<"$WATCH_FOLDER/out"
    while IFS= read -r -u "$SERVER_OUTPUT" line; do
        printf '%s\n' "$line"
        case $line in
            *"listening on "*)
                cat <&"$SERVER_OUTPUT" &
                exec {SERVER_OUTPUT}<&-
                return 0
                ;;
        esac
    done
    exec {SERVER_OUTPUT}<&-
    note "The server ended before it was ready; its messages above say why."
    stop_server
    return 1
}

server_runs() { [ -n "$SERVER_PID" ] && kill -0 "$SERVER_PID" 2>/dev/null; }

stop_server() {
    [ -n "$SERVER_PID" ] || return 0
    kill "$SERVER_PID" 2>/dev/null || true
    wait "$SERVER_PID" 2>/dev/null || true
    SERVER_PID=
}

stop_watching() {
    trap - EXIT
    stop_server
    kill "${WATCH_PIDS[@]}" 2>/dev/null || true
    rm -rf -- "$WATCH_FOLDER"
}
