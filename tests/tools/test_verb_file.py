"""The tool that makes HOICLIP's verb classifier, on a few toy images."""

from pathlib import Path

import pytest
import torch
from mmengine.config import Config

from hqm_mmdet.checkpoints import write_checkpoint
from hqm_mmdet.datasets.toy import ToySettings, make_toy_hoi
from hqm_mmdet.models.clip import CLIP, CLIPSize
from hqm_mmdet.models.heads.hoiclip_head import read_verb_file
from hqm_mmdet.safetensors_io import read_safetensors

SIZE = dict(image_size=32, patch_size=16, vision_width=64, vision_layers=1, text_width=64, text_layers=1, embed_dims=24)


@pytest.fixture
def config(tmp_path):
    make_toy_hoi(tmp_path / "toy", ToySettings(num_train=6, num_test=0), False)
    torch.manual_seed(0)
    write_checkpoint(tmp_path / "clip.pth", CLIP(CLIPSize(**SIZE)).state_dict(), {})
    file = tmp_path / "config.py"
    file.write_text(f"""
model = dict(clip=dict(weights={str(tmp_path / "clip.pth")!r}), bbox_head=dict(hois="toy_hoi"))
train_dataloader = dict(
    dataset=dict(
        type="ToyHOIDataset",
        data_root={str(tmp_path / "toy")!r} + "/",
        ann_file="annotations/trainval_toy.json",
        data_prefix=dict(img="images/train/"),
    )
)
""")
    return file


def test_interrupted_run_goes_on(call, config, tmp_path, monkeypatch, capsys):
    assert not call("clip/make_verb_file", config, tmp_path / "whole.safetensors")
    whole = read_safetensors(tmp_path / "whole.safetensors")["state_dict"]["weight"]
    assert whole.shape == (11, 24)
    lengths = whole.norm(dim=1)
    assert (((lengths - 1).abs() < 1e-5) | (lengths == 0)).all() and lengths.sum() > 2

    embed = CLIP.of_state.__func__
    calls = []

    def stops_after_a_while(cls, state):
        model = embed(cls, state)
        plain = model.visual.embed

        def counted(images):
            calls.append(1)
            if len(calls) == 4:
                raise KeyboardInterrupt
            return plain(images)

        model.visual.embed = counted
        return model

    arguments = ("clip/make_verb_file", config, tmp_path / "parts.safetensors", "--save-every", "1")
    with monkeypatch.context() as patch:
        patch.setattr(CLIP, "of_state", classmethod(stops_after_a_while))
        with pytest.raises(KeyboardInterrupt):
            call(*arguments)
    assert (tmp_path / "parts.safetensors.partial.safetensors").is_file()
    assert not call(*arguments)
    assert "going on after 3 images" in capsys.readouterr().out
    parts = read_safetensors(tmp_path / "parts.safetensors")["state_dict"]["weight"]
    assert torch.equal(parts, whole)
    assert not (tmp_path / "parts.safetensors.partial.safetensors").exists()


def test_other_images_are_not_mixed_in(call, config, tmp_path, capsys):
    from hqm_mmdet.safetensors_io import safetensors_bytes

    partial = tmp_path / "out.safetensors.partial.safetensors"
    partial.write_bytes(safetensors_bytes({"hois": torch.zeros(1, 1)}, {"run": "other", "images": 2}))
    assert call("clip/make_verb_file", config, tmp_path / "out.safetensors") == 2
    assert "other images, pairs or CLIP weights" in capsys.readouterr().err


def test_what_is_no_hoiclip(call, tmp_path, capsys):
    file = tmp_path / "config.py"
    file.write_text("model = dict(bbox_head=dict())")
    assert call("clip/make_verb_file", file, tmp_path / "out.safetensors") == 2
    assert "is no HOICLIP" in capsys.readouterr().err


def test_the_config_says_where_to(call, config, tmp_path, capsys):
    assert call("clip/make_verb_file", config) == 2
    assert "names no model.bbox_head.verb_file" in capsys.readouterr().err
    out = tmp_path / "verbs.safetensors"
    config.write_text(config.read_text() + f"\nmodel['bbox_head']['verb_file'] = {str(out)!r}\n")
    assert not call("clip/make_verb_file", config)
    assert read_safetensors(out)["state_dict"]["weight"].shape == (11, 24)


def test_missing_verb_file():
    with pytest.raises(FileNotFoundError, match=r"no verb file there.safetensors .*make_verb_file.py CONFIG"):
        read_verb_file("there.safetensors", (2, 3))


def test_zero_shot_configs_read_files_of_their_own():
    """What a split must not see is not in its verb file, so no other config may share that file."""
    files = [
        Config.fromfile(file).model.bbox_head.verb_file for file in Path("configs").glob("hoiclip_*_hico.py")
        if "hqm" not in file.name and "released" not in file.name
    ]  # fmt: skip
    assert len(files) == len(set(files)) == 13
    assert "weights/verbs_hico.safetensors" not in files
