"""``hqm-mmdet test``, ``tools/test.py``."""

import click

from .checks import require_checkpoint, require_config, require_order, require_writable, require_writable_folder
from .command import ToolCommand, work
from .errors import UsageError
from .options import config_argument, runner_options


@click.command(cls=ToolCommand)
@config_argument
@click.argument("checkpoint")
@click.option("--out", metavar="FILE.pkl", help="Save all predictions with mmengine's DumpResults.")
@click.option("--show", is_flag=True, help="Show pictures of the predictions.")
@click.option("--show-dir", metavar="FOLDER", help="Save pictures of the predictions.")
@click.option("--wait-time", type=float, default=2, show_default=True, help="Seconds per picture shown.")
@click.option("--tta", is_flag=True, hidden=True)  # of mmdet's tools; told rather than unknown
@runner_options
def test(config: str, checkpoint: str, out: str | None, tta: bool, **options) -> int:
    """Evaluate CHECKPOINT (.pth or .safetensors) as CONFIG says; the config is also looked up in the project.

    Several processes: tools/dist_test.sh, tools/slurm_test.sh.
    """
    if tta:
        raise UsageError(
            "--tta: there is no test-time augmentation here. Pairs of several views can't be averaged query by query, "
            "and no published result uses it."
        )
    if out and not out.endswith((".pkl", ".pickle")):
        raise UsageError(f"--out needs a name that ends in .pkl, got {out}.")
    if out:
        require_writable(out)
    require_writable_folder(options["work_dir"] or "work_dirs")
    require_order(config, checkpoint)
    require_config(config)
    # The runner would read annotations for minutes before it looks for the file.
    require_checkpoint(checkpoint)
    return work("test.test")(config=config, checkpoint=checkpoint, out=out, **options)
