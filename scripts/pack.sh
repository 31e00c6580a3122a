# shellcheck shell=bash
# What is handed out: the same input gives the same bytes.

# The oldest moment that a zip can say, unless the caller has a better one.
moment() { printf '@%s\n' "${SOURCE_DATE_EPOCH:-315532800}"; }

# zip_folder FOLDER FILE
zip_folder() {
    local moment
    moment=$(moment)
    find "$1" -exec env TZ=UTC touch -d "$moment" {} +
    (cd -- "$1" && find . -type f | sed 's|^\./||' | LC_ALL=C sort | TZ=UTC zip -q -X -9 "$2" -@)
}

# tar_folder PARENT NAME FILE
tar_folder() {
    tar -C "$1" --sort=name --mtime="$(moment)" --owner=0 --group=0 --numeric-owner --format=ustar -cf - "$2" |
        gzip -n -9 >"$3"
}

# pack_extension OUT: for each store, the npm package, and the source that a reviewer can build.
pack_extension() {
    local out=$1 stage=$1/stage version
    umask 022
    version=$(workspace_version)
    rm -rf -- "$out"
    mkdir -p "$stage/npm"

    say "Packing the extension: Chrome, Edge, Firefox, npm, source…"
    cp -R dist "$stage/chrome"
    zip_folder "$stage/chrome" "$out/password-auth-extension-$version.zip"
    # Edge's store refuses a manifest with a key, which gives an unpacked extension its id.
    cp -R dist "$stage/edge"
    sed -E '/^ *"key": /d' dist/manifest.json >"$stage/edge/manifest.json"
    zip_folder "$stage/edge" "$out/password-auth-extension-$version-edge.zip"
    cp -R "$FIREFOX_DIR" "$stage/firefox"
    zip_folder "$stage/firefox" "$out/password-auth-extension-$version-firefox.zip"

    # As `npm pack` lays it out. Its own tarball differs from run to run.
    cp -R "$NPM_DIR" "$stage/npm/package"
    tar_folder "$stage/npm" package "$out/password-auth-extension-$version.tgz"

    pack_source "$stage" "$out"
    rm -rf -- "$stage"
}

# What git tracks, as it lies here: docs/store/source.md says how it is built.
pack_source() {
    local name
    name="password-auth-source-$(workspace_version)"
    # Unpacked somewhere inside another checkout, git would list nothing.
    if ! have git || [ "$(git rev-parse --show-toplevel 2>/dev/null)" != "$(pwd -P)" ]; then
        note "Skipped: the source archive, since this is no git checkout."
        return 0
    fi
    mkdir -p "$1/$name"
    git ls-files -z | while IFS= read -r -d '' file; do [ ! -e "$file" ] || printf '%s\0' "$file"; done |
        tar --null -T - -cf - | tar -C "$1/$name" -xf -
    tar_folder "$1" "$name" "$2/$name.tar.gz"
}

# pack_server OUT: the program, and what runs it on the internet.
pack_server() {
    local name stage
    name="password-auth-$(workspace_version)-$(uname -s | tr '[:upper:]' '[:lower:]')-$(uname -m)"
    stage="$1/stage/$name"
    say "Packing the server…"
    mkdir -p "$stage/docs"
    cp docs/*.md docs/*.png "$stage/docs/"
    cp -R deploy "$stage/"
    # A container is built from the sources.
    rm -rf "$stage/deploy/container"
    install -m 644 LICENSE LICENSE-MIT LICENSE-APACHE README.md SECURITY.md CHANGELOG.md "$stage/"
    find "$stage" -type d -exec chmod 755 {} + -o -type f -exec chmod 644 {} +
    install -m 755 target/release/password-auth "$stage/"
    tar_folder "$1/stage" "$name" "$1/$name.tar.gz"
    rm -rf -- "$1/stage"
}

# finish_packages OUT: their sums.
finish_packages() {
    (cd -- "$1" && sha256sum -- password-auth-* >SHA256SUMS && cat SHA256SUMS)
    say "Packed into $1"
}
