"""``hqm-mmdet train``, ``tools/train.py``."""

import click

from hqm_mmdet.configuring import config_errors
from hqm_mmdet.utils.launch import UsageError, build_runner, load_config, set_start, use_mixed_precision

from .base import ToolCommand, config_argument, runner_options
from .training_options import follow, training_options


@click.command(cls=ToolCommand)
@config_argument
@click.option(
    "--resume",
    is_flag=False,
    flag_value="auto",
    metavar="[CHECKPOINT]",
    help="Go on from this checkpoint; without one, from the newest complete checkpoint in the work folder.",
)
@click.option("--amp", is_flag=True, help="Mixed precision: bfloat16 where the device has it.")
@click.option("--auto-scale-lr", is_flag=True, help="Scale the learning rate with the batch size.")
@click.option("--seed", type=int, help="Replaces the config's randomness.seed.")
@training_options
@runner_options
def train(config: str, resume: str | None, amp: bool, auto_scale_lr: bool, seed: int | None, **options) -> None:
    """Train as CONFIG says; relative paths are also looked up in the project.

    Several processes: tools/dist_train.sh, tools/slurm_train.sh.
    """
    common = {key: options.pop(key) for key in ("cfg_options", "work_dir", "launcher")}
    cfg = load_config(config, **common)
    follow(cfg, **options)
    if seed is not None:
        cfg.merge_from_dict({"randomness.seed": seed})
    if amp:
        use_mixed_precision(cfg)
    if auto_scale_lr:
        if "base_batch_size" not in cfg.get("auto_scale_lr", {}):
            raise UsageError(f"--auto-scale-lr needs auto_scale_lr.base_batch_size in {config}.")
        cfg.auto_scale_lr.enable = True
    # Last, because --work-dir and --cfg-options decide where to look for a checkpoint.
    set_start(cfg, resume)
    with config_errors(cfg, config):
        build_runner(cfg).train()
