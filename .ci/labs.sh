# The real programs that .ci/run needs: installs them, starts them, stops what it started. Uses `lab` and `logs` of its
# caller, and parts.sh.
# shellcheck shell=bash disable=SC1090,SC1091,SC2034,SC2154

# Tests that need one of these are skipped without it: here that must be seen.
programs=(tinyproxy openssl ip chromium psql postfix saslpasswd2)
packages=(tinyproxy openssl iproute2 chromium postgresql postfix sasl2-bin libsasl2-modules)

# All at once and before the lanes: there is one apt-get at a time.
install_tools() {
  export DEBIAN_FRONTEND=noninteractive CHROMIUM
  if [ -n "$(missing)" ]; then
    limited apt-get update -q -o Acquire::Retries=3
    echo 'postfix postfix/main_mailer_type select No configuration' | debconf-set-selections
    limited apt-get install -qy --no-install-recommends -o Acquire::Retries=3 "${packages[@]}"
  fi
  # Debian keeps initdb off the path; the proxies' lab would look for it with apt-get, every time.
  command -v initdb >/dev/null || PATH=$PATH:$(find /usr/lib/postgresql -name initdb -printf '%h\n' | sort -V | tail -n 1)
  CHROMIUM=$(command -v chromium)
  missing
  [ -z "$(missing)" ]
}

missing() {
  local name
  for name in "${programs[@]}"; do command -v "$name" >/dev/null || echo "$name is missing."; done
  [ -n "$(find /usr/lib -name libplain.so -print -quit)" ] || echo "SASL's plain log-in is missing."
}

# Sets AGE_BIN, the folder of the programs of filippo.io/age, for the test that compares with them.
install_age() {
  local found
  if found=$(command -v age-keygen); then
    AGE_BIN=$(dirname "$found")
  else
    AGE_BIN=$logs/age
    GOBIN=$AGE_BIN limited go install filippo.io/age/cmd/{age,age-keygen}@v1.2.1 || return 1
  fi
  export AGE_BIN
}

# start_proxy VERSION [LAB]: with an empty database; names it for the tests. One that still runs is replaced.
start_proxy() {
  started proxy "$1"
  limited "${2:-$lab/litellm-proxy}/up" --litellm "$1" --fresh >"$logs/proxy-$1.env" || return 1
  . "$logs/proxy-$1.env"
  export LITELLM_VERSION=$1 LITELLM_DATABASE_URL
  LITELLM_DATABASE_URL=$(database_of "$1")
}

# For what no call of the proxy brings about: tests write it into the tables, with psql.
database_of() { # VERSION
  (
    litellm=$1
    . "$lab/litellm-proxy/lib.sh"
    echo "postgresql://litellm@127.0.0.1:$(postgres_port)/litellm"
  )
}

start_proxy_with_default_budget() { # VERSION
  lab_with_default_budget "$1" && start_proxy "$1" "$logs/default-budget-$1"
}

# A copy of the lab whose proxy has a default budget, which only its configuration can give it.
lab_with_default_budget() { # VERSION
  local copy=$logs/default-budget-$1
  mkdir -p "$copy" && cp -r "$lab/litellm-proxy/." "$copy" || return 1
  sed -i 's/^litellm_settings:$/&\n  max_internal_user_budget: 10\n  internal_user_budget_duration: 30d/' "$copy/config.yaml"
  grep -q '^  max_internal_user_budget: 10$' "$copy/config.yaml"
}

stop_proxy() { # VERSION
  "$lab/litellm-proxy/down" --litellm "$1" >/dev/null 2>&1
}

# The first time, the forge is built; that takes some minutes, and the other lane's tests come first.
start_forge() {
  limited nice -n 15 "$lab/runner/install" forge || return 1
  started forge
  limited "$lab/runner/forge-up" >/dev/null || return 1
  set -a
  . "$FORGE_STATE/env"
  set +a
}

# In a folder of its own at the top: the mail server's users may not enter `logs`. On a port that is free, and twice if
# another took it meanwhile.
start_mail() {
  local tries
  for tries in 1 2; do
    mail=$(mktemp -d)
    started mail "$mail"
    SMTP_REAL_PORT=$(free_port) limited .ci/mail.sh up "$mail" >"$logs/mail.env" && return
    echo "Not at try $tries."
  done
  return 1
}

free_port() {
  node -e 'const s = require("net").createServer().listen(0, "127.0.0.1", () => { console.log(s.address().port); s.close(); })'
}

# started KIND [WHICH]: for stop_labs.
started() {
  echo "$*" >>"$logs/started"
}

# Twice stopped does no harm: all that was ever started.
stop_labs() {
  local kind which
  [ -e "$logs/started" ] || return 0
  while read -r kind which; do
    case $kind in
      proxy) stop_proxy "$which" ;;
      forge) "$lab/runner/forge-down" ;;
      mail) .ci/mail.sh down "$which" ;;
    esac </dev/null >/dev/null 2>&1
  done <"$logs/started"
}
