"""convert, publish, export on the command line: what goes right is tested in tests/checkpoints and tests/apis, too."""

import importlib.util

import pytest
import torch

from hqm_mmdet.apis import init_model
from hqm_mmdet.safe_loading import load_untrusted
from tests.apis.toy_checkpoint import write_toy_checkpoint
from tests.checkpoints.test_convert import official_detr
from tests.cli.running import run


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    return write_toy_checkpoint(tmp_path_factory.mktemp("trained") / "epoch_3.pth")


@pytest.fixture(autouse=True)
def in_empty_folder(monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)


def test_publish(trained, tmp_path, capsys):
    assert run("publish", trained, "out/toy", "--format", "safetensors") == 0
    (file,) = (tmp_path / "out").iterdir()
    printed = capsys.readouterr().out
    assert f"wrote out/{file.name}" in printed and "4 tensors that only training needs left out" in printed
    assert init_model(None, file).query_mining is None


@pytest.mark.skipif(importlib.util.find_spec("onnxruntime") is None, reason="needs the extra [export]")
def test_export(trained, tmp_path, capsys):
    pytest.importorskip("onnx")
    assert run("export", "--checkpoint", trained, "--out", "toy.onnx") == 0
    assert "verb_scores  differs from PyTorch by at most" in capsys.readouterr().out
    assert (tmp_path / "toy.onnx").stat().st_size > 1e6


COMMANDS = dict(publish=("publish", "{}", "out"), export=("export", "--checkpoint", "{}", "--out", "out.onnx"))


@pytest.mark.parametrize("command", COMMANDS)
@pytest.mark.parametrize(
    ("file", "options", "message"),
    [
        ("none.pth", (), "none.pth does not exist"),
        ("text.pth", (), "text.pth was not loaded"),
        ("bare.pth", (), "bare.pth holds no config"),
        ("bare.pth", ("--config", "none.py"), "none.py does not exist"),
        ("bare.pth", ("--cfg-options", "a=1"), "--cfg-options changes the file that --config names"),
        ("bare.pth", ("--config", "configs/qpic_toy.py"), "lacks"),
        ("other.pth", ("--config", "configs/qpic_toy.py"), "(5, 128) in the checkpoint, (11, 128) in the model"),
    ],
)
def test_bad_inputs_are_one_message(command, file, options, message, tmp_path, capsys):
    pytest.importorskip("onnxruntime")
    (tmp_path / "text.pth").write_text("no checkpoint")
    torch.save(dict(state_dict={"a": torch.zeros(1)}), tmp_path / "bare.pth")
    torch.save(dict(state_dict={"bbox_head.verb_cls.weight": torch.zeros(5, 128)}), tmp_path / "other.pth")
    assert run(*(word.format(file) for word in COMMANDS[command]), *options) == 2
    error = capsys.readouterr().err
    assert message in error and "Traceback" not in error
    assert not list(tmp_path.glob("out*"))


def test_convert_says_what_the_model_lacks(tmp_path, capsys):
    torch.save(dict(model=official_detr(dim=256)), tmp_path / "detr.pth")
    assert run("convert", "detr.pth", "a.pth", "--quiet") == 0
    assert "3 renamed, 0 kept, 14 added, 0 dropped, missing unknown" in capsys.readouterr().out
    assert run("convert", "detr.pth", "b.pth", "--config", "configs/qpic_hico.py") == 2
    assert "backbone.conv1.weight is (2, 3, 1, 1), in the config's model (64, 3, 7, 7)" in capsys.readouterr().err
    assert not (tmp_path / "b.pth").exists() and "neck.convs.0.conv.weight" not in load_untrusted("a.pth")["state_dict"]
