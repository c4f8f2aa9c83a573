#!/usr/bin/env bash
# Installs the system packages that EventMesh needs, and only those that are missing.
#
#   eng/setup.sh run     what a node needs: the QUIC library, a PostgreSQL server, setpriv
#   eng/setup.sh test    the same, and what the tests need: C headers and a compiler for the layout check, iproute2 and nftables for networks
#   eng/setup.sh check   changes and prints nothing; exit code 0 when nothing is missing for run
#
# Works as root or through sudo, takes the packages from the machine's own configured archive, and prints one line on
# standard error for each thing it changes. Prints nothing when nothing is missing. Exit codes: 0 all is there, 1 something
# is missing and could not be installed, 3 there is no .NET SDK.
set -euo pipefail

readonly MinimumQuicVersion=1.11
readonly LockTimeout=120
readonly PostgresPattern='/usr/lib/postgresql/*/bin'

say() { printf 'setup: %s\n' "$*" >&2; }
die() {
  local line
  for line in "$@"; do say "$line"; done
  exit 1
}

# --- What is missing -------------------------------------------------------------------------------------------------

has_library() { # soname
  local cache
  cache=$(PATH="$PATH:/sbin:/usr/sbin" ldconfig -p 2>/dev/null) || return 1
  [[ $cache == *"$1 "* ]]
}

installed_version() { # package; prints nothing when it is not installed
  local answer
  answer=$(dpkg-query -W -f '${db:Status-Status} ${Version}\n' "$1" 2>/dev/null) || return 0
  while read -r status version; do
    if [[ $status == installed ]]; then
      printf '%s\n' "$version"
      return
    fi
  done <<< "$answer"
}

is_recent() { # version; only a packaged library has one that we can read
  [[ -n $1 ]] && dpkg --compare-versions "$1" ge "$MinimumQuicVersion~"
}

has_quic() {
  has_library libngtcp2.so.16 && has_library libngtcp2_crypto_gnutls.so.8 || return 1
  local version
  version=$(installed_version libngtcp2-16)
  [[ -z $version ]] || is_recent "$version"
}

has_postgres() {
  local directory
  for directory in $PostgresPattern; do
    [[ -x $directory/postgres && -x $directory/initdb ]] && return 0
  done
  command -v postgres > /dev/null && command -v initdb > /dev/null
}

find_missing() { # mode; fills missing
  missing=()
  has_quic || missing+=(libngtcp2-16 libngtcp2-crypto-gnutls8)
  has_postgres || missing+=(postgresql)
  command -v setpriv > /dev/null || missing+=(util-linux)
  [[ $1 == test ]] || return 0
  local package
  for package in libngtcp2-dev libngtcp2-crypto-gnutls-dev; do
    is_recent "$(installed_version "$package")" || missing+=("$package")
  done
  # The last two make networks of their own for the tests of NAT and roaming.
  for package in libgnutls28-dev gcc libc6-dev iproute2 nftables; do
    [[ -n $(installed_version "$package") ]] || missing+=("$package")
  done
}

has_dotnet() {
  local directory muxer
  muxer=$(command -v dotnet || true)
  [[ -z $muxer ]] || muxer=$(dirname "$(readlink -f "$muxer")")
  for directory in "${DOTNET_ROOT:-}" "$muxer"; do
    [[ -n $directory ]] && compgen -G "$directory/sdk/10.*" > /dev/null && return
  done
  # A wrapper may stand in for the real one.
  [[ -n $muxer ]] && dotnet --list-sdks 2>/dev/null | grep -q '^10\.'
}

no_dotnet() {
  say 'the .NET 10 SDK is missing, and it is not in Debian'\''s archive.'
  say 'Install it as Microsoft describes for your distribution (package dotnet-sdk-10.0), or unpack the SDK and put'
  say 'its folder on PATH; then run this again.'
  exit 3
}

# --- How it is installed ---------------------------------------------------------------------------------------------

become_root() { # fills elevate
  elevate=()
  [[ $EUID -ne 0 ]] || return 0
  if command -v sudo > /dev/null; then
    if sudo -n true 2>/dev/null; then
      elevate=(sudo -n)
      return
    fi
    # sudo itself asks for the password, where there is somebody to ask.
    if [[ -t 0 && -t 2 ]]; then
      elevate=(sudo)
      return
    fi
  fi
  die "missing: ${missing[*]}" \
    'Installing them needs root, or sudo without a password. As root, run:' \
    "  $self $mode"
}

as_root() { "${elevate[@]}" "$@"; }

