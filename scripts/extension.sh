# shellcheck shell=bash
# The extension: Rust to WASM, its glue, and dist/, ready to load unpacked.

# gz, of what a person downloads and the popup has to load: WASM, JS, HTML, CSS.
readonly SIZE_BUDGET=60000

# The manifest's version is Cargo.toml's: Chrome wants one to four numbers, so a pre-release's tail goes.
extension_version() {
    local version
    version=$(workspace_version)
    printf '%s\n' "${version%%[-+]*}"
}

build_extension() {
    say "Building the extension (WASM)…"
    # Makes the JavaScript glue. In debug: it runs for a second.
    host_cargo build --locked -p password-auth-bindgen
    # With -p: a build of the whole workspace would pull the server's half of the wire into it.
    CARGO_TARGET_DIR="$ROOT/target/wasm" "${WASM_RUN[@]}" "$WASM_CARGO" build --locked \
        -p password-auth-extension --target "$WASM_TARGET" --profile wasm ${WASM_FLAGS[@]+"${WASM_FLAGS[@]}"}

    local before
    before=$(sum_of_inputs)
    if [ -d dist ] && [ "$(cat target/wasm/dist.stamp 2>/dev/null)" = "$before $(sum_of dist)" ]; then
        note "dist/ is up to date."
        return 0
    fi
    say "Assembling dist/…"
    assemble_dist
    printf '%s %s\n' "$before" "$(sum_of dist)" >target/wasm/dist.stamp
}

readonly WASM_FILE="target/wasm/$WASM_TARGET/wasm/password_auth_extension.wasm"

# sum_of PATH…: one sum over names and contents.
sum_of() { find "$@" -type f -print0 | LC_ALL=C sort -z | xargs -0 sha256sum | sha256sum | cut -d ' ' -f 1; }

sum_of_inputs() { sum_of "$WASM_FILE" manifest.json extension/static Cargo.toml Cargo.lock scripts/extension.sh; }

# In a folder of its own first: dist/ is never half of one build and half of another.
assemble_dist() {
    local new
    new=$(mktemp -d target/dist.XXXXXX)
    # shellcheck disable=SC2064 # the value of now
    trap "rm -rf -- '$new'" EXIT

    target/debug/password-auth-bindgen "$WASM_FILE" "$new/wasm" popup_wasm
    cp -R extension/static/. "$new/"
    [ "$(grep -c '"version":' manifest.json)" -eq 1 ] ||
        die "manifest.json must have exactly one \"version\": the build writes Cargo.toml's into it."
    sed -E "s/(\"version\":[[:space:]]*\")[^\"]*/\1$(extension_version)/" manifest.json >"$new/manifest.json"
    find "$new" -type d -exec chmod 755 {} +
    find "$new" -type f -exec chmod 644 {} +

    rm -rf target/dist.old
    [ ! -e dist ] || mv dist target/dist.old
    mv "$new" dist
    rm -rf target/dist.old
    trap - EXIT
}

check_size() {
    local size=0 part file
    while IFS= read -r -d '' file; do
        part=$(gzip -9 -c "$file" | wc -c)
        size=$((size + part))
    done < <(find dist -type f \( -name '*.wasm' -o -name '*.js' -o -name '*.html' -o -name '*.css' \) -print0)
    say "The extension weighs $size bytes (gz); the budget is $SIZE_BUDGET."
    [ "$size" -le "$SIZE_BUDGET" ] ||
        die "the extension is over its budget by $((size - SIZE_BUDGET)) bytes." \
            "Find what grew, or raise SIZE_BUDGET in scripts/extension.sh with a reason."
}
