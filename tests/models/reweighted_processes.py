"""Trains the tiny QPIC with re-weighting and frozen parts in two processes; ``reweighted_processes.py FOLDER``.

Each process writes ``rank{r}.pth``: its queues after every iteration and its model's state at the end.
"""

import sys
from pathlib import Path

import torch
import torch.distributed as dist
import torch.multiprocessing as mp
from torch.nn.parallel import DistributedDataParallel

from tests.models.reweighted import HQM, reweighted_model
from tests.models.tiny import random_batch

COUNTS, ITERATIONS = [3, 1, 0, 2], 3  # pairs per image; process 1 has the last two images


def train(rank: int, world_size: int, query_mining: dict | None = None) -> dict:
    """Queues after every iteration, and the final state."""
    model = reweighted_model(query_mining=query_mining, trainable=[r"decoder\.", "bbox_head", "query_(embed|mining)"])
    wrapped = DistributedDataParallel(model, broadcast_buffers=False) if world_size > 1 else model
    optimizer = torch.optim.AdamW(model.parameters(), 1e-3)
    share = slice(rank * len(COUNTS) // world_size, (rank + 1) * len(COUNTS) // world_size)
    queues = []
    for iteration in range(ITERATIONS):
        if query_mining:
            model.query_mining.take_round(iteration)
        inputs, samples = random_batch(COUNTS, seed=iteration)
        losses = wrapped(inputs[share], samples[share], mode="loss")
        optimizer.zero_grad()
        sum(losses.values()).backward()
        optimizer.step()
        head = model.bbox_head
        queues.append([part.queue.clone() for part in (head.obj_reweighting, head.verb_reweighting)])
    return dict(queues=queues, state=model.state_dict())


def run(rank: int, folder: str) -> None:
    """One process."""
    dist.init_process_group("gloo", init_method=f"file://{folder}/store", rank=rank, world_size=2)
    torch.save(dict(plain=train(rank, 2), hqm=train(rank, 2, HQM)), Path(folder) / f"rank{rank}.pth")
    dist.destroy_process_group()


if __name__ == "__main__":
    mp.start_processes(run, (sys.argv[1],), nprocs=2, start_method="fork")
