"""``hqm-mmdet test``, ``tools/test.py``."""

import os

from mmengine.config import Config

from hqm_mmdet.configuring import config_errors
from hqm_mmdet.utils.launch import build_runner, load_config

from .settings import parse_settings


def test(
    config: str,
    checkpoint: str,
    out: str | None,
    show: bool,
    show_dir: str | None,
    wait_time: float,
    cfg_options: tuple[str, ...],
    **common,
) -> None:
    """Build the runner and test."""
    cfg = load_config(config, parse_settings(cfg_options), **common)
    cfg.load_from, cfg.resume = checkpoint, False
    if cfg.pop("strategy", None) is not None:
        cfg.pop("runner_type", None)  # what spreads a training over processes; each tests with the whole model
    if show or show_dir:
        draw_predictions(cfg, show, show_dir, wait_time)
    if out:
        dump_predictions(cfg, out)
    with config_errors(cfg, config):
        build_runner(cfg, calm=True).test()


def draw_predictions(cfg: Config, show: bool, show_dir: str | None, wait_time: float) -> None:
    """Switch the visualisation hook on."""
    # The config's hook is changed rather than replaced: it may have options of its own.
    hook = cfg.default_hooks.setdefault("visualization", dict(type="DetVisualizationHook"))
    hook.update(draw=True, show=show, wait_time=wait_time)
    if show_dir:
        hook.test_out_dir = os.path.abspath(show_dir)


def dump_predictions(cfg: Config, file: str) -> None:
    """Add a metric that saves what the others see."""
    metrics = cfg.test_evaluator if isinstance(cfg.test_evaluator, list) else [cfg.test_evaluator]
    cfg.test_evaluator = [*metrics, dict(type="DumpResults", out_file_path=file)]
