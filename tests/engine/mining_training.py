"""Training of a tiny detector with mining in two processes, one of which never sees a pair.

Run as a script it reads requests, one JSON dict per line with the arguments of :func:`main`, forks two processes for
each (which spares the imports), and answers with a line ``status A B``. Each process appends, per iteration, its round
and a digest of the model's parameters to ``WORK_DIR/rank_N.jsonl``; what it prints goes to ``WORK_DIR/rank_N.log``.
"""

import hashlib
import json
import os
import sys
import uuid
from functools import partial
from pathlib import Path

import mmengine.runner.runner
import torch
from mmengine.config import Config
from mmengine.hooks import Hook
from mmengine.model import is_model_wrapper
from torch.utils.data import Dataset

from hqm_mmdet.registry import DATASETS, HOOKS
from hqm_mmdet.utils.distributed import join_processes, leave_processes
from hqm_mmdet.utils.launch import build_runner
from tests.models.tiny import random_batch, tiny_config
from tests.models.tiny_hotr import tiny_hotr_config
from tests.models.tiny_text import CONFIGS as TEXT_CONFIGS

ROUNDS = dict(ajl=[["gbs"], ["amm"]], pjl=[["gbs", "amm"]], cjl=[[["gbs", "amm"]]])
HOOK_NAMES = ("RandomStateHook", "FiniteLossHook", "AJLHook", "WeightCheckHook", "DigestHook")
FSDP = Path(__file__).parents[2] / "configs" / "_base_" / "strategies" / "fsdp.py"
LENGTH = 12  # two processes, one image each: 6 iterations per epoch
mmengine.runner.runner.collect_env = dict  # asks compilers for their versions, which takes longer than training


@DATASETS.register_module(force=True)
class HalfEmptyDataset(Dataset):
    """Images at odd places have no pair; without shuffling, the sampler gives them to the second process."""

    def __len__(self):
        return LENGTH

    def __getitem__(self, index):
        inputs, samples = random_batch([0 if index % 2 else 1 + index % 3], seed=index)
        return dict(inputs=inputs[0], data_samples=samples[0])


@HOOKS.register_module(force=True)
class DigestHook(Hook):
    """Writes down what has to be equal everywhere, and what must not be."""

    priority = "LOW"

    def after_train_iter(self, runner, batch_idx, data_batch=None, outputs=None):
        wrapped = is_model_wrapper(runner.model)
        model = runner.model.module if wrapped else runner.model
        digest = hashlib.sha256()
        for parameter in model.parameters():
            digest.update(parameter.detach().numpy().tobytes())
        line = dict(
            iter=runner.iter,
            round=model.query_mining.current_round,
            loss=outputs["loss"].item(),
            parameters=digest.hexdigest(),
            finds_unused=wrapped and getattr(runner.model, "find_unused_parameters", False),
            pairs=sum(len(sample.gt_pairs) for sample in data_batch["data_samples"]),
            hard=sorted(name for name in outputs if name.startswith(("gbs", "amm"))),
        )
        with open(Path(runner.work_dir) / f"rank_{os.environ['RANK']}.jsonl", "a") as file:
            file.write(json.dumps(line) + "\n")


def build_config(
    work_dir, strategy="ajl", accumulate=1, amp=False, resume=None, detector="QPIC", max_norm=None, sharded=False
):
    """Config of the training; stops after two epochs of six iterations. ``sharded``: by FSDP."""
    text = TEXT_CONFIGS.get(detector.lower())
    miners = dict(
        gbs=dict(type="GBSQueryGenerator", embed_dims=64 if text else 32),  # two queries per pair
        amm=dict(type="AMMQueryGenerator", top_k=8),
    )
    mining = dict(type="JointLearning", miners=miners, rounds=ROUNDS[strategy])
    loader = dict(
        batch_size=1,
        num_workers=0,
        dataset=dict(type="HalfEmptyDataset"),
        sampler=dict(type="ResumableSampler", shuffle=False),
    )
    make = text or (tiny_hotr_config if detector == "HOTR" else partial(tiny_config, detector))
    fragment = Config.fromfile(FSDP).to_dict() if sharded else {}
    return Config(
        dict(
            make(query_mining=mining),
            default_scope="hqm_mmdet",
            work_dir=str(work_dir),
            experiment_name=f"{Path(work_dir).name}_{uuid.uuid4()}",
            train_dataloader=loader,
            train_cfg=dict(type="ResumableTrainLoop", max_epochs=2),
            optim_wrapper=dict(
                type="BFloat16OptimWrapper" if amp else "OptimWrapper",
                optimizer=dict(type="AdamW", lr=1e-3),
                accumulative_counts=accumulate,
                clip_grad=max_norm and dict(max_norm=max_norm),
            ),
            env_cfg=dict(),
            **fragment,
            default_hooks=dict(checkpoint=dict(type="SafeCheckpointHook", iter_interval=3)),
            custom_hooks=[dict(type=t) for t in HOOK_NAMES],
            log_processor=dict(type="DataShareLogProcessor", window_size=4),
            randomness=dict(seed=3),
            load_from=resume,
            resume=resume is not None,
            log_level="WARNING",
        )
    )


def main(rank, work_dir, **options):
    """One of the two processes."""
    os.makedirs(work_dir, exist_ok=True)
    with open(f"{work_dir}/rank_{rank}.log", "a") as log:
        os.dup2(log.fileno(), 1)
        os.dup2(log.fileno(), 2)
    os.environ.update(RANK=str(rank), LOCAL_RANK=str(rank))
    cfg = build_config(work_dir, **options)
    join_processes(cfg, "pytorch")
    build_runner(cfg).train()
    leave_processes()


def serve():
    """Answer requests until the input ends."""
    torch.set_num_threads(1)
    for line in sys.stdin:
        processes = []
        for rank in range(2):
            pid = os.fork()
            if pid == 0:
                main(rank, **json.loads(line))
                os._exit(0)
            processes.append(pid)
        codes = [os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) for pid in processes]
        print("status", *codes, flush=True)


if __name__ == "__main__":
    serve()
