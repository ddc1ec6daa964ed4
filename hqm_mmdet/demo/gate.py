"""Which requests reach the demo: of its own page, under a name that it is known by."""

import socket
from collections.abc import Sequence
from ipaddress import ip_address

from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Receive, Scope, Send

LOOPBACK = frozenset({"localhost", "127.0.0.1", "::1"})
# What a proxy would tell of the request before it; without one, what a stranger makes up.
FORWARDED = (b"x-forwarded-host", b"x-forwarded-proto", b"x-forwarded-for", b"x-gradio-server", b"forwarded")


class HostList:
    """Names that a ``Host`` header may have.

    A page of somebody else's can let its own name lead to this machine (DNS rebinding) and would then read the answers;
    but it can't choose the ``Host`` header, which keeps that name. Addresses can't be rebound.

    Args:
        host (str): what the demo listens on.
        more (Sequence[str]): further names, e.g. that of a proxy. Default: none.
    """

    def __init__(self, host: str, more: Sequence[str] = ()):
        host = host.strip("[]").lower()
        self.any_address = not is_loopback(host)
        own = (socket.gethostname(), socket.getfqdn()) if self.any_address else ()
        self.names = LOOPBACK | {host} | {name.lower().strip("[]") for name in (*own, *more)}

    def __contains__(self, header: str) -> bool:
        name = host_name(header)
        return name in self.names or (self.any_address and _is_address(name))


class Gate:
    """ASGI middleware: other hosts and other origins are refused, and headers of proxies are dropped.

    Args:
        app (ASGIApp): what lies behind.
        hosts (HostList): names that are let in.
    """

    def __init__(self, app: ASGIApp, hosts: HostList):
        self.app, self.hosts = app, hosts

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on, or refuse it."""
        if scope["type"] == "http":
            headers = dict(scope["headers"])
            host, origin = (headers.get(name, b"").decode("latin1") for name in (b"host", b"origin"))
            if refusal := self.refusal(host, origin):
                await PlainTextResponse(refusal, 403)(scope, receive, send)
                return
            scope = dict(scope, headers=[pair for pair in scope["headers"] if pair[0] not in FORWARDED])
        await self.app(scope, receive, send)

    def refusal(self, host: str, origin: str) -> str | None:
        """Why a request does not get in, or None."""
        if host not in self.hosts:
            return f"The demo does not know the name {host_name(host)!r}; its owner can add it with --allow-host."
        # Browsers send the origin with every request that could change something or be read by another page.
        if origin and origin.lower().partition("://")[2] != host.lower():
            return "The demo answers to its own page only."
        return None


def host_name(header: str) -> str:
    """Name or address in a ``Host`` header, without port and brackets."""
    name = header.lower()
    if name.startswith("["):
        return name[1:].partition("]")[0]
    return name.partition(":")[0] if name.count(":") == 1 else name


def is_loopback(host: str) -> bool:
    """Whether only this machine reaches the address."""
    name = host.strip("[]")
    return name == "localhost" or (_is_address(name) and ip_address(name).is_loopback)


def _is_address(name: str) -> bool:
    try:
        ip_address(name)
    except ValueError:
        return False
    return True
