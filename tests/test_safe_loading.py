"""No checkpoint runs code, by whichever door it comes in."""

import argparse
import os
import pickle
import zipfile
from collections import Counter, OrderedDict
from contextlib import contextmanager
from pathlib import Path
from types import SimpleNamespace

import mmengine.runner.checkpoint as checkpoint
import pytest
import torch
from mmengine.config import Config
from mmengine.logging import HistoryBuffer
from mmengine.registry import DefaultScope
from mmengine.runner import CheckpointLoader, Runner, load_checkpoint
from torch import nn

from hqm_mmdet import safe_loading
from hqm_mmdet.apis import build_model, init_model
from hqm_mmdet.mmengine_doors import local_files_only
from hqm_mmdet.safe_loading import CheckpointError, load_untrusted
from hqm_mmdet.utils.launch import run_locally
from tests.engine.small_training import build_config
from tests.models.tiny import tiny_config


class Touch:
    """Unpickling it makes a file."""

    def __init__(self, file):
        self.file = str(file)

    def __reduce__(self):
        return os.system, (f"touch {self.file}",)


class Evaluate(Touch):
    """The same through ``getattr``, which mmengine's own checkpoints use harmlessly."""

    def __reduce__(self):
        return getattr, (Path(self.file), "touch")


@pytest.fixture(params=["zip", "legacy", "pickle"])
def malicious(request, tmp_path):
    """A checkpoint that is complete but for what it does, and the file that it would make."""
    file, victim = tmp_path / "bad.pth", tmp_path / "victim"
    content = dict(meta=dict(epoch=1, iter=5, x=Touch(victim)), state_dict={}, message_hub={}, optimizer={})
    if request.param == "pickle":
        file.write_bytes(pickle.dumps(content, protocol=2))
    else:
        torch.save(content, file, _use_new_zipfile_serialization=request.param == "zip")
    return file, victim


def load_in_runner(file, work_dir, resume):
    Runner.from_cfg(build_config(work_dir, load_from=str(file), resume=resume)).train()


DOORS = {
    "load_untrusted": lambda file, folder: load_untrusted(file),
    "CheckpointLoader": lambda file, folder: CheckpointLoader.load_checkpoint(str(file)),
    "load_checkpoint": lambda file, folder: load_checkpoint(nn.Linear(1, 1), str(file)),
    "init_cfg": lambda file, folder: _initialise(file),
    "load_from": lambda file, folder: load_in_runner(file, folder, resume=False),
    "resume": lambda file, folder: load_in_runner(file, folder, resume=True),
}


def _initialise(file):
    from mmdet.models import ResNet

    ResNet(18, init_cfg=dict(type="Pretrained", checkpoint=str(file))).init_weights()


@pytest.mark.parametrize("door", DOORS)
def test_code_is_refused_and_not_run(door, malicious, tmp_path):
    file, victim = malicious
    with pytest.raises(CheckpointError, match=r"bad.pth was not loaded: it asks for `(posix|nt).system`, .*is refused"):
        DOORS[door](file, tmp_path / "work")
    assert not victim.exists()


def test_the_file_would_have_run_code(malicious):
    """The fixture is what it claims to be."""
    file, victim = malicious
    is_torch_file = zipfile.is_zipfile(file) or b"little_endian" in file.read_bytes()
    torch.load(file, weights_only=False) if is_torch_file else pickle.loads(file.read_bytes())
    assert victim.exists()


def test_code_in_a_newer_pickle_is_refused(tmp_path):
    (tmp_path / "bad.pth").write_bytes(pickle.dumps(Touch(tmp_path / "victim"), protocol=4))
    with pytest.raises(CheckpointError, match="bad.pth was not loaded"):
        load_untrusted(tmp_path / "bad.pth")
    assert not (tmp_path / "victim").exists()


def test_getattr_reaches_nothing_but_log_buffers(tmp_path):
    torch.save({"x": Evaluate(tmp_path / "victim")}, tmp_path / "bad.pth")
    with pytest.raises(CheckpointError):
        load_untrusted(tmp_path / "bad.pth")
    with pytest.raises(pickle.UnpicklingError):
        safe_loading._statistics_method(HistoryBuffer, "__init__")
    with pytest.raises(pickle.UnpicklingError):
        safe_loading._statistics_method(os, "system")


@pytest.fixture(params=["weights_only", "own unpickler"])
def read(request):
    """Both ways of loading; the second serves torch < 2.5."""
    if request.param == "weights_only":
        return lambda file: load_untrusted(file)
    return lambda file: safe_loading._load_with_own_unpickler(str(file), "cpu")


@pytest.mark.parametrize("zipped", [True, False])
def test_what_honest_checkpoints_hold_is_read(read, tmp_path, zipped):
    buffer = HistoryBuffer()
    buffer.update(1.5)
    content = dict(
        state_dict=nn.Linear(2, 3).state_dict(),
        message_hub=dict(log=buffer, best=torch.tensor(0.5).numpy()),
        args=argparse.Namespace(lr=1e-4, device="cpu"),
        dtype=torch.bfloat16,
        parameter=nn.Parameter(torch.ones(2)),
        names=("a", {"b"}),
        milestones=Counter([2]),
    )
    torch.save(content, tmp_path / "good.pth", _use_new_zipfile_serialization=zipped)
    loaded = read(tmp_path / "good.pth")
    assert torch.equal(loaded["state_dict"]["weight"], content["state_dict"]["weight"])
    assert loaded["message_hub"]["log"].current() == 1.5 and loaded["message_hub"]["log"].statistics("mean") == 1.5
    assert loaded["message_hub"]["best"] == 0.5 and loaded["args"].lr == 1e-4
    assert loaded["names"] == ("a", {"b"}) and loaded["milestones"] == {2: 1} and loaded["dtype"] is torch.bfloat16


