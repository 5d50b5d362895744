# shellcheck shell=bash
# What the scripts share. Sourced, never run.

# Exit code for "cannot provide an environment", the same as the tool's own.
# shellcheck disable=SC2034 # used by those that source this
readonly EXIT_NO_ENVIRONMENT=3

repository_root() {
  cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd
}

say() {
  printf '==> %s\n' "$*" >&2
}

# die CODE SENTENCE
die() {
  local code=$1
  shift
  printf 'error: %s\n' "$*" >&2
  exit "$code"
}

has() {
  command -v "$1" >/dev/null 2>&1
}

is_root() {
  [[ $(id -u) -eq 0 ]]
}

is_debian() {
  # shellcheck source=/dev/null
  has apt-get && [[ -r /etc/os-release ]] && (. /etc/os-release && [[ " ${ID:-} ${ID_LIKE:-} " == *" debian "* ]])
}

# A client without an engine prints its own version and fails, so ask for the server's.
engine_answers() {
  has docker && timeout 10 docker version --format '{{.Server.Version}}' >/dev/null 2>&1
}

# One apt-get update for each script run; lists older than the machine's snapshot name packages that are gone.
APT_LISTS_ARE_FRESH=no
apt_update() {
  [[ $APT_LISTS_ARE_FRESH == yes ]] && return
  # A third-party source that is down must not stop us: what is really missing shows when it is installed.
  apt_get update -qq || say "apt-get update had errors (above); going on"
  APT_LISTS_ARE_FRESH=yes
}

apt_install() {
  apt_update
  apt_get install -qq -y --no-install-recommends "$@" >&2
}

# Waits for another apt instead of failing, and never asks anything.
apt_get() {
  DEBIAN_FRONTEND=noninteractive NEEDRESTART_SUSPEND=1 apt-get -o DPkg::Lock::Timeout=300 "$@" </dev/null
}

# rustc links with it, and the bundled SQLite is C.
need_c_compiler() {
  has cc && return
  if ! is_root || ! is_debian; then
    die 2 "a C compiler is missing: install one (on Debian: sudo apt-get install build-essential) and run this again"
  fi
  say "a C compiler is missing: installing build-essential"
  apt_install build-essential
}

# phase NAME COMMAND...: runs the command and says how long it took, also when it failed.
phase() {
  local name=$1 started=$SECONDS code=0
  shift
  say "$name"
  "$@" || code=$?
  if [[ $code -eq 0 ]]; then
    say "$name: done in $((SECONDS - started)) s"
  else
    say "$name: FAILED with exit code $code after $((SECONDS - started)) s"
  fi
  return "$code"
}
