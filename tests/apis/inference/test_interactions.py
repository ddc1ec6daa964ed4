"""Prediction of what a user asks for in words: inferencer, command line, messages."""

import json

import pytest
import torch
from click.testing import CliRunner

from hqm_mmdet.apis import HOIInferencer
from hqm_mmdet.errors import ConfigError
from hqm_mmdet.models.clip import PromptError
from hqm_mmdet_cli.predict import predict
from tests.apis.conftest import noise
from tests.apis.text_checkpoint import META, write_text_checkpoint

TEXTS = ("a person repairing a bicycle", "a person riding a horse")


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    return write_text_checkpoint(tmp_path_factory.mktemp("hoiclip"))


def inferencer(checkpoint, **options):
    return HOIInferencer(checkpoint, device="cpu", show_progress=False, **options)


def test_data_sets_own_classes_need_no_clip(files):
    own = inferencer(files[0])
    prediction = next(own.stream(noise(90, 60)))
    assert "hoi_scores" in prediction.sample.pred_pairs
    shown = own.show(prediction.sample, own.selection(0.0, 5, (), ()))
    assert shown and all(0 <= score <= 1 for pair in shown for score in pair.scores)


def test_interactions(files):
    asked = inferencer(files[0], interactions=TEXTS)
    meta = asked.model.dataset_meta
    assert meta["verbs"][-1] == "repairing" and meta["classes"] == META["classes"]
    result = asked(noise(90, 60), pred_score_thr=0, return_vis=True)
    (entry,), (picture,) = result["predictions"], result["visualization"]
    named = {(hoi["verb"], hoi["object"]) for hoi in entry["hoi_prediction"] if hoi["score"] > 0}
    assert named <= {("repairing", "bicycle"), ("ride", "horse")}
    assert picture.ndim == 3


def test_text_file_and_new_verbs(files, tmp_path):
    (tmp_path / "texts.txt").write_text("\n".join([*TEXTS, "", "a person waving"]))
    asked = inferencer(files[0], interactions=[str(tmp_path / "texts.txt")], new_verbs=["washing"])
    hois = asked.model.bbox_head.hois
    assert hois.names()[:3] == [("repairing", "bicycle"), ("ride", "horse"), ("wave", None)]
    assert hois.names()[3:] == [("washing", name) for name in META["classes"]]
    with pytest.raises(FileNotFoundError, match=r"absent.txt.*one interaction per line"):
        inferencer(files[0], interactions=["absent.txt"])


def test_command_line(files, tmp_path):
    noise(90, 60).save(tmp_path / "photo.jpg")
    words = [tmp_path / "photo.jpg", "--checkpoint", files[0], "--device", "cpu", "--out", tmp_path / "out", "--quiet"]
    words += ["--score-thr", 0, "--top-k", 4, "--clip", files[1], "--interactions", *TEXTS]
    result = CliRunner().invoke(predict, [str(word) for word in words])
    assert result.exit_code == 0, result.output
    (entry,) = json.loads((tmp_path / "out" / "predictions.json").read_text())
    assert len(entry["hoi_prediction"]) == 4

    words[-2:] = ["a person feeding a quokka"]
    result = CliRunner().invoke(predict, [str(word) for word in words])
    assert result.exit_code == 2
    assert "'quokka'" in result.output and "vocab.json" in result.output


def test_messages(files, checkpoint, tmp_path):
    with pytest.raises(ConfigError, match="this is a QPIC"):
        inferencer(checkpoint, interactions=TEXTS)
    with pytest.raises(PromptError, match="must read like"):
        inferencer(files[0], interactions=["riding"])
    with pytest.raises(FileNotFoundError, match="model.safetensors"):
        inferencer(files[0], interactions=TEXTS, clip=tmp_path / "nowhere.pt")


def test_attention(files):
    """A pair's two queries count as heads; of the interaction decoder the detector's memory is shown."""
    _, maps = inferencer(files[0]).attention(noise(90, 60))
    assert [tuple(weights.shape[:2]) for weights in maps.layers.values()] == [(8, 7), (8, 7), (4, 7), (4, 7)]
    assert all(torch.allclose(weights.sum((2, 3)), torch.ones(1)) for weights in maps.layers.values())
