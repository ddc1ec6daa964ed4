#!/usr/bin/env bash
# Evaluate under Slurm: slurm_test.sh PARTITION JOB_NAME CONFIG CHECKPOINT [arguments of test.py]
# Environment: GPUS (all processes, default 8), GPUS_PER_NODE (8), CPUS_PER_TASK (5), SRUN_ARGS (more for srun).
set -euo pipefail
if [ $# -lt 4 ]; then
    echo "usage: $0 PARTITION JOB_NAME CONFIG CHECKPOINT [arguments of test.py]" >&2
    exit 2
fi
source "$(dirname "$0")/_python.sh"
partition="$1" name="$2" config="$3" checkpoint="$4"
shift 4
slurm_launch "$partition" "$name" test.py "$config" "$checkpoint" "$@"
