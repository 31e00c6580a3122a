# shellcheck shell=bash
# What the stores ask of a package, as checks that fail.

# Pinned: rules change from version to version.
readonly WEB_EXT=10.7.0
# What the extension may ask for. docs/store/permissions.md gives a reason for each.
readonly PERMISSIONS='alarms storage' HOSTS='http://127.0.0.1/* http://localhost/*'

# check_store FOLDER…: extensions, ready to load.
check_store() {
    local folder
    say "Checking what the stores ask of a package…"
    for folder; do
        check_code "$folder"
        check_manifest "$folder/manifest.json"
    done
}

# check_code FOLDER: all code is in the package, and none is made of text.
check_code() {
    local found
    found=$(grep -rnEI --include='*.js' --include='*.html' \
        -e '(\bfrom|\bimport|importScripts\(|\bimport\() *["'"'"'`](https?:)?//' \
        -e '<(script|link|iframe|object|embed)[^>]* (src|href|data)=["'"'"']?(https?:)?//' "$1" || true)
    [ -z "$found" ] || die "$1 loads code from elsewhere:" "$found"
    found=$(grep -rnEI --include='*.js' --include='*.html' \
        -e '\beval *\(' -e '\bnew +Function\b' -e '\bFunction *\(["'"'"'`]' -e '\bset(Timeout|Interval) *\(["'"'"'`]' \
        -e 'document\.write' -e '\b(inner|outer)HTML\b' -e ' on[a-z]+="' "$1" || true)
    [ -z "$found" ] || die "$1 makes code, or a page, of text:" "$found"
}

# check_manifest FILE: it asks for nothing that has no reason. A brand's server is one of its hosts.
check_manifest() {
    local list asked allowed own=
    if [ -n "${BRAND_SERVER:-}" ]; then
        own=$(sed -nE 's|^https://([^/:]+).*|https://\1/*|p' <<<"$BRAND_SERVER")
    fi
    for list in permissions host_permissions optional_host_permissions optional_permissions; do
        case $list in
            permissions) allowed=$PERMISSIONS ;;
            host_permissions) allowed="$HOSTS $own" ;;
            optional_host_permissions) allowed='https://*/*' ;;
            optional_permissions) allowed='' ;;
        esac
        for asked in $(manifest_list "$1" "$list"); do
            grep -qxF -e "$asked" <(tr ' ' '\n' <<<"$allowed") ||
                die "$1 asks for $asked ($list), which has no reason." \
                    "Add one to docs/store/permissions.md, and the permission to scripts/store.sh."
        done
    done
    local policy
    policy=$(sed -nE 's/.*"extension_pages": "([^"]*)".*/\1/p' "$1")
    grep -q "script-src 'self' 'wasm-unsafe-eval';" <<<"$policy" || die "$1 has another policy for scripts: $policy"
    ! grep -qE '"(content_scripts|externally_connectable|web_accessible_resources)"' "$1" ||
        die "$1 opens the extension to web pages."
    ! grep -q '"update_url"' "$1" || die "$1 names a place for updates of its own."
}

# manifest_list FILE NAME: the texts of a list, one a line.
manifest_list() {
    tr -d '\n' <"$1" | sed -nE "s/.*\"$2\": *\[([^]]*)\].*/\1/p" | grep -oE '"[^"]*"' | tr -d '"' || true
}

# check_packages: assembled and packed twice, the packages are the same, byte for byte; none has a key or another
# browser's id; and Mozilla's linter finds nothing.
check_packages() {
    local first second
    check_store dist "$FIREFOX_DIR"
    if ! have zip; then
        note "Skipped: packing twice (apt-get install zip)."
    else
        pack_extension "$ROOT/target/packed"
        first=$(cd target/packed && sha256sum -- *)
        rm -f target/wasm/dist.stamp
        build_extension
        pack_extension "$ROOT/target/packed"
        second=$(cd target/packed && sha256sum -- *)
        [ "$first" = "$second" ] || die "packed twice, the packages differ:" "$first" "$second"
        say "Packed twice, the packages are the same."
        ! unzip -p target/packed/*-edge.zip manifest.json 2>/dev/null | grep -q '"key"' ||
            die "the package for Edge has a key."
    fi
    lint_firefox
}

lint_firefox() {
    local folder linter report
    folder="$(tool_cache)/web-ext-$WEB_EXT"
    linter="$folder/node_modules/.bin/web-ext"
    if [ ! -x "$linter" ]; then
        if ! have npm || ! npm install --silent --no-audit --no-fund --ignore-scripts --prefix "$folder" "web-ext@$WEB_EXT"; then
            note "Skipped: web-ext lint, which needs npm and the npm registry."
            return 0
        fi
    fi
    say "Linting the package for Firefox with web-ext $WEB_EXT…"
    report=$("$linter" lint --no-config-discovery --source-dir "$FIREFOX_DIR" --output text 2>&1) ||
        die "web-ext lint:" "$report"
    # No warning is one that we have agreed to.
    grep -qE '^warnings +0 *$' <<<"$report" || die "web-ext lint warns:" "$report"
}
