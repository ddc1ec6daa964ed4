"""Freed memory stays with the process."""

import subprocess
import sys
from types import SimpleNamespace

from hqm_mmdet.utils import memory

# Page faults of a block that is allocated and freed a second time. The file alone is read: the package imports torch.
SCRIPT = """
import resource, runpy, sys
if sys.argv[1] == "keep":
    assert runpy.run_path(sys.argv[2])["keep_freed_memory"]()
b"x" * 2**int(sys.argv[3])
before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
b"x" * 2**int(sys.argv[3])
print(resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before)
"""


def faults(how):
    command = [sys.executable, "-c", SCRIPT, how, memory.__file__, "26"]
    return int(subprocess.run(command, capture_output=True, text=True, check=True).stdout)


def test_blocks_are_used_again():
    assert faults("keep") < 100 < 1000 < faults("leave")


def test_other_c_libraries_are_left_alone(monkeypatch):
    monkeypatch.setattr(memory.ctypes, "CDLL", lambda name: SimpleNamespace())
    assert not memory.keep_freed_memory()
    monkeypatch.setattr(memory.sys, "platform", "win32")
    assert not memory.keep_freed_memory()
