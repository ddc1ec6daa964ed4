"""Pickles of values and arrays are read, anything that could run code is not."""

import pickle
from collections import OrderedDict
from pathlib import Path

import numpy as np
import pytest

from hqm_mmdet.safe_loading import CheckpointError
from hqm_mmdet.utils.plain_pickle import load_plain_pickle

CONTENT = {
    "box": np.arange(8.0).reshape(2, 4),
    "counts": np.array([1, 2], dtype=np.int32),
    "none": np.zeros((0, 4), dtype=np.float32),
    "score": np.float32(0.5),
    "rows": [(1, "a", None), {2.5, True}],
}

# {'a': array([1., 2.])} as Python 2 with NumPy 1 wrote it
PYTHON_2 = (
    b"(dp0\nS'a'\np1\ncnumpy.core.multiarray\n_reconstruct\np2\n(cnumpy\nndarray\np3\n(I0\ntp4\nS'b'\np5\ntp6\nRp7\n"
    b"(I1\n(I2\ntp8\ncnumpy\ndtype\np9\n(S'f8'\np10\nI0\nI1\ntp11\nRp12\n(I3\nS'<'\np13\nNNNI-1\nI-1\nI0\ntp14\nbI00\n"
    b"S'\\x00\\x00\\x00\\x00\\x00\\x00\\xf0?\\x00\\x00\\x00\\x00\\x00\\x00\\x00@'\np15\ntp16\nbs."
)


def written(tmp_path, data: bytes) -> Path:
    path = tmp_path / "values.pickle"
    path.write_bytes(data)
    return path


@pytest.mark.parametrize("protocol", range(pickle.HIGHEST_PROTOCOL + 1))
def test_values_and_arrays(tmp_path, protocol):
    loaded = load_plain_pickle(written(tmp_path, pickle.dumps(CONTENT, protocol)))
    assert (loaded["box"] == CONTENT["box"]).all() and loaded["counts"].dtype == np.int32
    assert loaded["none"].shape == (0, 4) and loaded["none"].dtype == np.float32
    assert loaded["score"] == np.float32(0.5) and loaded["rows"] == CONTENT["rows"]


def test_python_2(tmp_path):
    assert load_plain_pickle(written(tmp_path, PYTHON_2))["a"].tolist() == [1, 2]


class Code:
    def __reduce__(self):
        return exec, ("import pathlib; pathlib.Path('ran').touch()",)


class LongBytes:
    def __reduce__(self):
        return bytes, (10,)


REFUSED = [Code(), [OrderedDict()], print, np.array([Code()], dtype=object)]


def test_bytes_of_any_length_are_not_made(tmp_path):
    with pytest.raises(CheckpointError, match="takes 0 positional arguments"):
        load_plain_pickle(written(tmp_path, pickle.dumps(LongBytes(), 2)))


@pytest.mark.parametrize("content", REFUSED, ids=type)
def test_anything_else_is_refused(tmp_path, monkeypatch, content):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(CheckpointError, match=r"values\.pickle was not read: .*could run code"):
        load_plain_pickle(written(tmp_path, pickle.dumps(content)))
    assert not Path("ran").exists()


@pytest.mark.parametrize("data", [b"", b"no pickle", pickle.dumps(CONTENT)[:40]], ids=["empty", "text", "truncated"])
def test_damaged_file(tmp_path, data):
    with pytest.raises(CheckpointError, match=r"values\.pickle was not read"):
        load_plain_pickle(written(tmp_path, data))


def test_missing_file(tmp_path):
    with pytest.raises(FileNotFoundError, match="nothing"):
        load_plain_pickle(tmp_path / "nothing.pickle")