apt() { # arguments of apt-get; output goes to the log
  as_root env DEBIAN_FRONTEND=noninteractive LC_ALL=C \
    apt-get -q -y -o "DPkg::Lock::Timeout=$LockTimeout" -o Dpkg::Options::=--force-confold -o Dpkg::Use-Pty=0 "$@" \
    < /dev/null > "$log" 2>&1
}

show_log() { tail -n 15 "$log" | sed 's/^/setup:   /' >&2; }

update_lists() { # the lists' lock has no time-out of its own, unlike dpkg's
  say "$1"
  local deadline=$((SECONDS + LockTimeout))
  until apt update; do
    if ! grep -q 'Could not get lock' "$log" || ((SECONDS >= deadline)); then
      show_log
      # Another archive of this machine may be broken; what we need may still be there.
      say 'apt-get update reported errors; going on with the lists it has'
      return
    fi
    sleep 1
  done
}

candidate() { # package; prints the version apt would install
  local answer
  answer=$(LC_ALL=C apt-cache policy "$1" 2>/dev/null | sed -n 's/^  Candidate: //p')
  [[ $answer == '(none)' ]] || printf '%s' "$answer"
}

release_field() { # name
  sed -n "s/^$1=\"\{0,1\}\([^\"]*\)\"\{0,1\}\$/\1/p" /etc/os-release
}

# Prints the fields of the source that carries the suite which say whom to trust: Signed-By and Trusted.
trust_fields() { # file uri suite
  case $1 in
    *.sources)
      awk -v uri="${2%/}" -v suite="$3" '
        function flush(  i, n, words, found) {
          found = 0
          n = split(uris, words, /[ \t\n]+/)
          for (i = 1; i <= n; i++) { sub(/\/$/, "", words[i]); if (words[i] == uri) found = 1 }
          if (found) {
            found = 0
            n = split(suites, words, /[ \t\n]+/)
            for (i = 1; i <= n; i++) if (words[i] == suite) found = 1
          }
          if (found && !done) { printf "%s", trust; done = 1 }
          uris = suites = trust = field = ""
        }
        /^#/ { next }
        /^[ \t]*$/ { flush(); next }
        /^[^ \t]/ { field = tolower($0); sub(/:.*/, "", field) }
        field == "uris" { line = $0; sub(/^[^ \t][^:]*:/, "", line); uris = uris " " line }
        field == "suites" { line = $0; sub(/^[^ \t][^:]*:/, "", line); suites = suites " " line }
        field == "signed-by" || field == "trusted" { trust = trust $0 "\n" }
        END { flush() }' "$1"
      ;;
    *)
      awk -v uri="${2%/}" -v suite="$3" '
        $1 == "deb" && match($0, /\[[^]]*\]/) {
          options = substr($0, RSTART + 1, RLENGTH - 2)
          rest = substr($0, RSTART + RLENGTH)
          split(rest, words, /[ \t]+/)
          sub(/\/$/, "", words[2])
          if (words[2] != uri || words[3] != suite || done) next
          done = 1
          n = split(options, option, /[ \t]+/)
          for (i = 1; i <= n; i++) {
            if (option[i] ~ /^signed-by=/) { sub(/^signed-by=/, "", option[i]); gsub(/,/, " ", option[i]); print "Signed-By: " option[i] }
            if (option[i] ~ /^trusted=/) { sub(/^trusted=/, "", option[i]); print "Trusted: " option[i] }
          }
        }' "$1"
      ;;
  esac
}

add_backports() {
  local codename suite release component uri entry file
  codename=$(release_field VERSION_CODENAME)
  suite=$codename-backports
  if [[ $(release_field ID) != debian || -z $codename ]]; then
    die "this release has no libngtcp2-16 of version $MinimumQuicVersion or later, and backports are known for Debian only." \
      'Build or install ngtcp2 with GnuTLS yourself, then run this again.'
  fi
  local found='' targets
  # shellcheck disable=SC2016 # apt-get fills these in
  targets=$(apt-get indextargets --format '$(RELEASE)|$(COMPONENT)|$(REPO_URI)|$(SOURCESENTRY)' 'Identifier: Packages')
  while IFS='|' read -r release component uri entry; do
    [[ $release != "$suite" ]] ||
      die "$suite is configured, but has no libngtcp2-16 of version $MinimumQuicVersion or later that apt would install." \
        'See: apt-cache policy libngtcp2-16'
    [[ -z $found && $component == main && $release =~ ^($codename|stable|oldstable|oldoldstable)$ ]] || continue
    found="$release|$uri|${entry%:*}"
  done <<< "$targets"
  [[ -n $found ]] || die "no archive with the suite $codename is configured in apt; add one, then run this again."
  IFS='|' read -r release uri entry <<< "$found"
  file=/etc/apt/sources.list.d/eventmesh-backports.sources
  say "adding the suite $suite of the same archive as $release ($file)"
  {
    printf '# Added by EventMesh (eng/setup.sh) for libngtcp2, which the base suite has only in an older version.\n'
    printf 'Types: deb\nURIs: %s\nSuites: %s\nComponents: main\n' "$uri" "$suite"
    trust_fields "$entry" "$uri" "$release"
  } | as_root tee "$file" > /dev/null
  as_root chmod 0644 "$file"
  update_lists "reading the package lists of $suite"
}

