# shellcheck shell=bash
# The extension: Rust to WASM, its glue, and dist/, ready to load unpacked.

# Bytes, compressed file by file (gzip -9): what the popup loads, everything that Chrome loads, and the module that
# other people's pages and content scripts load.
# Popup and worker have a module each, since neither should load the other's.
readonly POPUP_BUDGET=60000 EXTENSION_BUDGET=110000 CLIENT_BUDGET=3000

# The npm package, unpacked, and the extension for Firefox.
readonly NPM_DIR=target/npm/password-auth-extension FIREFOX_DIR=target/firefox
# The web page's files. The server embeds what is there when it is compiled.
readonly PAGE_DIR=api/http/page

# The manifest's version is Cargo.toml's: Chrome wants one to four numbers, so a pre-release's tail goes.
extension_version() {
    local version
    version=$(workspace_version)
    printf '%s\n' "${version%%[-+]*}"
}

BRAND_ICONS=
brand() { target/debug/password-auth-brand "$ROOT/brand.toml" "$@"; }

# What brand.toml says and code is compiled with. The tests are about the project as it is.
load_brand() {
    # In debug: it runs for a moment.
    host_cargo build --locked -p password-auth-brand
    [ -z "${UNBRANDED:-}" ] || return 0
    local name server
    name=$(brand get name) server=$(brand get server) BRAND_ICONS=$(brand get icons)
    [ -z "$name" ] || export BRAND_NAME="$name"
    [ -z "$server" ] || export BRAND_SERVER="$server"
}

# apply_brand FOLDER…
apply_brand() {
    local folder
    [ -z "${UNBRANDED:-}" ] || return 0
    for folder; do brand apply "$folder"; done
}

build_extension() {
    load_brand
    say "Building the extension (WASM)…"
    # Makes the JavaScript glue. In debug: it runs for a second.
    host_cargo build --locked -p password-auth-bindgen
    # With -p: a build of the whole workspace would pull the server's half of the wire into it.
    CARGO_TARGET_DIR="$ROOT/target/wasm" "${WASM_RUN[@]}" "$WASM_CARGO" build --locked \
        -p password-auth-popup -p password-auth-broker -p password-auth-page --target "$WASM_TARGET" --profile wasm ${WASM_FLAGS[@]+"${WASM_FLAGS[@]}"}

    local before
    before=$(sum_of_inputs)
    if [ -d dist ] && [ -d "$NPM_DIR" ] && [ -d "$FIREFOX_DIR" ] &&
        [ "$(cat target/wasm/dist.stamp 2>/dev/null)" = "$before $(sum_of_outputs)" ]; then
        note "dist/ is up to date."
        return 0
    fi
    say "Assembling dist/ and the npm package…"
    assemble_npm
    assemble_dist
    assemble_firefox
    assemble_page
    printf '%s %s\n' "$before" "$(sum_of_outputs)" >target/wasm/dist.stamp
}

# wasm_file CRATE
wasm_file() { printf 'target/wasm/%s/wasm/password_auth_%s.wasm\n' "$WASM_TARGET" "$1"; }

# make_glue CRATE FOLDER NAME: its WASM and the JavaScript that starts it.
make_glue() {
    target/debug/password-auth-bindgen "$(wasm_file "$1")" "$2" "$3"
    slim "$2/$3.js" "$2/snippets"
}

# slim PATH…: what is generated or shipped goes without comments and indentation, an eighth of what it weighs
# compressed. No text in these files spans lines.
slim() {
    find "$@" -type f \( -name '*.js' -o -name '*.css' -o -name '*.html' \) -exec sed -i -E -e 's/^[[:space:]]+//' \
        -e '/^(\/\/.*|\/\*.*\*\/|<!-- .* -->|)$/d' -e '/^\/\*/,/\*\/$/d' {} +
}

# sum_of PATH…: one sum over names and contents.
sum_of() { find "$@" -type f -print0 | LC_ALL=C sort -z | xargs -0 sha256sum | sha256sum | cut -d ' ' -f 1; }

sum_of_outputs() { sum_of dist "$NPM_DIR" "$FIREFOX_DIR" "$PAGE_DIR"; }

sum_of_inputs() {
    sum_of "$(wasm_file popup)" "$(wasm_file broker)" "$(wasm_file page)" manifest.json extension/static \
        extension/package extension/page extension/js extension/bindgen \
        Cargo.toml Cargo.lock scripts/extension.sh brand.toml ${BRAND_ICONS:+"$BRAND_ICONS"}
    printf '%s\n' "${UNBRANDED:-}"
}

# What other people's extensions take: the modules with their types, and the broker's WASM.
assemble_npm() {
    rm -rf -- "$NPM_DIR"
    mkdir -p "$NPM_DIR"
    cp extension/package/* LICENSE-MIT LICENSE-APACHE "$NPM_DIR/"
    make_glue broker "$NPM_DIR" broker
    sed -E "s/(\"version\": \")[^\"]*/\1$(workspace_version)/" extension/package/package.json >"$NPM_DIR/package.json"
    find "$NPM_DIR" -type f -exec chmod 644 {} +
}

