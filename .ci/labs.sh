# The real programs that .ci/run needs: starts them, stops what it started. Uses `lab` and `logs` of its caller.
# shellcheck shell=bash disable=SC1090,SC1091,SC2034,SC2154

# The last one stays, for the parts that need one proxy more.
proxy_versions=(1.75 1.82 1.90 1.110 1.106)
proxies_started=() forge_started='' mail_started=''

# start_proxy VERSION: with an empty database; names it for the tests.
start_proxy() {
  proxies_started+=("$1")
  "$lab/litellm-proxy/up" --litellm "$1" --fresh >"$logs/proxy-$1.env" || return 1
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

stop_proxy() { # VERSION
  "$lab/litellm-proxy/down" --litellm "$1" >/dev/null 2>&1
}

# The first time, the forge is built; that takes some minutes.
start_forge() {
  "$lab/runner/install" forge || return 1
  forge_started=yes
  "$lab/runner/forge-up" >/dev/null || return 1
  set -a
  . "$FORGE_STATE/env"
  set +a
}

# Tests that need one of these are skipped without it: here that must be seen.
install_tools() {
  command -v tinyproxy && command -v openssl && command -v ip && return
  apt-get update -q && DEBIAN_FRONTEND=noninteractive apt-get install -qy --no-install-recommends tinyproxy openssl iproute2 || return 1
  command -v tinyproxy && command -v openssl
}

# In a folder of its own at the top: the mail server's users may not enter `logs`.
start_mail() {
  mail_started=$(mktemp -d)
  .ci/mail.sh up "$mail_started" >"$logs/mail.env"
}

stop_mail() {
  [ -z "$mail_started" ] || .ci/mail.sh down "$mail_started" >/dev/null 2>&1
  mail_started=''
}

install_browser() {
  export CHROMIUM
  CHROMIUM=$(command -v chromium) && return
  apt-get update -q && DEBIAN_FRONTEND=noninteractive apt-get install -qy --no-install-recommends chromium || return 1
  CHROMIUM=$(command -v chromium)
}

# Sets AGE_BIN, the folder of the programs of filippo.io/age, for the test that compares with them.
install_age() {
  local found
  if found=$(command -v age-keygen); then
    AGE_BIN=$(dirname "$found")
  else
    AGE_BIN=$logs/age
    GOBIN=$AGE_BIN go install filippo.io/age/cmd/{age,age-keygen}@v1.2.1 || return 1
  fi
  export AGE_BIN
}

stop_labs() {
  stop_mail
  [ -z "$forge_started" ] || "$lab/runner/forge-down" >/dev/null 2>&1
  for version in "${proxies_started[@]}"; do stop_proxy "$version"; done
}
