"""``hqm-mmdet test``, ``tools/test.py``."""

import os

import click
from mmengine.config import Config

from hqm_mmdet.configuring import config_errors
from hqm_mmdet.utils.launch import UsageError, build_runner, load_config, require_checkpoint

from .base import ToolCommand, config_argument, runner_options


@click.command(cls=ToolCommand)
@config_argument
@click.argument("checkpoint")
@click.option("--out", metavar="FILE.pkl", help="Save all predictions with mmengine's DumpResults.")
@click.option("--show", is_flag=True, help="Show pictures of the predictions.")
@click.option("--show-dir", metavar="FOLDER", help="Save pictures of the predictions.")
@click.option("--wait-time", type=float, default=2, show_default=True, help="Seconds per picture shown.")
@runner_options
def test(
    config: str, checkpoint: str, out: str | None, show: bool, show_dir: str | None, wait_time: float, **common
) -> None:
    """Evaluate CHECKPOINT (.pth or .safetensors) as CONFIG says; the config is also looked up in the project.

    Several processes: tools/dist_test.sh, tools/slurm_test.sh.
    """
    # The runner would read annotations for minutes before it looks for the file.
    require_checkpoint(checkpoint)
    cfg = load_config(config, **common)
    cfg.load_from, cfg.resume = checkpoint, False
    if show or show_dir:
        draw_predictions(cfg, show, show_dir, wait_time)
    if out:
        dump_predictions(cfg, out)
    with config_errors(cfg, config):
        build_runner(cfg).test()


def draw_predictions(cfg: Config, show: bool, show_dir: str | None, wait_time: float) -> None:
    """Switch the visualisation hook on."""
    # The config's hook is changed rather than replaced: it may have options of its own.
    hook = cfg.default_hooks.setdefault("visualization", dict(type="DetVisualizationHook"))
    hook.update(draw=True, show=show, wait_time=wait_time)
    if show_dir:
        hook.test_out_dir = os.path.abspath(show_dir)


def dump_predictions(cfg: Config, file: str) -> None:
    """Add a metric that saves what the others see.

    Raises:
        UsageError: the name does not end in ``.pkl``.
    """
    if not file.endswith((".pkl", ".pickle")):
        raise UsageError(f"--out needs a name that ends in .pkl, got {file}.")
    metrics = cfg.test_evaluator if isinstance(cfg.test_evaluator, list) else [cfg.test_evaluator]
    cfg.test_evaluator = [*metrics, dict(type="DumpResults", out_file_path=file)]
