#!/bin/sh
# The dbt of .venv-transform, or how to get it: Meltano says nothing of a program that is not there.
set -eu
dbt=$(dirname "$0")/../.venv-transform/bin/dbt
if [ ! -x "$dbt" ]; then
  echo "dbt is not installed here. Install it: python3 -m venv .venv-transform, then" \
    ".venv-transform/bin/pip install -r requirements/transform.txt" >&2
  exit 1
fi
exec "$dbt" "$@"