def test_code_is_refused_by_the_own_unpickler(malicious):
    with pytest.raises((pickle.UnpicklingError, RuntimeError)):
        safe_loading._load_with_own_unpickler(str(malicious[0]), "cpu")
    assert not malicious[1].exists()


@pytest.mark.parametrize("content", [b"", b"hello", b"\x80\x04"])
def test_damaged_file_is_named(tmp_path, content):
    (tmp_path / "torn.pth").write_bytes(content)
    with pytest.raises(CheckpointError, match=r"torn.pth was not loaded: it is damaged"):
        load_untrusted(tmp_path / "torn.pth")


def test_missing_file_is_named():
    for name in ("/nowhere/a.pth", "/nowhere/a.safetensors"):
        with pytest.raises(FileNotFoundError, match=rf"Checkpoint {name} does not exist"):
            load_untrusted(name)
    with pytest.raises(FileNotFoundError, match="Checkpoint /nowhere/a.pth does not exist"):
        CheckpointLoader.load_checkpoint("/nowhere/a.pth")


ADDRESSES = ["https://host/a.pth", "torchvision://resnet50", "open-mmlab://detectron2/resnet50_caffe", "s3://b/a.pth"]


@pytest.fixture
def network(monkeypatch, tmp_path):
    """Addresses that a download was tried of; nothing is reached."""
    tried = []

    def note(address, *args, **kwargs):
        tried.append(address)
        return {"a": torch.ones(1)}

    monkeypatch.setattr(checkpoint, "load_url", note)
    monkeypatch.setattr(checkpoint, "get_file_backend", lambda *_, **__: SimpleNamespace(get=note))
    monkeypatch.setattr(checkpoint, "get_torchvision_models", lambda: {"resnet50": "https://host/r50.pth"})
    monkeypatch.setattr(torch.hub, "get_dir", lambda: str(tmp_path))
    return tried


@contextmanager
def default_scope(name):
    with DefaultScope.overwrite_default_scope(name):
        yield


def load_pretrained(address, folder, scope="hqm_mmdet"):
    """A config, maybe of a stranger's checkpoint, that initialises from an address."""
    model = dict(type="ResNet", depth=18, init_cfg=dict(type="Pretrained", checkpoint=address))
    build_model(Config(dict(default_scope=scope, model=model)))


def load_in_command(address, folder):
    """A command line tool whose config has another scope."""
    with default_scope("mmdet"):
        assert run_locally(CheckpointLoader.load_checkpoint, address) == 0


def load_in_scope(address, folder):
    with default_scope("hqm_mmdet"):
        CheckpointLoader.load_checkpoint(address)


OUR_DOORS = {
    "init_cfg": load_pretrained,
    "init_cfg under another scope": lambda address, folder: load_pretrained(address, folder, "mmdet"),
    "init_model": lambda address, folder: init_model(tiny_config(), address),
    "command": load_in_command,
    "scope": load_in_scope,
    "load_from": lambda address, folder: load_in_runner(address, folder, resume=False),
    "resume": lambda address, folder: load_in_runner(address, folder, resume=True),
}


@pytest.mark.parametrize("address", ADDRESSES)
@pytest.mark.parametrize("door", OUR_DOORS)
def test_our_loading_downloads_nothing(door, address, network, tmp_path):
    with pytest.raises(FileNotFoundError, match="local"):
        OUR_DOORS[door](address, tmp_path / "work")
    assert not network


@pytest.mark.parametrize("scope", [None, "mmdet"])
@pytest.mark.parametrize("address", [address for address in ADDRESSES if not address.startswith("s3")])
def test_loading_of_others_is_mmengines(scope, address, network, monkeypatch):
    """Also after this package has built and failed to build models."""
    with pytest.raises(FileNotFoundError):
        load_pretrained(ADDRESSES[0], None)
    if scope is None:
        monkeypatch.setattr(DefaultScope, "_instance_dict", OrderedDict())
    with default_scope(scope):
        assert CheckpointLoader.load_checkpoint(address)["a"] == 1
    assert len(network) == 1


def test_copy_of_a_download_is_read(tmp_path, monkeypatch):
    monkeypatch.setattr(torch.hub, "get_dir", lambda: str(tmp_path))
    (tmp_path / "checkpoints").mkdir()
    torch.save({"a": torch.ones(1)}, tmp_path / "checkpoints" / "a.pth")
    with local_files_only():
        assert CheckpointLoader.load_checkpoint("https://host/a.pth")["a"] == 1


def test_text_of_a_checkpoint_is_not_run_on_resuming(tmp_path):
    """mmengine would run ``meta.config``, which mmcv 1 left there."""
    Runner.from_cfg(build_config(tmp_path / "first", epochs=1)).train()
    file, victim = tmp_path / "first" / "epoch_1.pth", tmp_path / "victim"
    content = load_untrusted(file)
    content["meta"]["config"] = f"open({str(victim)!r}, 'w').close()"
    torch.save(content, file)
    Runner.from_cfg(build_config(tmp_path / "second", epochs=2, load_from=str(file), resume=True)).train()
    assert (tmp_path / "second" / "epoch_2.pth").exists() and not victim.exists()


def test_safetensors_are_read(tmp_path):
    from safetensors.torch import save_file

    save_file({"a": torch.ones(2)}, tmp_path / "a.safetensors")
    assert load_untrusted(tmp_path / "a.safetensors")["state_dict"]["a"].sum() == 2
