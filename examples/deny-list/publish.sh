#!/bin/sh
# Makes a deny list of a folder of entries: publish.sh ISS FOLDER FILE
#
# An entry is a file *.json with one JSON object on a line of its own. Run it whenever an entry has come or gone, and every
# minute besides: `iat` says that the list is still the truth. Where anything fails, the list that is there stays.
set -eu
iss=$1 folder=$2 file=$3
# Without the folder there is no list, rather than one that denies nothing.
entries=$(find "$folder" -name '*.json' -exec cat {} +)
new=$(dirname "$file")/.$(basename "$file").new
printf '{"iss":"%s","iat":%s,"deny":[%s]}\n' \
  "$iss" "$(date +%s)" "$(printf '%s' "$entries" | paste -sd, -)" > "$new"
# What proxies would refuse is not published.
bearward deny-list "$new"
# At once and as a whole.
mv "$new" "$file"
