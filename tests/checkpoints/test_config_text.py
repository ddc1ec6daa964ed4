"""Configs in checkpoints are data."""

import sys
from pathlib import Path

import pytest
import torch
from mmengine.config import Config
from torch import nn

from hqm_mmdet.apis import HOIInferencer, build_model, init_model
from hqm_mmdet.apis.deployment import publish_checkpoint
from hqm_mmdet.checkpoints.config_text import SCOPES, config_of_checkpoint, parse_config_text
from hqm_mmdet.registry import MODELS
from hqm_mmdet.safe_loading import CheckpointError
from tests.models.tiny import tiny_config

CONFIGS = sorted((Path(__file__).parents[2] / "configs").glob("*.py"))


@pytest.mark.parametrize("path", CONFIGS, ids=lambda path: path.stem)
def test_every_config_comes_back(path):
    formatted = path.stem == "qpic_hico"  # by yapf, which takes seconds and changes line breaks alone
    config = Config.fromfile(path, import_custom_modules=False)
    meta = {"cfg": Config(config.to_dict(), format_python_code=formatted).pretty_text}
    assert config_of_checkpoint(meta, "x.pth").to_dict() == config.to_dict()


def test_all_kinds_of_values():
    text = "a = dict(b=[1, -2.5, (None, True)], c={'k-l': {1, 2}})\nd = inf\n"
    assert parse_config_text(text) == {"a": {"b": [1, -2.5, (None, True)], "c": {"k-l": {1, 2}}}, "d": float("inf")}


@pytest.mark.parametrize(
    "text",
    (
        "import os",
        "a = open('x')",
        "a = __import__('os').system('true')",
        "a = [x for x in (1, 2)]",
        "a = dict(**b)",
        "a: int = 1",
        "a = (",
    ),
)
def test_code_is_refused(text):
    with pytest.raises(CheckpointError, match="x.pth.*more than plain values.*Give the config file"):
        config_of_checkpoint({"cfg": text}, "x.pth")


NO_COMPONENTS = (
    *("os.system", "mmengine.load", "mmdet.apis.inference.x", "subprocess.run"),  # functions
    *("mmengine.Config", "mmdet.QPIC.x", "hostile", "antigravity", "os", ""),  # classes and modules
)


@pytest.mark.parametrize("name", NO_COMPONENTS)
@pytest.mark.parametrize("place", ("model", "test_dataloader", "visualizer"))
def test_what_is_no_component_is_refused(name, place):
    with pytest.raises(CheckpointError, match=f"'{name}', which is no registered component"):
        config_of_checkpoint({"cfg": f"{place} = dict(backbone=[dict(type='{name}')])"}, "x.pth")


def test_name_of_a_component_that_is_a_module_too_is_refused(module):
    """A registry of another kind would not find it, and mmengine would import the module."""
    MODELS.register_module(module.stem, module=nn.Identity)
    try:
        with pytest.raises(CheckpointError, match="which is no registered component"):
            config_of_checkpoint({"cfg": f"model = dict(type='{module.stem}')"}, "x.pth")
    finally:
        MODELS.module_dict.pop(module.stem)


@pytest.fixture
def module(tmp_path, monkeypatch):
    """A module that nobody has imported, and that writes a file when somebody does; also its ``registry``."""
    name = f"hostile_{tmp_path.name}"
    package = tmp_path / "place" / name
    package.mkdir(parents=True)
    for file in ("__init__.py", "registry.py"):
        (package / file).write_text(f"open({str(tmp_path / 'victim')!r}, 'w').close()")
    monkeypatch.syspath_prepend(str(package.parent))
    yield package
    assert not (tmp_path / "victim").exists() and name not in sys.modules


HOSTILE = {
    "default scope": "default_scope = '{}'",
    "scope of the model": "model = dict(type='QPIC', _scope_='{}')",
    "scope of a part": "model = dict(type='QPIC', neck=[dict(_scope_='{}', type='FPN')])",
    "scope of the data": "test_dataloader = dict(dataset=dict(type='HOIDataset', pipeline=[dict(_scope_='{}')]))",
    "scope in front of a name": "model = dict(type='{}.QPIC')",
    "bare name": "model = dict(type='{}')",
    "bare name of a part": "model = dict(type='QPIC', backbone=dict(type='{}'))",
}


@pytest.mark.parametrize("door", (init_model, HOIInferencer, lambda _, file: publish_checkpoint(file, f"{file}-out")))
@pytest.mark.parametrize("way", HOSTILE)
def test_no_module_is_imported(way, door, module, tmp_path):
    values = tiny_config().to_dict() | parse_config_text(HOSTILE[way].format(module.name))
    text = "\n".join(f"{name} = {value!r}" for name, value in values.items())
    torch.save({"state_dict": {}, "meta": {"cfg": text}}, tmp_path / "bad.pth")
    with pytest.raises(CheckpointError, match=f"bad.pth: its config .*{module.name}.*, so it is not used"):
        door(None, tmp_path / "bad.pth")


def test_mmengine_would_import_the_module(module, tmp_path):
    """The texts are what they claim to be."""
    for way in ("default scope", "bare name"):
        values = tiny_config().to_dict() | parse_config_text(HOSTILE[way].format(module.name))
        with pytest.raises(Exception, match="."):
            build_model(Config(values))
        assert (tmp_path / "victim").exists()
        (tmp_path / "victim").unlink()
        for name in [name for name in sys.modules if name.startswith(module.name)]:
            del sys.modules[name]


@pytest.mark.parametrize("scope", ("None", "5", "['mmdet']", "''", "'mmdet.apis'"))
def test_odd_scopes_are_refused(scope):
    for text in (f"default_scope = {scope}", f"model = dict(type='QPIC', _scope_={scope})"):
        with pytest.raises(CheckpointError, match="x.pth: its config names the scope"):
            config_of_checkpoint({"cfg": text}, "x.pth")


@pytest.mark.parametrize("scope", SCOPES)
def test_known_scopes_are_taken(scope):
    text = f"default_scope = '{scope}'\nmodel = dict(type='QPIC', backbone=dict(type='ResNet', _scope_='{scope}'))"
    assert config_of_checkpoint({"cfg": text}, "x.pth").default_scope == scope


def test_registered_names_with_scope_are_taken():
    text = "model = dict(type='mmdet.DETR', neck=dict(type='ChannelMapper'))\noptim_wrapper = dict(type='torch.x.y')"
    assert config_of_checkpoint({"cfg": text}, "x.pth").model.type == "mmdet.DETR"


@pytest.mark.parametrize("meta", ({}, {"cfg": ""}, {"cfg": 5}), ids=("nothing", "empty", "no text"))
def test_no_config(meta):
    with pytest.raises(CheckpointError, match="x.pth holds no config"):
        config_of_checkpoint(meta, "x.pth")
