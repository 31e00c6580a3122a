# shellcheck shell=bash
# What is handed out: the same input gives the same bytes.

pack() {
    local version out stage name
    umask 022
    version=$(workspace_version)
    out="$ROOT/target/package"
    name="password-auth-$version-$(uname -s | tr '[:upper:]' '[:lower:]')-$(uname -m)"
    rm -rf -- "$out"
    stage="$out/stage"
    mkdir -p "$stage/$name"
    # The oldest moment that a zip can say, unless the caller has a better one.
    local moment="@${SOURCE_DATE_EPOCH:-315532800}"

    say "Packing the extension…"
    cp -R dist "$stage/extension"
    find "$stage/extension" -exec env TZ=UTC touch -d "$moment" {} +
    (
        cd -- "$stage/extension"
        find . -type f | sed 's|^\./||' | LC_ALL=C sort | TZ=UTC zip -q -X -9 "$out/password-auth-extension-$version.zip" -@
    )

    say "Packing the extension for Firefox…"
    cp -R "$FIREFOX_DIR" "$stage/firefox"
    find "$stage/firefox" -exec env TZ=UTC touch -d "$moment" {} +
    (
        cd -- "$stage/firefox"
        find . -type f | sed 's|^\./||' | LC_ALL=C sort | TZ=UTC zip -q -X -9 "$out/password-auth-extension-$version-firefox.zip" -@
    )

    say "Packing the npm package…"
    # As `npm pack` lays it out. Its own tarball differs from run to run.
    mkdir -p "$stage/npm"
    cp -R "$NPM_DIR" "$stage/npm/package"
    tar -C "$stage/npm" --sort=name --mtime="$moment" --owner=0 --group=0 --numeric-owner --format=ustar -cf - package |
        gzip -n -9 >"$out/password-auth-extension-$version.tgz"

    say "Packing the server…"
    install -m 755 target/release/password-auth "$stage/$name/"
    install -m 644 LICENSE LICENSE-MIT LICENSE-APACHE README.md "$stage/$name/"
    tar -C "$stage" --sort=name --mtime="$moment" --owner=0 --group=0 --numeric-owner --format=ustar -cf - "$name" |
        gzip -n -9 >"$out/$name.tar.gz"

    rm -rf -- "$stage"
    (cd -- "$out" && sha256sum -- *.tar.gz *.tgz *.zip >SHA256SUMS && cat SHA256SUMS)
    say "Packed into $out"
}
