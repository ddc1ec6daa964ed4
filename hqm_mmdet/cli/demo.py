"""``hqm-mmdet demo``."""

import importlib.util
import signal
import webbrowser
from pathlib import Path
from threading import Event

import click

from hqm_mmdet.apis import HOIInferencer
from hqm_mmdet.demo import DemoSession, UploadLimits
from hqm_mmdet.utils.launch import UsageError

from .base import FiniteRange, ToolCommand, cfg_options, read_config, require_device


@click.command(cls=ToolCommand)
@click.option("--checkpoint", required=True, metavar="FILE", help="Weights (.pth or .safetensors).")
@click.option("--config", metavar="FILE", help="Default: the one that the checkpoint holds.")
@cfg_options
@click.option("--device", help="cpu, cuda, cuda:1, ... Default: a GPU if there is one.")
@click.option("--host", default="127.0.0.1", show_default=True, help="0.0.0.0: for all machines in the network.")
@click.option(
    "--allow-host", "allowed", multiple=True, metavar="NAME", help="Name that the page may be called by; repeatable."
)
@click.option("--port", type=click.IntRange(0, 65535), default=7860, show_default=True, help="0: any free one.")
@click.option("--max-megabytes", type=FiniteRange(0, min_open=True), default=20, show_default=True)
@click.option("--max-megapixels", type=FiniteRange(0, 170, min_open=True), default=40, show_default=True)
@click.option("--examples", metavar="FOLDER", help="Images to offer for trying.")
@click.option("--open", "open_browser", is_flag=True, help="Open the page in a browser.")
def demo(
    checkpoint: str,
    config: str | None,
    cfg_options: dict,
    device: str | None,
    host: str,
    allowed: tuple[str, ...],
    port: int,
    max_megabytes: float,
    max_megapixels: float,
    examples: str | None,
    open_browser: bool,
) -> None:
    """A page on this computer: drop an image, see who does what with what. Ctrl-C ends it.

    Images are not kept, and nothing is sent to other machines. See docs/demo.md.

    \b
    hqm-mmdet demo --checkpoint published.pth --examples photos/
    """
    require_gradio()
    from hqm_mmdet.demo.gate import is_loopback
    from hqm_mmdet.demo.serving import demo_server, free_port

    # Both are asked before the model loads, which takes longer than a user wants to wait for a refusal.
    free_port(host, port)
    require_device(device)
    inferencer = HOIInferencer(read_config(config, cfg_options), checkpoint, device, show_progress=False)
    session = DemoSession(inferencer, UploadLimits(max_megabytes, max_megapixels), examples)
    with demo_server(session, about(inferencer, checkpoint), host, port, allowed) as address:
        if not is_loopback(host):
            click.echo(f"warning: everybody who can reach {host} can use the page; there is no password.", err=True)
        click.echo(f"The demo runs on {address}\nOpen this address in a browser. Ctrl-C ends it.")
        if open_browser:
            webbrowser.open(address)
        wait_for_the_end()
    click.echo("The demo has ended.")


def require_gradio() -> None:
    """Raise a UsageError if the extra is not installed."""
    if importlib.util.find_spec("gradio") is None:
        raise UsageError('The demo needs gradio, which is not installed: pip install -e ".[demo]"')


def about(inferencer: HOIInferencer, checkpoint: str) -> str:
    """``qpic.pth: QPIC, 117 verbs, 80 object classes, on cpu``."""
    names = inferencer.model.dataset_meta
    device = next(inferencer.model.parameters()).device
    kind = type(inferencer.model).__name__
    size = f"{len(names['verbs'])} verbs, {len(names['classes'])} object classes"
    return f"{Path(checkpoint).name}: {kind}, {size}, on {device}"


def wait_for_the_end() -> None:
    """Until Ctrl-C, or until the process is asked to end."""
    ended = Event()
    before = signal.signal(signal.SIGTERM, lambda *_: ended.set())
    try:
        while not ended.wait(0.5):  # in slices: on Windows an endless wait would not notice Ctrl-C
            pass
    except KeyboardInterrupt:
        pass
    finally:
        signal.signal(signal.SIGTERM, before)
