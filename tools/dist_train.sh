#!/usr/bin/env bash
# Train with N processes on this machine: dist_train.sh CONFIG N [arguments of train.py]
# Several machines: set NNODES, NODE_RANK, MASTER_ADDR and PORT on each.
# MAX_RESTARTS=N: up to N times, start all processes anew when one ends badly, and go on from the newest checkpoint.
set -euo pipefail
if [ $# -lt 2 ]; then
    echo "usage: $0 CONFIG N [arguments of train.py]" >&2
    exit 2
fi
source "$(dirname "$0")/_python.sh"
config="$1" number="$2"
shift 2
launch "$number" train.py "$config" "$@"
