"""``hqm-mmdet demo``."""

import signal
import webbrowser
from pathlib import Path
from threading import Event

import click

from hqm_mmdet.apis import HOIInferencer
from hqm_mmdet.demo import DemoSession, UploadLimits

from .settings import read_config, require_device


def demo(
    checkpoint: str,
    config: str | None,
    cfg_options: tuple[str, ...],
    device: str | None,
    host: str,
    allowed: tuple[str, ...],
    port: int,
    max_megabytes: float,
    max_megapixels: float,
    examples: str | None,
    open_browser: bool,
) -> None:
    """Load the model, serve the page until Ctrl-C."""
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
