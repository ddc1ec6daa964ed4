"""Files are complete or absent."""

import errno
import os

import pytest
from mmengine.fileio import get_file_backend

from hqm_mmdet.utils import remove_incomplete, write_atomically
from hqm_mmdet.utils.atomic_io import INCOMPLETE


class Died(BaseException):
    """Stands for the end of the process."""


@pytest.mark.parametrize("moment", ["fsync", "replace"])
def test_old_file_stays_until_the_new_one_is_complete(tmp_path, monkeypatch, moment):
    file = tmp_path / "folder" / "a.pth"
    write_atomically(file, b"old")

    def die(*args):
        raise Died

    monkeypatch.setattr(os, moment, die)
    with pytest.raises(Died):
        write_atomically(file, b"new")
    assert file.read_bytes() == b"old"
    assert remove_incomplete(file.parent) == [file.with_name("a.pth" + INCOMPLETE)]
    assert [path.name for path in file.parent.iterdir()] == ["a.pth"]


def test_full_disk_names_the_file_and_leaves_nothing(tmp_path, monkeypatch):
    def full(descriptor):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OSError, match=r"No space left on device while writing.*a.pth") as caught:
        write_atomically(tmp_path / "a.pth", b"x")
    assert caught.value.errno == errno.ENOSPC and not list(tmp_path.iterdir())


def test_backend_of_mmengine_writes_atomically(tmp_path):
    backend = get_file_backend(str(tmp_path), backend_args=dict(backend="atomic"))
    backend.put(b"bytes", str(tmp_path / "a"))
    backend.put_text("Täxt", str(tmp_path / "b"))
    assert (tmp_path / "a").read_bytes() == b"bytes"
    assert (tmp_path / "b").read_text(encoding="utf-8") == "Täxt"
