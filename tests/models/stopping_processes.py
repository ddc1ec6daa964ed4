"""Two processes, the second of which gets an image that makes the outputs NaN.

``python -m tests.models.stopping_processes TYPE COUNT`` trains one step; the first process has ``COUNT`` pairs. Prints
a line of JSON per process: the error's class and message.
"""

import json
import os
import sys
import tempfile

import torch
import torch.distributed as dist
from torch.nn.parallel import DistributedDataParallel

from tests.models.tiny import random_batch, tiny_model
from tests.models.tiny_hotr import tiny_hotr


def step(rank, detector, count):
    """The error that ends the step."""
    inputs, samples = random_batch([count if rank == 0 else 2])
    if rank == 1:
        inputs[:] = float("nan")
        samples[0].set_metainfo(dict(img_path="damaged.jpg"))
    model = tiny_hotr() if detector == "HOTR" else tiny_model(type=detector)
    model = DistributedDataParallel(model)
    try:
        model(inputs, samples, mode="loss")
    except Exception as error:
        return dict(rank=rank, error=type(error).__name__, message=str(error))
    return dict(rank=rank, error=None, message="")


def run(rank, store, detector, count):
    """One process."""
    torch.set_num_threads(1)
    dist.init_process_group("gloo", init_method=f"file://{store}", rank=rank, world_size=2)
    line = json.dumps(step(rank, detector, count))
    os.write(1, f"{line}\n".encode())  # one write, so that lines of two processes do not mix
    dist.barrier()
    dist.destroy_process_group()


def main(detector, count):
    """Both processes."""
    with tempfile.TemporaryDirectory() as folder:
        store = os.path.join(folder, "store")
        pid = os.fork()
        if pid == 0:
            status = 1
            try:
                run(1, store, detector, count)
                status = 0
            finally:
                os._exit(status)
        run(0, store, detector, count)
        os.waitpid(pid, 0)


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]))
