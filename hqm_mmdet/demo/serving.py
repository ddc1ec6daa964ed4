"""Start and stop the demo's web server. Nothing leaves the machine, nothing stays on its disk."""

import errno
import os
import socket
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import gradio as gr
import uvicorn.config
from starlette.middleware import Middleware
from starlette.routing import Route

from hqm_mmdet_cli.errors import UsageError

from .gate import Gate, HostList
from .page import CSS, DemoPage
from .session import DemoSession
from .upload_route import upload_endpoint
from .upload_store import UploadStore
from .uploads import UploadLimits

DEEP_LINK = "/gradio_api/deep_link"  # gradio's; writes a visitor's result to the disk, for all who have the address
UPLOAD = "/gradio_api/upload"
STORED = 32  # uploads of the largest size that the disk holds
SESSIONS = 8  # visitors whose last image is kept in memory
FONTS = ("system-ui", "sans-serif"), ("ui-monospace", "monospace")  # of the visitor's machine; none is fetched
READABLE = dict(block_info_text_color="*neutral_600", body_text_color_subdued="*neutral_600")  # gradio's is too pale


@contextmanager
def demo_server(
    session: DemoSession, about: str, host: str = "127.0.0.1", port: int = 7860, allowed: Sequence[str] = ()
) -> Iterator[str]:
    """The running demo; hands out its address.

    Args:
        session (DemoSession): what does the work.
        about (str): one line about the model.
        host (str): address to listen on. Default: 127.0.0.1.
        port (int): 0 takes a free one. Default: 7860.
        allowed (Sequence[str]): further names that the page may be called by, see :class:`~.gate.HostList`. Default:
            none.

    Raises:
        UsageError: the port is taken, or the host is not this machine's.
    """
    port = free_port(host, port)
    host = host.strip("[]")
    temporary = tempfile.TemporaryDirectory(prefix="hqm_mmdet_demo_", ignore_cleanup_errors=True)
    with temporary as folder, _gradio_environment(folder, host):
        store = UploadStore(Path(folder) / "uploads", STORED * session.limits.bytes)
        blocks = DemoPage(session, about, store).blocks
        try:
            with _log_files_stay_open():
                address = _launch(blocks, store, session.limits, HostList(host, allowed), host, port)
            yield address
        finally:
            blocks.close(verbose=False)


def _launch(blocks: gr.Blocks, store: UploadStore, limits: UploadLimits, hosts: HostList, host: str, port: int) -> str:
    """Start; everything that could talk to other machines, keep or publish something is off."""
    _, address, _ = blocks.launch(
        server_name=f"[{host}]" if ":" in host else host,
        server_port=port,
        max_file_size=limits.bytes,
        theme=gr.themes.Default(font=FONTS[0], font_mono=FONTS[1]).set(**READABLE),
        css_paths=CSS,
        prevent_thread_lock=True,
        inline=False,
        quiet=True,
        show_error=False,  # of what visitors can mend, gr.Error tells them; other messages name paths of this machine
        share=False,
        ssr_mode=False,
        mcp_server=False,
        pwa=False,
        enable_monitoring=False,
        footer_links=[],
        state_session_capacity=SESSIONS,
        app_kwargs=dict(openapi_url=None, middleware=[Middleware(Gate, hosts=hosts)]),
    )
    # gradio has no switch for them, so the routes are taken out of the running server.
    routes = blocks.app.router.routes
    routes[:] = [route for route in routes if getattr(route, "path", None) not in (DEEP_LINK, UPLOAD)]
    routes.insert(0, Route(UPLOAD, upload_endpoint(blocks, store, limits), methods=["POST"]))
    return address


def free_port(host: str, port: int) -> int:
    """The port, or a free one for 0.

    Raises:
        UsageError: it can't be listened on.
    """
    host = host.strip("[]")
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family) as probe:
        # As the server will: a port that a demo has just left counts as free.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
            probe.listen()
        except OSError as error:
            if error.errno != errno.EADDRINUSE:
                raise UsageError(f"The demo can't listen on --host {host} --port {port}: {error}") from error
            raise UsageError(
                f"Port {port} of {host} is in use, maybe by another demo. Choose another: --port {port + 1}, "
                "or --port 0 for any that is free."
            ) from error
        return probe.getsockname()[1]


@contextmanager
def _log_files_stay_open() -> Iterator[None]:
    """gradio's server sets up logging anew when it starts, which closes all log files of this process (a runner's)."""
    before = dict(uvicorn.config.LOGGING_CONFIG)
    uvicorn.config.LOGGING_CONFIG.clear()
    uvicorn.config.LOGGING_CONFIG.update(version=1, incremental=True)
    try:
        yield
    finally:
        uvicorn.config.LOGGING_CONFIG.update(before)
        uvicorn.config.LOGGING_CONFIG.pop("incremental")


@contextmanager
def _gradio_environment(folder: str, host: str) -> Iterator[None]:
    """What gradio is told by environment variables only, and what variables of the user must not change.

    Uploads go to ``folder``; no telemetry; no record of runs in the visitor's browser; no folder is published; gradio's
    request to its own server does not go through a proxy.
    """
    # Added to the user's own, which other requests of the process may need.
    direct = os.environ.get("NO_PROXY") or os.environ.get("no_proxy")
    local = ",".join(filter(None, (direct, "127.0.0.1,localhost", host)))
    changes = dict(
        GRADIO_TEMP_DIR=folder,
        GRADIO_ANALYTICS_ENABLED="False",
        GRADIO_RUN_HISTORY="False",
        GRADIO_ALLOWED_PATHS="",
        GRADIO_ROOT_PATH="",
        NO_PROXY=local,
        no_proxy=local,
    )
    before = {name: os.environ.get(name) for name in changes}
    os.environ.update(changes)
    try:
        yield
    finally:
        for name, value in before.items():
            os.environ.pop(name) if value is None else os.environ.__setitem__(name, value)
