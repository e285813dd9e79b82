# The real programs that .ci/run needs: starts them, stops what it started. Uses `lab` and `logs` of its caller.
# shellcheck shell=bash disable=SC2154

proxy_started='' old_proxy_started='' forge_started='' old_proxy=()

start_proxy() {
  proxy_started=yes
  "$lab/litellm-proxy/up" --fresh >"$logs/proxy.env" || return 1
  . "$logs/proxy.env"
}

# Beside the other one. Sets `old_proxy`: the variables that name it, for `env`.
start_old_proxy() {
  old_proxy_started=yes
  "$lab/litellm-proxy/up" --litellm 1.75 --fresh >"$logs/old-proxy.env" || return 1
  mapfile -t old_proxy < <(sed -n 's/^export //p' "$logs/old-proxy.env")
  old_proxy+=("${old_proxy[@]/#LITELLM_/LITELLM_1_75_}")
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
  [ -z "$forge_started" ] || "$lab/runner/forge-down" >/dev/null 2>&1
  [ -z "$old_proxy_started" ] || "$lab/litellm-proxy/down" --litellm 1.75 >/dev/null 2>&1
  [ -z "$proxy_started" ] || "$lab/litellm-proxy/down" >/dev/null 2>&1
}
