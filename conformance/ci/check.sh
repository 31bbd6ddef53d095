#!/bin/sh
# Judges a WebSocket server or client on a CI machine, or at home: builds the harness once, runs
# it, and leaves the report, in every form that somebody may want to read, in websocket-report/.
#
#   conformance/ci/check.sh --role server --server-command 'node server.js' --server-url ws://127.0.0.1:9001
#
# All arguments go to `cloverleaf check`; its exit code is this script's: 0 all as expected,
# 1 failures, 2 usage, 3 the subject cannot be reached or the run is incomplete.
#
# CLOVERLEAF_ROOT  where the harness is installed, worth caching (default: ~/.cache/cloverleaf-ci)
# CLOVERLEAF_OUT   the folder for the report (default: websocket-report)
set -eu

here=$(CDPATH='' cd -- "$(dirname -- "$0")" && pwd)
root=${CLOVERLEAF_ROOT:-$HOME/.cache/cloverleaf-ci}
out=${CLOVERLEAF_OUT:-websocket-report}

if ! command -v cargo >/dev/null; then
    echo "check.sh: building the harness needs cargo (https://rustup.rs)" >&2
    exit 2
fi
# Does nothing if this very version is there already.
cargo install --quiet --locked --path "$here/.." --root "$root" >&2

formats=html,json,junit,markdown
if [ "${GITHUB_ACTIONS:-}" = true ]; then
    # Annotations on the run, and the tables in the step's summary.
    formats=$formats,github
fi
exec "$root/bin/cloverleaf" check --out "$out" --format "$formats" "$@"
