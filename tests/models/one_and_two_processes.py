"""Alternate joint learning in one process and in two, of which the second never sees a pair.

``python -m tests.models.one_and_two_processes TYPE`` prints, as last line, the gradient norms and losses of both
trainings as JSON. Processes are forked before any computation, which spares their imports.
"""

import json
import os
import sys
import tempfile

import torch
import torch.distributed as dist
from torch.nn.parallel import DistributedDataParallel

from tests.models.tiny import random_batch, tiny_model

COUNTS = [2, 1, 0, 0]  # pairs of the four images; the second process gets the last two
# Nothing is drawn, so that processes differ in their data only.
MINING = dict(
    type="JointLearning",
    miners=dict(
        gbs=dict(type="GBSQueryGenerator", embed_dims=32, shift=None),
        amm=dict(type="AMMQueryGenerator", top_k=20, gamma=0.0),
    ),
    rounds=[["gbs"], ["amm"]],
)


def train(detector, rows):
    """Four iterations on the given images; gradient norm and summed loss of each, and the rounds."""
    inputs, samples = random_batch(COUNTS)
    inputs, samples = inputs[rows], [samples[row] for row in rows]
    plain = tiny_model(type=detector, query_mining=MINING)
    model = DistributedDataParallel(plain) if dist.is_initialized() else plain
    optimizer = torch.optim.SGD(model.parameters(), 1e-3)
    trace, rounds = [], []
    for iteration in range(4):
        plain.query_mining.take_round(iteration)
        rounds += plain.query_mining.chains()[0]
        loss = sum(model(inputs, samples, mode="loss").values())
        optimizer.zero_grad()
        loss.backward()
        gradients = [p.grad.flatten() for p in model.parameters() if p.requires_grad]
        trace.append((torch.cat(gradients).norm().item(), loss.item()))
        optimizer.step()
    return trace, rounds


def second_process(detector, store):
    """Rank 1."""
    dist.init_process_group("gloo", init_method=f"file://{store}", rank=1, world_size=2)
    trace, _ = train(detector, [2, 3])
    dist.all_reduce(torch.tensor([loss for _, loss in trace]))
    dist.destroy_process_group()


def main(detector):
    """Rank 0, then one process alone."""
    torch.set_num_threads(1)
    with tempfile.TemporaryDirectory() as folder:
        store = os.path.join(folder, "store")
        pid = os.fork()
        if pid == 0:
            status = 1
            try:
                second_process(detector, store)
                status = 0
            finally:
                os._exit(status)
        dist.init_process_group("gloo", init_method=f"file://{store}", rank=0, world_size=2)
        trace, rounds = train(detector, [0, 1])
        losses = torch.tensor([loss for _, loss in trace])
        dist.all_reduce(losses)
        dist.destroy_process_group()
        if os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]):
            sys.exit("the second process failed")
    double = [(norm, loss) for (norm, _), loss in zip(trace, (losses / 2).tolist(), strict=True)]
    single, _ = train(detector, [0, 1, 2, 3])
    print(json.dumps(dict(rounds=rounds, double=double, single=single)))


if __name__ == "__main__":
    main(sys.argv[1])
