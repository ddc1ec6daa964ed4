"""The newest complete checkpoint, whatever state the folder is in."""

import os

import pytest
import torch

from hqm_mmdet.utils import find_latest_checkpoint


@pytest.fixture
def warnings(monkeypatch):
    """What is warned of."""
    seen = []
    monkeypatch.setattr("hqm_mmdet.utils.find_checkpoint.print_log", lambda text, **kwargs: seen.append(text))
    return seen


def save(folder, name, saved_at=None, **content):
    folder.mkdir(exist_ok=True)
    meta = {} if saved_at is None else dict(saved_at=saved_at)
    checkpoint = dict(meta=meta, state_dict={"a": torch.arange(99.0)}, message_hub={}, optimizer={}, **content)
    torch.save(checkpoint, folder / name)
    return str(folder / name)


@pytest.fixture
def two(tmp_path):
    """Older and newer checkpoint."""
    return save(tmp_path, "epoch_9.pth", 100.0), save(tmp_path, "iter_12.pth", 200.0)


def test_nothing_there(tmp_path):
    assert find_latest_checkpoint(tmp_path) is None
    assert find_latest_checkpoint(tmp_path / "missing") is None


@pytest.mark.parametrize("pointer", [None, "", "\n", "/gone/epoch_3.pth", "epoch_9.pth"])
def test_pointer_file_may_be_missing_empty_or_stale(tmp_path, two, pointer):
    if pointer is not None:
        (tmp_path / "last_checkpoint").write_text(pointer)
    assert find_latest_checkpoint(tmp_path) == two[1]


def test_time_of_saving_counts_not_that_of_copying(tmp_path, two):
    os.utime(two[0], (9e9, 9e9))
    assert find_latest_checkpoint(tmp_path) == two[1]


def test_what_an_earlier_run_saved_is_passed_over(tmp_path, two):
    assert [find_latest_checkpoint(tmp_path, since) for since in (150.0, 201.0)] == [two[1], None]


def test_files_of_plain_mmengine_go_by_their_own_time(tmp_path):
    one, two = save(tmp_path, "epoch_1.pth"), save(tmp_path, "epoch_2.pth")
    os.utime(one, (200, 200))
    os.utime(two, (100, 100))
    assert find_latest_checkpoint(tmp_path) == one


def test_checkpoints_elsewhere_are_found_by_the_pointer(tmp_path, two):
    other = save(tmp_path / "out", "epoch_10.pth", 300.0)
    (tmp_path / "last_checkpoint").write_text(other)
    assert find_latest_checkpoint(tmp_path) == other


@pytest.mark.parametrize("damage", ["empty", "half", "bit", "text"])
def test_damaged_newest_file_is_named_and_passed_over(tmp_path, two, warnings, damage):
    content = bytearray((tmp_path / "iter_12.pth").read_bytes())
    if damage == "bit":  # inside the tensor, which reading the header does not touch
        position = content.find(torch.arange(99.0).numpy().tobytes()[100:200])
        content[position] ^= 1
    (tmp_path / "iter_12.pth").write_bytes(dict(empty=b"", half=content[:-500], bit=content, text=b"hello")[damage])
    assert find_latest_checkpoint(tmp_path) == two[0]
    assert len(warnings) == 1 and two[1] in warnings[0] and "damaged" in warnings[0]


def test_best_checkpoints_and_bare_weights_are_no_candidates(tmp_path, warnings):
    save(tmp_path, "best_hico_full_epoch_3.pth", 300.0)
    torch.save({"a": torch.zeros(1)}, tmp_path / "weights.pth")
    assert find_latest_checkpoint(tmp_path) is None
    assert not warnings


def test_damaged_pointers_and_times_are_passed_over(tmp_path):
    save(tmp_path, "epoch_1.pth", 1.0)
    save(tmp_path, "epoch_2.pth", "yesterday")
    save(tmp_path, "epoch_3.pth", float("nan"))
    for pointer in (b"\xff\xfe\x00", b"a\0b", b"\n", b"nowhere/epoch_9.pth"):
        (tmp_path / "last_checkpoint").write_bytes(pointer)
        assert find_latest_checkpoint(tmp_path) == str(tmp_path / "epoch_1.pth")
