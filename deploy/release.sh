#!/usr/bin/env bash
# Builds what a release has for this machine's architecture, in target/dist/: the tarball, the Debian package and the SBOM.
# It needs cargo-deb and cargo-cyclonedx.
#
#   deploy/release.sh v0.2.0
set -euo pipefail
cd "$(dirname "$0")/.."

version=$(sed -n 's/^version = "\(.*\)"/\1/p' Cargo.toml | head -n 1)
[ "$1" = "v$version" ] || { echo "The tag is $1, but Cargo.toml says $version." >&2; exit 1; }
grep -q "^## \[$version\] - [0-9]" CHANGELOG.md || { echo "CHANGELOG.md has no date for $version." >&2; exit 1; }

cargo build --release --locked
deploy/package.sh target/release/gatepost
rm -rf target/dist
mkdir -p target/dist

name=gatepost-$version-$(uname -m)-linux
tree=target/dist/$name
mkdir "$tree"
cp -r target/release/gatepost target/package/{man,gatepost.bash,_gatepost,gatepost.fish} "$tree"
# At their places in the repository.
cp --parents .env.example CHANGELOG.md LICENSE README.md THIRD-PARTY.md docs/*.{md,png} \
    deploy/{gatepost.service,gatepost.socket,Caddyfile,nginx.conf} "$tree"
# The same files give the same bytes: in the tarball, the package and the SBOM.
SOURCE_DATE_EPOCH=$(git log -1 --format=%ct)
export SOURCE_DATE_EPOCH
tar -C target/dist --sort=name --owner=0 --group=0 --numeric-owner --mode=u=rwX,go=rX \
    --mtime="@$SOURCE_DATE_EPOCH" -cf - "$name" | gzip -9n >"$tree.tar.gz"
rm -r "$tree"

cargo deb --no-build --output target/dist/
cargo cyclonedx --format json --spec-version 1.5 --override-filename "$name.cdx"
mv "$name.cdx.json" target/dist/
