"""Uploads between their arrival and their reading."""

import pytest

from hqm_mmdet.demo import UploadError
from hqm_mmdet.demo.upload_store import UploadStore


def put(store, content, name="a.png"):
    """An upload, where gradio puts it."""
    with store.reserve(len(content)) as folder:
        file = folder / "hash" / name
        file.parent.mkdir()
        file.write_bytes(content)
    return file


def test_equal_files_are_apart(tmp_path):
    store = UploadStore(tmp_path / "uploads", 100)
    first, second = put(store, b"same"), put(store, b"same")
    assert store.take(first) == b"same" and store.take(second) == b"same"
    assert not list(store.folder.iterdir())
    with pytest.raises(UploadError, match="no longer there"):
        store.take(first)


def test_only_uploads_are_taken(tmp_path):
    store, mine = UploadStore(tmp_path / "uploads", 100), tmp_path / "mine"
    mine.write_text("private")
    for path in (mine, tmp_path / "uploads" / ".." / "mine", tmp_path / "uploads", "", "a.png"):
        with pytest.raises(UploadError, match="This is no upload"):
            store.take(path)
    assert mine.is_file()


def test_the_limit_counts_what_is_there_and_what_comes(tmp_path):
    store = UploadStore(tmp_path / "uploads", 10)
    file = put(store, b"123456")
    with store.reserve(4), pytest.raises(UploadError, match="Too many images wait"), store.reserve(1):
        pass
    with pytest.raises(ConnectionError), store.reserve(4) as folder:
        (folder / "part").write_bytes(b"1")
        raise ConnectionError
    assert not folder.exists()
    store.take(file)
    put(store, b"1234567890")
