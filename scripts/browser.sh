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

BROWSER_PID='' SERVER_PID=''

# serve_with_browser SERVER…: both, until the server ends or this script is told to.
serve_with_browser() {
    local folder line browser address='' ended=''
    folder=$(mktemp -d)
    # shellcheck disable=SC2064 # the value of now
    trap "stop_both '$folder'" EXIT
    trap 'exit 130' INT
    trap 'exit 143' TERM

    mkfifo "$folder/out"
    "$@" >"$folder/out" &
    SERVER_PID=$!
    # The server says in one line that it is ready, and where.
    exec {server_out}<"$folder/out"
    while IFS= read -r -u "$server_out" line; do
        printf '%s\n' "$line"
        case $line in
            *"listening on "*) address=${line##*listening on }; break ;;
        esac
    done
    [ -n "$address" ] || die "the server ended before it was ready; its messages above say why."
    cat <&"$server_out" &

    if browser=$(chromium_bin); then
        say "Opening Chromium with the extension loaded; its profile is thrown away afterwards."
        local flags=("--user-data-dir=$folder/profile" "--load-extension=$ROOT/dist" --no-first-run --no-default-browser-check)
        [ "$(id -u)" -ne 0 ] || flags+=(--no-sandbox)
        "$browser" "${flags[@]}" "$address/docs" >"$folder/browser.log" 2>&1 &
        BROWSER_PID=$!
        local status=0
        wait -n -p ended "$SERVER_PID" "$BROWSER_PID" || status=$?
        if [ "$ended" = "$BROWSER_PID" ]; then
            BROWSER_PID=
            [ "$status" -eq 0 ] || tail -n 3 "$folder/browser.log" >&2
            note "The browser is closed; the server goes on. Ctrl-C stops it."
        else
            return "$status"
        fi
    else
        note "No Chromium here (Google Chrome ignores --load-extension). On Debian: apt-get install chromium"
    fi
    wait "$SERVER_PID"
}

# stop_both FOLDER: only what serve_with_browser started.
stop_both() {
    trap - EXIT
    local pid
    for pid in $SERVER_PID $BROWSER_PID; do
        kill "$pid" 2>/dev/null || true
    done
    for pid in $SERVER_PID $BROWSER_PID; do
        wait "$pid" 2>/dev/null || true
    done
    rm -rf -- "$1"
}
