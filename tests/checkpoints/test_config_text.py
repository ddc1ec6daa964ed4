"""Configs in checkpoints are data."""

from pathlib import Path

import pytest
from mmengine.config import Config

from hqm_mmdet.checkpoints.config_text import config_of_checkpoint, parse_config_text
from hqm_mmdet.safe_loading import CheckpointError

CONFIGS = sorted((Path(__file__).parents[2] / "configs").glob("*.py"))


@pytest.mark.parametrize("path", CONFIGS, ids=lambda path: path.stem)
def test_every_config_comes_back(path):
    config = Config.fromfile(path, import_custom_modules=False)
    content = {"meta": {"cfg": config.pretty_text}}
    assert config_of_checkpoint(content, "x.pth").to_dict() == config.to_dict()


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
        config_of_checkpoint({"meta": {"cfg": text}}, "x.pth")


@pytest.mark.parametrize("name", ("os.system", "mmengine.load", "mmdet.apis.inference.x", "subprocess.run"))
def test_functions_by_dotted_name_are_refused(name):
    text = f"model = dict(backbone=[dict(type='{name}')])"
    with pytest.raises(CheckpointError, match=f"'{name}', which is no registered component"):
        config_of_checkpoint({"meta": {"cfg": text}}, "x.pth")


def test_registered_names_with_scope_are_taken():
    text = "model = dict(type='mmdet.DETR', neck=dict(type='ChannelMapper'))\noptim_wrapper = dict(type='torch.x.y')"
    assert config_of_checkpoint({"meta": {"cfg": text}}, "x.pth").model.type == "mmdet.DETR"


@pytest.mark.parametrize("content", ({}, {"meta": {}}, {"meta": {"cfg": ""}}), ids=("nothing", "no config", "empty"))
def test_no_config(content):
    with pytest.raises(CheckpointError, match="x.pth holds no config"):
        config_of_checkpoint(content, "x.pth")
