#!/usr/bin/env bash
# Every check of the project, from a fresh clone on Debian with Rust and git:
#
#     bash tests/run.sh [arguments for `cargo nextest run`]
#
# What the tests need besides is prepared first, inside the checkout (.tools/); only Debian's
# packages go elsewhere, and only for root. With CI set, a missing program is a failure; without,
# the tests that need it say so and are skipped. The last lines are the test runner's summary.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

nextest=0.9.143
deny=0.20.2
log=.tools/log
stamps=.tools/stamp
mkdir -p "$log" "$stamps"
export PATH="$PWD/.tools/bin:$PATH:/usr/sbin:/sbin"

say() { printf '%s\n' "$*"; }

# A laptop goes on without it; CI does not.
lacking() {
  say "missing: $*"
  if [[ -n "${CI:-}" ]]; then exit 1; fi
}

# logged NAME COMMAND...: quiet unless it fails.
logged() {
  local name=$1
  shift
  if ! "$@" >"$log/$name.log" 2>&1; then
    cat "$log/$name.log"
    return 1
  fi
}

# once NAME INPUT COMMAND...: COMMAND, unless it succeeded before with the same INPUT.
once() {
  local name=$1 sum
  sum=$(printf '%s' "$2" | sha256sum | cut -d' ' -f1)
  shift 2
  if [[ -f "$stamps/$name" && "$(<"$stamps/$name")" == "$sum" ]]; then return 0; fi
  say "preparing: $name"
  rm -f "$stamps/$name"
  logged "$name" "$@" || return 1
  printf '%s\n' "$sum" >"$stamps/$name"
}

# --- what the tests need ---------------------------------------------------------------------

# program:package, for what a fresh Debian may lack.
wanted=(age:age cc:gcc curl:curl eyaml:hiera-eyaml faketime:faketime gpg:gnupg lighttpd:lighttpd
  node:nodejs npm:npm openssl:openssl python3:python3 ssh:openssh-client sshd:openssh-server)

debian() {
  local packages=() pair
  for pair in "${wanted[@]}"; do
    command -v "${pair%%:*}" >/dev/null || packages+=("${pair#*:}")
  done
  if ! python3 -c 'import ensurepip, venv' 2>/dev/null; then packages+=(python3-venv); fi
  if ((${#packages[@]} == 0)); then return 0; fi
  if ((EUID != 0)) || ! command -v apt-get >/dev/null; then
    lacking "${packages[*]}; type: sudo apt-get update && sudo apt-get install -y ${packages[*]}"
    return 0
  fi
  say "preparing: ${packages[*]}"
  if ! logged apt-update apt-get -q update ||
    ! DEBIAN_FRONTEND=noninteractive \
      logged apt-install apt-get -qy --no-install-recommends install "${packages[@]}"; then
    lacking "${packages[*]}: apt-get could not install them"
  fi
}

venv() {
  rm -rf .tools/venv &&
    python3 -m venv .tools/venv &&
    .tools/venv/bin/python -m pip install --quiet --requirement tests/requirements.txt
}

emulate() {
  mkdir -p .tools/npm &&
    cp tests/package.json .tools/npm/package.json &&
    npm install --prefix .tools/npm --no-audit --no-fund --no-package-lock
}

# built NAME VERSION: a cargo tool from source. It runs for seconds: compiling fast matters more.
built() {
  once "$1" "$2" env CARGO_PROFILE_RELEASE_LTO=off CARGO_PROFILE_RELEASE_CODEGEN_UNITS=16 \
    CARGO_PROFILE_RELEASE_OPT_LEVEL=1 cargo install --locked --force --root .tools "$1@$2" || {
    say "$1 cannot be installed"
    exit 1
  }
}

debian
once venv "$(python3 --version 2>&1) $(cat tests/requirements.txt)" venv ||
  lacking "the Python packages of tests/requirements.txt"
once emulate "$(cat tests/package.json)" emulate || lacking "emulate, from tests/package.json"
if ! cargo nextest --version >/dev/null 2>&1; then built cargo-nextest "$nextest"; fi
if [[ "$(cargo deny --version 2>/dev/null)" != "cargo-deny $deny" ]]; then built cargo-deny "$deny"; fi

# --- the checks ------------------------------------------------------------------------------

say "checking: format"
cargo fmt --check
say "checking: clippy"
cargo clippy --quiet --locked --all-targets -- -D warnings
say "checking: bans, licenses, sources"
cargo deny --locked --log-level error check bans licenses sources
if timeout 60 cargo deny --locked fetch db >"$log/advisories.log" 2>&1; then
  say "checking: advisories"
  cargo deny --locked --offline --log-level error check advisories
else
  say "advisories: not checked (the database cannot be reached)"
fi
say "checking: examples in the documentation"
logged doc cargo test --quiet --locked --doc
exec cargo nextest run --locked "$@"
