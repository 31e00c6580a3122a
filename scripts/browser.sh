# shellcheck shell=bash
# A Chromium for the tests in a real browser, and for `run --open`.
#
# Google Chrome does not do: since version 137 it ignores --load-extension. Chromium as a snap does not
# either: it cannot read the folders that the tests give it.

# find_browser: CHROMIUM and CHROMEDRIVER, both or none.
find_browser() {
    local cached
    cached="$(tool_cache)/chrome-for-testing"
    if [ -n "${CHROMIUM:-}" ] && [ -n "${CHROMEDRIVER:-}" ]; then
        return 0
    fi
    if CHROMEDRIVER=$(native chromedriver) && CHROMIUM=$(chromium_bin); then
        return 0
    fi
    CHROMIUM="$cached/chrome-linux64/chrome"
    CHROMEDRIVER="$cached/chromedriver-linux64/chromedriver"
    [ -x "$CHROMIUM" ] && [ -x "$CHROMEDRIVER" ] && return 0
    unset CHROMIUM CHROMEDRIVER
    return 1
}

# The path of a program that is no snap. Ubuntu's chromium-browser is a script that calls the snap.
native() {
    local path
    path=$(command -v "$1") || return 1
    case $(readlink -f "$path") in /snap/* | */snap) return 1 ;; esac
    ! grep -qs '/snap/' "$path" || return 1
    printf '%s\n' "$path"
}

chromium_bin() { native chromium || native chromium-browser; }

want_browser() {
    refresh_package_lists
    if ! have apt-get || [ -n "$(apt_candidate chromium-driver)" ]; then
        want chromium chromium-driver
        return 0
    fi
    # Ubuntu has only the snap: Chrome for Testing comes from its makers, and needs these libraries.
    local name
    have curl || want curl
    have unzip || want unzip
    for name in libasound2 libatk-bridge2.0-0 libatk1.0-0 libatspi2.0-0 libcups2 libgbm1 libnss3 libpango-1.0-0 \
        libxcomposite1 libxdamage1 libxfixes3 libxkbcommon0 libxrandr2; do
        name=$(first_package "${name}t64" "$name") || continue
        dpkg-query -W -f '${Status}' "$name" 2>/dev/null | grep -q ' installed$' || want "$name"
    done
}

fetch_browser() {
    [ "$(uname -sm)" = "Linux x86_64" ] && have curl && have unzip ||
        die "the browser tests need Chromium and chromedriver of the same version." \
            "Install both, or say where they are: CHROMIUM=… CHROMEDRIVER=… ./build.sh test"
    local from version folder part
    folder="$(tool_cache)/chrome-for-testing"
    say "Fetching Chrome for Testing into $folder, since no package has Chromium here…"
    mkdir -p "$folder"
    version=$(curl -fsS https://googlechromelabs.github.io/chrome-for-testing/LATEST_RELEASE_STABLE) ||
        die "the version of Chrome for Testing could not be fetched; curl's message above says why."
    from="https://storage.googleapis.com/chrome-for-testing-public/$version/linux64"
    for part in chrome-linux64 chromedriver-linux64; do
        { curl -fsS -o "$folder/$part.zip" "$from/$part.zip" && unzip -qo "$folder/$part.zip" -d "$folder"; } ||
            die "Chrome for Testing $version could not be fetched; the message above says why."
        rm "$folder/$part.zip"
    done
    find_browser || die "Chrome for Testing $version was fetched, and does not run here."
}

# serve_with_browser SERVER…: both, until the server ends or this script is told to.
serve_with_browser() {
    local browser profile line address='' server_pid browser_pid=''
    exec {server_out}< <(exec "$@")
    server_pid=$!
    profile=$(mktemp -d)
    # shellcheck disable=SC2064 # the values of now
    trap "stop_both $server_pid '$profile'" EXIT
    trap 'exit 130' INT
    trap 'exit 143' TERM

    # The server says in one line that it is ready, and where.
    while IFS= read -r -u "$server_out" line; do
        printf '%s\n' "$line"
        case $line in
            *"listening on "*) address=${line##*listening on }; break ;;
        esac
    done
    if [ -z "$address" ]; then
        wait "$server_pid" || true
        die "the server ended before it was ready; its messages above say why."
    fi
    cat <&"$server_out" &

    if browser=$(chromium_bin); then
        say "Opening Chromium with the extension loaded; its profile is thrown away afterwards."
        local flags=("--user-data-dir=$profile" "--load-extension=$ROOT/dist" --no-first-run --no-default-browser-check)
        [ "$(id -u)" -ne 0 ] || flags+=(--no-sandbox)
        "$browser" "${flags[@]}" "$address/docs" >"$profile/log" 2>&1 &
        browser_pid=$!
        BROWSER_PID=$browser_pid
    else
        note "No Chromium here (Google Chrome ignores --load-extension). On Debian: apt-get install chromium"
    fi

    local ended
    if [ -n "$browser_pid" ] && wait -n -p ended "$server_pid" "$browser_pid"; then :; fi
    if [ "${ended:-}" = "$browser_pid" ] && [ -n "$browser_pid" ]; then
        BROWSER_PID=
        note "The browser is closed; the server goes on. Ctrl-C stops it."
        [ ! -s "$profile/log" ] || tail -n 3 "$profile/log"
    fi
    wait "$server_pid"
}

BROWSER_PID=
# stop_both SERVER_PID PROFILE: only what serve_with_browser started.
stop_both() {
    trap - EXIT
    local pid
    for pid in "$1" $BROWSER_PID; do
        kill "$pid" 2>/dev/null || true
    done
    for pid in "$1" $BROWSER_PID; do
        wait "$pid" 2>/dev/null || true
    done
    rm -rf -- "$2"
}
