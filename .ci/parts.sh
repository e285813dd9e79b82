# How .ci/run runs its parts and counts them. Uses `logs`, `passed` and `failed` of its caller.
# shellcheck shell=bash disable=SC2154

# part NAME COMMAND...: counts as one.
part() {
  if logged "$@"; then count 1 0; else count 0 1; fi
}

# For what needs the network, which may fail once.
twice() { # COMMAND...
  "$@" || "$@"
}

# suite NAME COMMAND...: vitest, which writes $logs/NAME.json; each of its tests counts.
suite() {
  local name=$1 code found
  within_time "$@"
  code=$?
  found=$(node -p 'const r = JSON.parse(require("fs").readFileSync(process.argv[1])); `${r.numPassedTests} ${r.numFailedTests}`' \
    "$logs/$name.json" 2>/dev/null)
  count_found "$code" "$found"
}

# counted NAME COMMAND...: its last line is `N passed, N failed`.
counted() {
  local name=$1 code found
  within_time "$@"
  code=$?
  found=$(tail -n 1 "$logs/$name.log" | sed -nE 's/^([0-9]+) passed, ([0-9]+) failed$/\1 \2/p')
  count_found "$code" "$found"
}

# A program that hangs must not keep the others from running.
within_time() { # NAME COMMAND...
  local name=$1
  shift
  logged "$name" timeout --kill-after=10 12m "$@"
}

# A command that failed without a failed test counts as a failure of its own; so does one that counted nothing.
count_found() { # EXIT-CODE 'PASSED FAILED'
  local good bad
  read -r good bad <<<"${2:-0 0}"
  if [ "$1" != 0 ] && [ "$bad" = 0 ]; then bad=1; fi
  if [ "$good" = 0 ] && [ "$bad" = 0 ]; then bad=1; fi
  printf '     %s passed, %s failed\n' "$good" "$bad"
  count "$good" "$bad"
}

count() {
  passed=$((passed + $1))
  failed=$((failed + $2))
}

# Runs a command with its output in a log of its own; shows the log's end if it fails.
logged() { # NAME COMMAND...
  local name=$1 start=$SECONDS code
  shift
  "$@" >"$logs/$name.log" 2>&1
  code=$?
  if [ "$code" = 0 ]; then
    printf 'ok   %s (%s s)\n' "$name" $((SECONDS - start))
  else
    printf 'FAIL %s (%s s, exit %s)\n' "$name" $((SECONDS - start)) "$code"
    { grep -aE '^ *(FAIL|×|AssertionError|Error:)' "$logs/$name.log" | head -n 60; tail -n 60 "$logs/$name.log"; } | sed 's/^/     | /'
  fi
  return "$code"
}

# The committed dist, file by file: nothing changed, nothing missing, nothing new.
dist_is_what_the_sources_give() {
  npm run -s build || return 1
  local changes
  changes=$(git status --porcelain --untracked-files=all -- dist)
  [ -n "$(git ls-files dist)" ] && [ -z "$changes" ] && return
  printf 'dist is not what the sources give: run `npm run build` and commit it.\n%s\n' "$changes"
  return 1
}
