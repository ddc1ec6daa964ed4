"""``hqm-mmdet demo``."""

import importlib.util

import click

from .checks import require_checkpoint, require_config, require_folders
from .command import ToolCommand, work
from .errors import UsageError
from .installation import install_extra
from .options import FiniteRange, best_device, model_options


@click.command(cls=ToolCommand)
@model_options
@best_device
@click.option("--host", default="127.0.0.1", show_default=True, help="0.0.0.0: for all machines in the network.")
@click.option(
    "--allow-host", "allowed", multiple=True, metavar="NAME", help="Name that the page may be called by; repeatable."
)
@click.option("--port", type=click.IntRange(0, 65535), default=7860, show_default=True, help="0: any free one.")
@click.option("--max-megabytes", type=FiniteRange(0, min_open=True), default=20, show_default=True)
@click.option("--max-megapixels", type=FiniteRange(0, 170, min_open=True), default=40, show_default=True)
@click.option("--examples", metavar="FOLDER", help="Images to offer for trying, the first 24.")
@click.option("--open", "open_browser", is_flag=True, help="Open the page in a browser.")
def demo(**options) -> int:
    """A page on this computer: drop an image, see who does what with what. Ctrl-C ends it.

    Images are not kept, and nothing is sent to other machines. See docs/demo.md.

    \b
    hqm-mmdet demo --checkpoint published.pth --examples photos/
    """
    if importlib.util.find_spec("gradio") is None:
        raise UsageError(f"The demo needs gradio, which is not installed: {install_extra('demo')}")
    require_config(options["config"], options["cfg_options"])
    require_checkpoint(options["checkpoint"])
    require_folders(options["examples"])
    return work("demo.demo")(**options)
