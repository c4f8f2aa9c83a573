#!/usr/bin/env bash
# Sets up the machine, builds the solution and runs all tests. The last line is `N passed, N failed, N skipped`.
#
#   ./test.sh                              everything
#   ./test.sh Retry                        tests whose full name contains the text
#   ./test.sh --project Mesh.Core.Tests    one project (may be given several times)
#   ./test.sh -class '*Frame*' -trait- x=y other options go to xunit's runner as they are
#
# --no-build runs what is built. CONFIGURATION=Debug builds and runs that one; the default is Release, which ships.
# With CI=true a skipped test fails, unless eng/allowed-skips.txt lists its reason. Each test has one try.
set -euo pipefail

root=$(dirname "$(readlink -f "${BASH_SOURCE[0]}")")
cd "$root"

configuration=${CONFIGURATION:-Release}
# A project that takes longer hangs: the whole run has twenty minutes.
project_timeout=${PROJECT_TIMEOUT:-600}
results=artifacts/test-results
only=()
options=()
build=1

while (($# > 0)); do
  case $1 in
    -h | --help)
      sed -n '2,/^set/{/^set/d;s/^# \{0,1\}//;p}' "$0"
      exit 0
      ;;
    --no-build) build= ;;
    --project)
      [[ $# -ge 2 ]] || { echo 'test.sh: --project needs a name' >&2; exit 2; }
      only+=("$2")
      shift
      ;;
    -*)
      options+=("$@")
      break
      ;;
    *) options+=(-method "*$1*") ;;
  esac
  shift
done

say() { printf '%s\n' "$*" >&2; }

prepare() {
  eng/setup.sh test
  [[ -n $build ]] || return 0
  local began=artifacts/mesh.stamp.tests
  mkdir -p artifacts
  touch "$began"
  say "building ($configuration)"
  eng/crossgen.sh
  dotnet build EventMesh.sln -c "$configuration" -v quiet --nologo --tl:off -nodeReuse:false < /dev/null >&2
  # The launcher, which tests start, finds its part built too.
  if [[ $configuration == Release ]]; then mv -f "$began" artifacts/mesh.stamp; else rm -f "$began"; fi
}

attribute() { # element name; prints the attribute's number, 0 without one
  [[ $1 =~ [[:space:]]$2=\"([0-9]+)\" ]] && printf '%s' "${BASH_REMATCH[1]}" || printf 0
}

skips_of() { # result file; prints name, a tab and the reason of each skipped test
  tr '\n' ' ' < "$1" | sed 's/<test id=/\n&/g' |
    sed -n 's/^<test id="[^"]*" name="\([^"]*\)" result="Skip".*<reason>\(.*\)<\/reason>.*/\1\t\2/p'
}

is_allowed() { # reason
  local allowed
  while IFS= read -r allowed; do
    [[ -z $allowed || $allowed == '#'* || $1 != *"$allowed"* ]] || return 0
  done < eng/allowed-skips.txt
  return 1
}

passed=0 failed=0 skipped=0

run_project() { # project name
  local project=$1 executable file status=0 name reason
  executable=artifacts/bin/$project/${configuration,,}/${project/#Mesh./EventMesh.}
  file=$results/$project.xml
  if [[ ! -x $executable ]]; then
    say "$project: not built ($executable)"
    failed=$((failed + 1))
    return
  fi
  timeout -k 10 "$project_timeout" "$executable" -noLogo -noColor -noAutoReporters -reporter quiet -longRunning 120 \
    -result-xml "$file" "${options[@]}" < /dev/null >&2 || status=$?

  local assembly total bad ok skip
  assembly=$(grep -o '<assembly [^>]*>' "$file" 2> /dev/null | head -n 1) || true
  total=$(attribute "$assembly" total)
  ok=$(attribute "$assembly" passed)
  skip=$(attribute "$assembly" skipped)
  bad=$(($(attribute "$assembly" failed) + $(attribute "$assembly" errors)))
  if ((status == 124 || status == 137)); then
    say "$project: stopped after $project_timeout s"
    bad=$((bad + 1))
  elif ((status != 0 && bad == 0)); then
    say "$project: ended with exit code $status"
    bad=1
  elif ((total == 0 && ${#options[@]} == 0)); then
    say "$project: ran no test"
    bad=1
  fi
  if [[ ${CI:-} == true && -e $file ]]; then
    while IFS=$'\t' read -r name reason; do
      if [[ -z $name ]] || is_allowed "$reason"; then continue; fi
      say "skipped, but CI must run it: $name ($reason)"
      bad=$((bad + 1))
      skip=$((skip - 1))
    done <<< "$(skips_of "$file")"
  fi
  ((total == 0 && bad == 0)) || say "$project: $ok passed, $bad failed, $skip skipped"
  passed=$((passed + ok)) failed=$((failed + bad)) skipped=$((skipped + skip))
}

# A project that is not a library of tests for others is an executable.
projects_to_run() {
  local file project
  for file in tests/*/*.csproj; do
    project=$(basename "$file" .csproj)
    ! grep -q '<IsTestLibrary>true' "$file" || continue
    if [[ ${#only[@]} -eq 0 || " ${only[*]} " == *" $project "* ]]; then printf '%s\n' "$project"; fi
  done
}

prepare
rm -rf "$results"
mkdir -p "$results"
started=$SECONDS
for project in $(projects_to_run); do run_project "$project"; done
if ((passed + failed + skipped == 0)); then
  say 'no test matches'
  failed=1
fi
say "tests took $((SECONDS - started)) s"
echo "$passed passed, $failed failed, $skipped skipped"
((failed == 0))