# In a folder of its own first: dist/ is never half of one build and half of another.
assemble_dist() {
    local new
    new=$(mktemp -d target/dist.XXXXXX)
    # shellcheck disable=SC2064 # the value of now
    trap "rm -rf -- '$new'" EXIT

    make_glue popup "$new/wasm" popup_wasm
    # The options page asks the broker; the popup has the session's WASM of its own.
    mkdir "$new/password-auth"
    cp "$NPM_DIR/client.js" "$NPM_DIR/background.js" "$NPM_DIR"/broker.js "$NPM_DIR"/broker_bg.wasm "$new/password-auth/"
    cp -R "$NPM_DIR/snippets" "$new/password-auth/"
    # One storage.js for both.
    rm -r -- "$new/wasm/snippets"
    sed -i '/^import /s|\./snippets/|../password-auth/snippets/|' "$new/wasm/popup_wasm.js"
    cp -R extension/static/. "$new/"
    slim "$new"/*.html "$new"/*.css "$new"/*.js
    [ "$(grep -c '"version":' manifest.json)" -eq 1 ] ||
        die "manifest.json must have exactly one \"version\": the build writes Cargo.toml's into it."
    sed -E "s/(\"version\":[[:space:]]*\")[^\"]*/\1$(extension_version)/" manifest.json >"$new/manifest.json"
    apply_brand "$new"
    find "$new" -type d -exec chmod 755 {} +
    find "$new" -type f -exec chmod 644 {} +

    rm -rf target/dist.old
    [ ! -e dist ] || mv dist target/dist.old
    mv "$new" dist
    rm -rf target/dist.old
    trap - EXIT
}

# The page at the server's root: the popup's looks and texts, and a storage of its own. Its files are only touched when
# they change, so that the server is not compiled anew for nothing.
assemble_page() {
    local new storage
    new=$(mktemp -d target/page.XXXXXX)
    make_glue page "$new/wasm" page_wasm
    storage=$(find "$new/wasm/snippets" -name storage.js)
    mv "$storage" "${storage%/*}/extension.js"
    cp extension/page/storage.js "$storage"
    cp extension/static/{looks,strength,signin,popup}.js extension/static/popup.css "$new/"
    cp extension/static/form.js extension/static/factors.* extension/page/account.js extension/page/page.css "$new/"
    cp extension/static/icons/icon.svg "$new/"
    cp -R extension/static/_locales "$new/"
    slim "$new"
    apply_brand "$new"
    find "$new" -type f -exec chmod 644 {} +
    if ! diff -rq -x .gitignore "$new" "$PAGE_DIR" >/dev/null; then
        find "$PAGE_DIR" -mindepth 1 ! -name .gitignore -delete
        cp -R "$new/." "$PAGE_DIR/"
    fi
    rm -rf -- "$new"
}

# Firefox has event pages where Chrome has workers, wants an id, and wants to be told which data leaves the computer.
assemble_firefox() {
    rm -rf -- "$FIREFOX_DIR"
    cp -R dist "$FIREFOX_DIR"
    sed -E -e 's/"service_worker": ("[^"]*")/"scripts": [\1]/' \
        -e 's/^( *)"minimum_chrome_version": .*$/\1"browser_specific_settings": { "gecko": {\
\1  "id": "password-auth@example.org",\
\1  "strict_min_version": "142.0",\
\1  "data_collection_permissions": { "required": ["authenticationInfo"] }\
\1} },/' dist/manifest.json >"$FIREFOX_DIR/manifest.json"
}

# weigh FOLDER NAME…: bytes (gz) of the files in FOLDER whose paths match one of the patterns.
weigh() {
    local size=0 part file pattern folder=$1
    shift
    for pattern in "$@"; do
        while IFS= read -r -d '' file; do
            part=$(gzip -9 -c "$file" | wc -c)
            size=$((size + part))
        done < <(find "$folder" -type f -path "$folder/$pattern" -print0)
    done
    printf '%s\n' "$size"
}

# check_weight WHAT BYTES BUDGET
check_weight() {
    say "$1: $2 bytes (gz); the budget is $3."
    [ "$2" -le "$3" ] ||
        die "$1 is over its budget by $(($2 - $3)) bytes." \
            "Find what grew, or raise the budget in scripts/extension.sh with a reason."
}

# Where the bytes are, largest first.
weigh_each() {
    local file
    printf '    %8s %8s  %s\n' bytes gz file
    while IFS= read -r -d '' file; do
        printf '    %8d %8d  %s\n' "$(wc -c <"$file")" "$(gzip -9 -c "$file" | wc -c)" "$file"
    done < <(find dist -type f \( -name '*.wasm' -o -name '*.js' -o -name '*.html' -o -name '*.css' \) -print0) | sort -k 2 -n -r
}

check_size() {
    local slack=0
    weigh_each
    if [ ${#WASM_FLAGS[@]} -eq 0 ]; then
        # Its panics have texts, in each module. find_distro_wasm builds one without.
        slack=6000
        note "The standard library was not built here: up to $slack bytes more in each module are its panics."
    fi
    check_weight "The popup" "$(weigh dist 'popup.*' looks.js strength.js signin.js 'wasm/*' 'password-auth/snippets/*')" $((POPUP_BUDGET + slack))
    check_weight "The extension" "$(weigh dist '*.wasm' '*.js' '*.html' '*.css')" $((EXTENSION_BUDGET + 2 * slack))
    check_weight "client.js" "$(weigh "$NPM_DIR" client.js)" "$CLIENT_BUDGET"
}
