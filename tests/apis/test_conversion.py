"""Files of other code bases: said to be so, converted with all that predicting needs, or converted in memory."""

import json
import re
from dataclasses import replace

import pytest
import torch

from hqm_mmdet.apis import HOIInferencer
from hqm_mmdet.apis.conversion import convert_to_file, fitting_config, read_complete
from hqm_mmdet.checkpoints import SOURCES
from hqm_mmdet.checkpoints.files import Checkpoint
from hqm_mmdet.checkpoints.sources import foreign_source
from hqm_mmdet.safe_loading import CheckpointError
from tests.apis.conftest import META, inference_config, noise
from tests.checkpoints.test_convert import official_detr
from tests.cli.running import run
from tests.models.tiny import tiny_model

OFFICIAL = {  # our names -> QPIC's
    r"^backbone\.": "backbone.0.body.",
    r"^neck\.convs\.0\.conv\.": "input_proj.",
    r"^query_embedding\.": "query_embed.",
    r"^decoder\.post_norm\.": "transformer.decoder.norm.",
    r"^(encoder|decoder)\.": r"transformer.\1.",
    r"\.cross_attn\.attn\.": ".multihead_attn.",
    r"\.self_attn\.attn\.": ".self_attn.",
    r"\.ffn\.layers\.0\.0\.": ".linear1.",
    r"\.ffn\.layers\.1\.": ".linear2.",
    r"\.norms\.0\.": ".norm1.",
    r"\.norms\.1\.": ".norm2.",
    r"\.norms\.2\.": ".norm3.",
    r"^bbox_head\.(obj|verb)_cls\.": lambda match: f"{dict(obj='obj', verb='verb')[match[1]]}_class_embed.",
    r"^bbox_head\.(sub|obj)_box\.": r"\1_bbox_embed.",
}


def official_name(name):
    for pattern, replacement in OFFICIAL.items():
        name = re.sub(pattern, replacement, name)
    return name


@pytest.fixture
def model():
    return tiny_model(seed=3)


@pytest.fixture
def official(model, tmp_path, monkeypatch):
    """A file as QPIC's code writes it, and the one config that is known for such files, which fits."""
    monkeypatch.chdir(tmp_path)
    noise(60, 40).save(tmp_path / "photo.jpg")
    state = {official_name(name): value for name, value in model.state_dict().items() if "num_batches" not in name}
    torch.save(dict(model=state, epoch=3), tmp_path / "qpic.pth")
    inference_config().dump(tmp_path / "tiny.py")
    other = inference_config()
    other.model.num_queries = 9
    other.dump(tmp_path / "other.py")
    configs = (str(tmp_path / "other.py"), str(tmp_path / "tiny.py"))
    monkeypatch.setitem(SOURCES, "qpic", replace(SOURCES["qpic"], configs=configs))
    return tmp_path / "qpic.pth"


def test_the_file_gets_the_first_config_that_fits_and_the_names(official, model, tmp_path):
    checkpoint, report, name = read_complete(official)
    assert (report.source, name) == ("qpic", str(tmp_path / "tiny.py")) and not report.missing
    assert all(
        torch.equal(checkpoint.state[key], value)
        for key, value in model.state_dict().items()
        if key in checkpoint.state
    )
    assert tuple(checkpoint.meta["dataset_meta"]["verbs"]) == META["verbs"]
    assert checkpoint.config().model.num_queries == 7
    assert fitting_config(checkpoint.state, (str(tmp_path / "other.py"),)) is None


def test_a_converted_file_alone_predicts(official, tmp_path, capsys):
    assert run("convert", official, "own.pth", "--quiet") == 0
    assert "hqm-mmdet predict photo.jpg --checkpoint own.pth" in capsys.readouterr().out
    assert run("predict", "photo.jpg", "--checkpoint", "own.pth", "--device", "cpu", "--score-thr", 0, "--quiet") == 0
    (entry,) = json.loads((tmp_path / "predictions" / "predictions.json").read_text())
    assert {hoi["verb"] for hoi in entry["hoi_prediction"]} == set(META["verbs"])


def test_predict_says_what_the_file_is_and_converts_it_if_asked(official, tmp_path, capsys):
    words = ("predict", "photo.jpg", "--checkpoint", "qpic.pth", "--device", "cpu", "--score-thr", 0, "--quiet")
    assert run(*words) == 2
    error = capsys.readouterr().err
    assert "qpic.pth is of another code base (official QPIC)" in error
    assert "hqm-mmdet convert qpic.pth qpic_converted.pth`" in error and "--convert" in error
    assert run(*words, "--convert", "--out", "in_memory") == 0
    told = capsys.readouterr().err
    assert "official QPIC, converted for the config" in told and "hqm-mmdet convert qpic.pth qpic_converted.pth" in told
    convert_to_file("qpic.pth", "own.pth")
    assert run("predict", "photo.jpg", "--checkpoint", "own.pth", *words[4:], "--out", "from_file") == 0
    files = [tmp_path / folder / "predictions.json" for folder in ("in_memory", "from_file")]
    assert files[0].read_text() == files[1].read_text()


def test_what_finds_no_pairs_or_fits_no_config_is_said(official, tmp_path, capsys, monkeypatch):
    torch.save(dict(model=official_detr()), "detr.pth")
    words = ("predict", "photo.jpg", "--device", "cpu", "--quiet", "--checkpoint")
    assert run(*words, "detr.pth") == 2
    assert "(official DETR, as initialisation)" in capsys.readouterr().err
    assert run(*words, "detr.pth", "--convert") == 2
    assert "finds no pairs; a training starts from it" in capsys.readouterr().err
    monkeypatch.setitem(SOURCES, "qpic", replace(SOURCES["qpic"], configs=(str(tmp_path / "other.py"),)))
    assert run(*words, "qpic.pth", "--convert") == 2
    assert "fits none of the project's configs" in capsys.readouterr().err
    assert run(*words, "qpic.pth", "--convert", "--config", "tiny.py") == 0
    assert "--config tiny.py" in capsys.readouterr().err


def test_files_of_ours_are_not_taken_for_those_of_others(official, model):
    with pytest.raises(CheckpointError, match="official QPIC"):
        HOIInferencer(weights=official, device="cpu")
    for kind in ("QPIC", "CDN", "ConditionalHOI"):
        options = dict(interaction_decoder=model_decoder()) if kind == "CDN" else {}
        state = tiny_model(type=kind, **options).state_dict()
        assert foreign_source(state) is foreign_source(dict(state_dict=state)) is None, kind
    assert Checkpoint.read(write(model)).state


def model_decoder():
    return inference_config().model.decoder


def write(model):
    torch.save(dict(state_dict=model.state_dict()), "ours.pth")
    return "ours.pth"
