"""From configs and checkpoints to models: what is read, and what is left behind when building fails."""

import logging

import pytest
import torch
from mmengine.logging import MMLogger
from mmengine.model import BaseModule

from hqm_mmdet.apis import HOIInferencer, build_model, init_model
from hqm_mmdet.apis.deployment import export_onnx, publish_checkpoint
from hqm_mmdet.checkpoints import files
from hqm_mmdet.errors import ConfigError, UserError
from hqm_mmdet.safe_loading import CheckpointError
from tests.apis.conftest import inference_config
from tests.models.tiny import tiny_config

DOORS = {
    "init_model": lambda config, file, out: init_model(config, file),
    "HOIInferencer": lambda config, file, out: HOIInferencer(config, file, device="cpu"),
    "HOIInferencer with the checkpoint alone": lambda config, file, out: HOIInferencer(file, device="cpu"),
    "publish": lambda config, file, out: publish_checkpoint(file, out / "tiny", config),
    "export": lambda config, file, out: export_onnx(config, file, out / "tiny.onnx"),
}


@pytest.mark.parametrize("config", (None, inference_config()), ids=("config of the checkpoint", "config given"))
@pytest.mark.parametrize("door", DOORS)
def test_a_checkpoint_is_read_once(door, config, checkpoint, tmp_path, monkeypatch):
    if door == "export":
        pytest.importorskip("onnxruntime", reason="needs the extra [export]")
    read, load = [], files.load_untrusted

    def note(file, *args):
        read.append(str(file))
        return load(file, *args)

    monkeypatch.setattr(files, "load_untrusted", note)
    DOORS[door](config, checkpoint, tmp_path)
    assert read.count(checkpoint) == 1
    assert len(set(read)) == len(read)  # what publishing writes is read again, once


@pytest.mark.parametrize("content", ([1, 2], {"state_dict": 3}, {"state_dict": {}, "meta": 5}, 7), ids=repr)
def test_what_is_no_checkpoint_is_named(content, tmp_path):
    torch.save(content, tmp_path / "odd.pth")
    with pytest.raises(CheckpointError, match="odd.pth holds no weights"):
        init_model(tiny_config(), tmp_path / "odd.pth")


@pytest.mark.parametrize("call", (init_model, HOIInferencer))
def test_neither_config_nor_checkpoint(call):
    with pytest.raises(ConfigError, match="checkpoint that holds") as caught:
        call()
    assert isinstance(caught.value, UserError)


@pytest.mark.parametrize("step", ("build", "init_weights"))
def test_logger_is_as_loud_as_before_when_building_fails(step, monkeypatch):
    logger = MMLogger.get_current_instance()
    level, config = logger.level, tiny_config()
    logger.setLevel(logging.DEBUG)
    if step == "build":
        config.model.num_queries = "many"
    else:
        monkeypatch.setattr(BaseModule, "init_weights", lambda self: 1 / 0)
    with pytest.raises((ConfigError, ZeroDivisionError)):
        build_model(config)
    left_at = logger.level
    logger.setLevel(level)
    assert left_at == logging.DEBUG
