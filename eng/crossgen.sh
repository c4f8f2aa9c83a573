#!/usr/bin/env bash
# Restores the compiler with which the build compiles the node ahead of time (eng/ReadyToRun.targets). A machine that can't get it builds and runs a node
# all the same, which takes longer to start: one line on standard error says so, and the exit code is 0.
set -euo pipefail
cd "$(dirname "$(readlink -f "${BASH_SOURCE[0]}")")/.."

if ! output=$(timeout 120 dotnet restore eng/Crossgen.proj -v quiet --nologo -p:NuGetAudit=false < /dev/null 2>&1); then
  printf 'crossgen: the node is not compiled ahead of time and starts slower: %s\n' "$(grep -m 1 -oE 'error [A-Z]+[0-9]+: .*' <<< "$output" || echo 'the restore failed')" >&2
fi