# Names each package; those of ngtcp2 with the one version that the library and its headers must share.
pin_versions() { # fills wanted
  wanted=()
  local package version
  for package in "${missing[@]}"; do
    case $package in
      libngtcp2-*)
        [[ -n ${quic_version:-} ]] || quic_version=$(find_quic_version)
        [[ -n $quic_version ]] || return 1
        wanted+=("$package=$quic_version")
        ;;
      *)
        version=$(candidate "$package")
        [[ -n $version ]] || return 1
        wanted+=("$package")
        ;;
    esac
  done
}

find_quic_version() {
  local version
  version=$(installed_version libngtcp2-16)
  is_recent "$version" || version=$(candidate libngtcp2-16)
  if is_recent "$version"; then printf '%s' "$version"; fi
}

# Debian's server package makes and starts a cluster of its own when it is installed. A node has its private one, so
# that is switched off for this installation alone.
without_default_cluster() { # command
  local directory=/etc/postgresql-common/createcluster.d
  local file=$directory/eventmesh.conf made='' status=0
  [[ -d $directory ]] || made=1
  as_root mkdir -p "$directory"
  printf 'create_main_cluster = false\n' | as_root tee "$file" > /dev/null
  "$@" || status=$?
  as_root rm -f "$file"
  [[ -z $made ]] || as_root rmdir --ignore-fail-on-non-empty "$directory" 2>/dev/null || true
  return "$status"
}

install_packages() {
  say "installing ${wanted[*]}"
  if [[ " ${missing[*]} " == *' postgresql '* ]]; then
    without_default_cluster apt install --no-install-recommends "${wanted[@]}"
  else
    apt install --no-install-recommends "${wanted[@]}"
  fi
}

install_missing() {
  if ! command -v apt-get > /dev/null; then
    die "missing: ${missing[*]} (Debian's names)" \
      'This machine has no apt-get; install the same with its own package manager, then run this again.'
  fi
  become_root
  log=$(mktemp)
  trap 'rm -f "$log"' EXIT

  local fresh=''
  if ! pin_versions; then
    update_lists 'reading the package lists'
    fresh=1
    if ! pin_versions; then
      if [[ " ${missing[*]} " == *' libngtcp2-'* && -z $(find_quic_version) ]]; then add_backports; fi
      pin_versions || die "apt knows no package for some of: ${missing[*]}" 'See: apt-cache policy NAME'
    fi
  fi
  if ! install_packages; then
    # The lists may name versions that the archive has replaced since.
    if [[ -z $fresh ]]; then
      update_lists 'that failed; reading the package lists again'
      quic_version=
      pin_versions && install_packages && return
    fi
    show_log
    die "installing ${wanted[*]} failed."
  fi
}

# ---------------------------------------------------------------------------------------------------------------------

self=$(readlink -f "${BASH_SOURCE[0]}")
mode=${1:-run}
case $mode in
  run | test | check) ;;
  -h | --help)
    sed -n '2,/^set/{/^set/d;s/^# \{0,1\}//;p}' "$self"
    exit 0
    ;;
  *) die "unknown mode '$mode'; use run, test or check" ;;
esac

if ! has_dotnet; then
  [[ $mode != check ]] || exit 3
  no_dotnet
fi
if [[ $(uname -s) != Linux ]]; then
  # There System.Net.Quic brings its own library; `mesh doctor` says what else is missing.
  exit 0
fi

find_missing "$mode"
[[ ${#missing[@]} -gt 0 ]] || exit 0
[[ $mode != check ]] || exit 1
install_missing
find_missing "$mode"
[[ ${#missing[@]} -eq 0 ]] || die "still missing after the installation: ${missing[*]}"
say 'done'
