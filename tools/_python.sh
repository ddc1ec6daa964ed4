# Sourced by the launch scripts: which Python, how many threads, which port.
TOOLS="$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)"

# The active environment; without one, the checkout's .venv.
if [ -z "${PYTHON:-}" ]; then
    PYTHON=python
    if [ -z "${VIRTUAL_ENV:-}${CONDA_PREFIX:-}" ] && [ -x "$TOOLS/../.venv/bin/python" ]; then
        PYTHON="$TOOLS/../.venv/bin/python"
    fi
fi

# One thread per process: several processes share the cores.
export OMP_NUM_THREADS="${OMP_NUM_THREADS:-1}"

# A port that is free on this machine.
free_port() {
    "$PYTHON" -c "import socket; s = socket.socket(); s.bind(('127.0.0.1', 0)); print(s.getsockname()[1])"
}

# launch N SCRIPT ARGUMENTS...: N processes of a tool on this machine; over several machines with
# NNODES, NODE_RANK, MASTER_ADDR and PORT set on each. With MAX_RESTARTS they are started anew when one of them ends
# badly; a training then goes on from its newest checkpoint.
launch() {
    local number="$1" script="$2"
    shift 2
    "$PYTHON" -m torch.distributed.run \
        --nnodes="${NNODES:-1}" --node_rank="${NODE_RANK:-0}" --nproc_per_node="$number" \
        --max-restarts="${MAX_RESTARTS:-0}" \
        --master_addr="${MASTER_ADDR:-127.0.0.1}" --master_port="${PORT:-$(free_port)}" \
        "$TOOLS/$script" "$@" --launcher pytorch
}

# slurm_launch PARTITION JOB_NAME SCRIPT ARGUMENTS...: a process per GPU, started by srun.
slurm_launch() {
    local partition="$1" name="$2" script="$3"
    local gpus="${GPUS:-8}" per_node="${GPUS_PER_NODE:-8}"
    shift 3
    if [ "$per_node" -gt "$gpus" ]; then per_node="$gpus"; fi
    # shellcheck disable=SC2086  # SRUN_ARGS holds several words
    srun -p "$partition" --job-name="$name" --gres="gpu:$per_node" --ntasks="$gpus" --ntasks-per-node="$per_node" \
        --cpus-per-task="${CPUS_PER_TASK:-5}" --kill-on-bad-exit=1 ${SRUN_ARGS:-} \
        "$PYTHON" -u "$TOOLS/$script" "$@" --launcher slurm
}
