#!/usr/bin/env bash
# Evaluate with N processes on this machine: dist_test.sh CONFIG CHECKPOINT N [arguments of test.py]
# Several machines: set NNODES, NODE_RANK, MASTER_ADDR and PORT on each.
set -euo pipefail
if [ $# -lt 3 ]; then
    echo "usage: $0 CONFIG CHECKPOINT N [arguments of test.py]" >&2
    exit 2
fi
source "$(dirname "$0")/_python.sh"
config="$1" checkpoint="$2" number="$3"
shift 3
launch "$number" test.py "$config" "$checkpoint" "$@"
