"""Names and origins that reach the demo."""

import socket

import pytest

pytest.importorskip("starlette", reason='the demo needs gradio: pip install -e ".[demo]"')
from hqm_mmdet.demo.gate import Gate, HostList, is_loopback


def test_loopback():
    assert is_loopback("127.0.0.1") and is_loopback("localhost") and is_loopback("::1") and is_loopback("[::1]")
    assert not is_loopback("0.0.0.0") and not is_loopback("192.168.1.2") and not is_loopback("example.com")


@pytest.mark.parametrize("host", ("127.0.0.1", "localhost", "::1"))
def test_of_this_computer_only(host):
    hosts = HostList(host)
    for header in ("127.0.0.1:7860", "localhost", "LocalHost:1", "[::1]:7860", "[::1]"):
        assert header in hosts
    for header in ("", "192.168.1.2:7860", "attacker.example", "localhost.attacker.example", "127.0.0.1.nip.example"):
        assert header not in hosts


def test_of_the_network():
    hosts = HostList("0.0.0.0", ["demo.example"])
    for header in ("192.168.1.2:7860", "[fe80::1]:7860", "demo.example", "Demo.Example:443", socket.gethostname()):
        assert header in hosts
    assert "attacker.example" not in hosts


def test_the_page_itself_is_the_only_origin():
    gate = Gate(None, HostList("127.0.0.1"))
    assert gate.refusal("localhost:7860", "") is None
    assert gate.refusal("localhost:7860", "http://localhost:7860") is None
    for origin in ("http://localhost:8080", "http://127.0.0.1:7860", "null", "https://attacker.example"):
        assert "its own page only" in gate.refusal("localhost:7860", origin)
    assert "--allow-host" in gate.refusal("attacker.example", "http://attacker.example")
