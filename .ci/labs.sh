# The real programs that .ci/run needs: starts them, stops what it started. Uses `lab` and `logs` of its caller.
# shellcheck shell=bash disable=SC2154

proxy_started='' forge_started=''

start_proxy() {
  proxy_started=yes
  "$lab/litellm-proxy/up" --fresh >"$logs/proxy.env" || return 1
  . "$logs/proxy.env"
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

stop_labs() {
  [ -z "$forge_started" ] || "$lab/runner/forge-down" >/dev/null 2>&1
  [ -z "$proxy_started" ] || "$lab/litellm-proxy/down" >/dev/null 2>&1
}
