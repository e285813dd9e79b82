# How .ci/run runs its parts and counts them. Uses `logs` of its caller. What is counted and what was started stands in
# files: a lane is a shell of its own.
# shellcheck shell=bash disable=SC2154

# Of one program; `limit=20m suite ...` gives it another.
limit=12m
program=''

# part NAME COMMAND...: counts as one.
part() {
  local name=$1 code took
  timed "$@"
  code=$?
  if [ "$code" = 0 ]; then count 1 0; else count 0 1; fi
  tell "$name" "$code" "$took s"
}

# suite NAME VITEST...: writes $logs/NAME.json; each of its tests counts.
#   afresh='start_proxy 1.90' suite ...: a program of the lab may fail on a loaded machine. With a fresh one, a suite that
#   failed is run once more, and that counts; what failed at first is told in any case.
suite() {
  local name=$1 code took found
  run_tests "$@"
  if [ "$code" != 0 ] && [ -n "${afresh:-}" ]; then
    mv "$logs/$name.log" "$logs/$name at first.log"
    tell "$name at first" "$code" "$took s, once more afresh"
    $afresh >"$logs/$name afresh.log" 2>&1
    run_tests "$@"
  fi
  count_found "$name" "$code" "$took" "$found"
}

# Sets `code`, `took` and `found` ('PASSED FAILED') of its caller.
run_tests() { # NAME VITEST...
  rm -f "$logs/$1.json"
  timed "$@" --reporter=default --reporter=./.ci/errors-at-once.mjs --reporter=json --outputFile="$logs/$1.json"
  code=$?
  found=$(node -p 'const r = JSON.parse(require("fs").readFileSync(process.argv[1])); `${r.numPassedTests} ${r.numFailedTests}`' \
    "$logs/$1.json" 2>/dev/null)
}

# counted NAME COMMAND...: its last line is `N passed, N failed`.
counted() {
  local name=$1 code took found
  timed "$@"
  code=$?
  found=$(tail -n 1 "$logs/$name.log" | sed -nE 's/^([0-9]+) passed, ([0-9]+) failed$/\1 \2/p')
  count_found "$name" "$code" "$took" "$found"
}

# A command that failed without a failed test counts as a failure of its own; so does one that counted nothing.
count_found() { # NAME EXIT-CODE SECONDS 'PASSED FAILED'
  local good bad
  read -r good bad <<<"${4:-0 0}"
  if [ "$2" != 0 ] && [ "$bad" = 0 ]; then bad=1; fi
  if [ "$good" = 0 ] && [ "$bad" = 0 ]; then bad=1; fi
  count "$good" "$bad"
  tell "$1" "$bad" "$3 s: $good passed, $bad failed"
}

count() { # PASSED FAILED
  echo "$1 $2" >>"$logs/counts"
}

# Says what came of a part, with its log's end if it failed: at once, so that two lanes do not talk at the same time.
tell() { # NAME FAILURES WHAT
  if [ "$2" = 0 ]; then
    printf 'ok   %s (%s)\n' "$1" "$3"
  else
    {
      printf 'FAIL %s (%s)\n' "$1" "$3"
      { grep -aE '^ *(FAIL|×|AssertionError|Error:)' "$logs/$1.log" | head -n 60; tail -n 60 "$logs/$1.log"; } | sed 's/^/     | /'
    } >"$logs/$1.told"
    cat "$logs/$1.told"
  fi
}

# Runs a command with its output in a log of its own; sets `took` of its caller. A function sets its own limits.
timed() { # NAME COMMAND...
  local log=$logs/$1.log start=$SECONDS code
  shift
  if [ "$(type -t "$1")" = function ]; then "$@" >"$log" 2>&1; else limited "$@" >"$log" 2>&1; fi
  code=$?
  took=$((SECONDS - start))
  [ "$code" = 0 ] || echo "Exit code $code (124: not done within $limit)." >>"$log"
  return "$code"
}

# A program that hangs must not keep the others from running. In the background, because a signal to this shell would
# else wait for the program's end.
limited() {
  local code
  timeout --kill-after=10 "$limit" "$@" &
  program=$!
  wait "$program"
  code=$?
  program=''
  return "$code"
}

# What needs the network may fail once.
twice() { # COMMAND...
  "$@" || "$@"
}

stop_program() {
  [ -z "$program" ] || { kill "$program" && wait "$program"; } 2>/dev/null
}

# lanes COMMAND...: side by side, each in a shell of its own. They must share nothing: neither proxy nor variables.
lanes() {
  local lane
  for lane; do
    (
      trap 'exit 143' TERM
      trap stop_program EXIT
      "$lane"
    ) &
    lanes_running+=($!)
  done
  wait "${lanes_running[@]}"
  lanes_running=()
}

lanes_running=()

stop_lanes() {
  [ ${#lanes_running[@]} = 0 ] || { kill "${lanes_running[@]}"; wait "${lanes_running[@]}"; } 2>/dev/null
}

# Prints the last line; the exit code says whether nothing failed.
sum() {
  awk '{ good += $1; bad += $2 } END { printf "%d passed, %d failed\n", good, bad; exit bad > 0 || good == 0 }' "$logs/counts"
}

# The committed dist, file by file: nothing changed, nothing missing, nothing new.
dist_is_what_the_sources_give() {
  limited npm run -s build || return 1
  local changes
  changes=$(git status --porcelain --untracked-files=all -- dist)
  [ -n "$(git ls-files dist)" ] && [ -z "$changes" ] && return
  printf 'dist is not what the sources give: run `npm run build` and commit it.\n%s\n' "$changes"
  return 1
}
