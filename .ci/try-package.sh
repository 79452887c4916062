#!/usr/bin/env bash
# Packs claimgate, installs the tarball into an empty prefix as somebody else would, and uses what came out. Needs a
# registry for the few dependencies. Ends with one plain line, and with 1 when something is not as it should be.
set -euo pipefail
cd "$(dirname "$0")/.."
project=$PWD
place=$(mktemp -d)
trap 'rm -rf "$place"' EXIT

fail() {
  echo "package: $*"
  exit 1
}

tarball=$(npm pack --silent --pack-destination "$place" | tail -n 1) || fail 'npm pack made no tarball'
install() {
  npm install --loglevel=error --global --prefix "$place/prefix" --no-audit --no-fund --prefer-offline "$place/$tarball"
}
# A registry may fail once.
install || install || fail 'npm cannot install the tarball'
cd "$place"
# The supported Node that came with the development packages, whatever the machine's own is.
PATH="$place/prefix/bin:$project/node_modules/.bin:$PATH"
root="$place/prefix/lib/node_modules/claimgate"

version=$(claimgate --version)
[ "$version" = "claimgate $(node -p "require('$root/package.json').version")" ] || fail "--version says $version"
claimgate --help | grep -q -- '--upstream' || fail '--help names no setting'
claimgate check --route https://app.example.com --upstream http://127.0.0.1:3000 >effective ||
  fail 'check refuses good settings'
grep -Eq '^audience +app\.example\.com ' effective || fail 'check shows no audience'
code=0
claimgate check >problems || code=$?
[ "$code" = 78 ] || fail "check ends with $code where settings are missing"
for file in LICENSE README.md config.schema.json config.example.yaml; do
  [ -f "$root/$file" ] || fail "$file is not in it"
done
for folder in src test scripts docs; do
  [ ! -e "$root/$folder" ] || fail "$folder is in it"
done
echo "package: $tarball installs, starts and checks"
