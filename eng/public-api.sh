#!/usr/bin/env bash
# Writes PublicAPI.Unshipped.txt of each packable project (or of those named): the public API that PublicAPI.Shipped.txt
# does not list. A release moves the lines to the shipped file.
#
#   eng/public-api.sh [Mesh.Abstractions ...]
set -euo pipefail
cd "$(dirname "$(readlink -f "${BASH_SOURCE[0]}")")/.."

projects=("$@")
if ((${#projects[@]} == 0)); then
  while IFS= read -r file; do projects+=("$(basename "$file" .csproj)"); done \
    < <(grep -l '<IsPackable>true' src/*/*.csproj)
fi

log=$(mktemp)
trap 'rm -f "$log"' EXIT

for project in "${projects[@]}"; do
  folder=src/$project
  [[ -e $folder/PublicAPI.Shipped.txt ]] || echo '#nullable enable' > "$folder/PublicAPI.Shipped.txt"
  # The analyzer compares with an empty list, and so names each symbol in just the form that the list has.
  echo '#nullable enable' > "$folder/PublicAPI.Unshipped.txt"
done

if ! dotnet build eng/mesh.slnf -c Release --no-incremental -p:TrackPublicApi=true \
  -p:TreatWarningsAsErrors=false -v quiet --nologo --tl:off -nodeReuse:false < /dev/null > "$log"; then
  grep -E 'error' "$log" | sort -u >&2
  exit 1
fi

for project in "${projects[@]}"; do
  list=src/$project/PublicAPI.Unshipped.txt
  sed -n "s|^.*/src/$project/.*warning RS0016: Symbol '\(.*\)' is not part of the declared public API.*|\1|p" "$log" |
    LC_ALL=C sort -u >> "$list"
  printf '%s: %s symbols that are not shipped yet\n' "$project" "$(($(wc -l < "$list") - 1))"
done
# What the lists alone do not settle, such as a shipped symbol that is gone.
grep -E 'warning RS00(1[7-9]|[2-6][0-9])' "$log" | sort -u || true
