#!/bin/bash
# From a Singer tap into a Singer target, from the last state on:
#   scripts/sync.sh STATE_FILE TAP [ARGUMENT...] -- TARGET [ARGUMENT...]
# The state file gets a line for each state that the target confirms; the last one counts.
set -euo pipefail

if [ $# -lt 4 ]; then
  sed -n 's/^#   /Usage: /p' "$0" >&2
  exit 2
fi
states=$1
shift
tap=()
while [ $# -gt 0 ] && [ "$1" != -- ]; do
  tap+=("$1")
  shift
done
if [ $# -lt 2 ] || [ ${#tap[@]} -eq 0 ]; then
  echo "$0: say TAP [ARGUMENT...] -- TARGET [ARGUMENT...]" >&2
  exit 2
fi
shift

touch "$states"
last=$(mktemp)
trap 'rm -f "$last"' EXIT
# A run that was cut short may leave an empty line, or a broken one, at the end.
grep '^{.*}[[:space:]]*$' "$states" | tail -n 1 > "$last" || true
cp "$last" "$states"

status=0
"${tap[@]}" --state "$last" | "$@" >> "$states" || status=$?

# One line is all that the next run needs.
if grep '^{.*}[[:space:]]*$' "$states" | tail -n 1 > "$last" && [ -s "$last" ]; then
  cp "$last" "$states"
fi
exit "$status"
