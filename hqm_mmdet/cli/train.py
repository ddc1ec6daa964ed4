"""``hqm-mmdet train``, ``tools/train.py``."""

from hqm_mmdet.configuring import check_strategy, config_errors, how_to_start
from hqm_mmdet.datasets.checking.sources import require_files_of
from hqm_mmdet.utils.launch import build_runner, load_config, set_start, use_mixed_precision
from hqm_mmdet_cli.errors import UsageError

from .settings import parse_settings
from .training import follow


def train(
    config: str,
    resume: str | None,
    load_from: str | None,
    from_scratch: bool,
    amp: bool,
    auto_scale_lr: bool,
    seed: int | None,
    verbose: bool,
    cfg_options: tuple[str, ...],
    work_dir: str | None,
    launcher: str,
    **wishes,
) -> None:
    """Change the config as asked, look whether all files are there, train."""
    cfg = load_config(config, parse_settings(cfg_options), work_dir, launcher)
    follow(cfg, **wishes)
    if seed is not None:
        cfg.merge_from_dict({"randomness.seed": seed})
    if amp:
        use_mixed_precision(cfg)
    if auto_scale_lr:
        if "base_batch_size" not in cfg.get("auto_scale_lr", {}):
            raise UsageError(f"--auto-scale-lr needs auto_scale_lr.base_batch_size in {config}.")
        cfg.auto_scale_lr.enable = True
    if load_from is not None:
        cfg.load_from = load_from
    if from_scratch:
        cfg.load_from = None
    check_strategy(cfg, resumes=resume is not None or "restarted_since" in cfg)
    # Last, because --work-dir and --cfg-options decide where to look for a checkpoint.
    set_start(cfg, resume)
    require_files_of(cfg, ("train", "val"))
    if not from_scratch and (start := how_to_start(cfg, config)) is not None:
        raise UsageError(
            f"{config} is meant to start from trained weights, and none are given: from random ones it learns far more "
            f"slowly, or not at all. Get the start: {start}. Or train without: --from-scratch."
        )
    with config_errors(cfg, config):
        build_runner(cfg, calm=not verbose).train()
