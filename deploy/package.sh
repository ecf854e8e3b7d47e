#!/usr/bin/env bash
# Puts the files of a package that are not in the repository into target/package/: the manual pages and the completions of
# the given program, and the unit with the paths of a package.
#
#   deploy/package.sh target/release/gatepost && cargo deb --no-build
set -euo pipefail
program=$(realpath "$1")
cd "$(dirname "$0")/.."
rm -rf target/package
mkdir -p target/package
"$program" man target/package/man
"$program" completion bash >target/package/gatepost.bash
"$program" completion zsh >target/package/_gatepost
"$program" completion fish >target/package/gatepost.fish
# The package has a user of its own, and Debian keeps /usr/local for the machine's owner. The head tells how to install
# by hand.
sed -e '1,/^$/d' -e 's|/usr/local/bin/|/usr/bin/|' -e '/^DynamicUser=yes$/d' -e '/^# A user that exists only/d' \
    deploy/gatepost.service >target/package/gatepost.service
