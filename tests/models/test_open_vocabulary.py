"""A head that scores what a user asks for."""

import pytest
import torch

from hqm_mmdet.apis import build_model
from hqm_mmdet.models.clip import CLIP, CLIPSize, PromptError
from hqm_mmdet.models.heads.open_vocabulary import ask_for, parse_interaction
from hqm_mmdet.structures import load_hoi_classes
from tests.models.tiny import random_batch
from tests.models.tiny_text import CLIP as CLIP_CONFIG
from tests.models.tiny_text import tiny_genvlkt_config, tiny_hoiclip_config

TOY = dict(hois="toy_hoi", num_obj_classes=9, num_verbs=11)


@pytest.mark.parametrize(
    ("text", "verb", "obj"),
    (
        ("a person repairing a bicycle", "repairing", "a bicycle"),
        ("A photo of a person sitting on the  fire hydrant.", "sitting on", "the fire hydrant"),
        ("someone waving", "waving", None),
        ("a man cutting a cake with a knife", "cutting a cake with", "a knife"),
        ("a person standing on a box", "standing on", "a box"),
    ),
)
def test_parts(text, verb, obj):
    parsed = parse_interaction(text)
    assert (parsed.verb, parsed.obj) == (verb, obj)
    assert parsed.prompt == f"a photo of a person {verb}" + (f" {obj}" if obj else "")


@pytest.mark.parametrize("text", ("riding a bicycle", "a person", "", "a personal bicycle"))
def test_what_is_no_interaction(text):
    with pytest.raises(PromptError, match="must read like 'a person repairing a bicycle'"):
        parse_interaction(text)


@pytest.fixture(params=(tiny_genvlkt_config, tiny_hoiclip_config))
def model(request, tmp_path):
    torch.manual_seed(0)
    torch.save(CLIP(CLIPSize(**CLIP_CONFIG["size"])).state_dict(), tmp_path / "clip.pth")
    cfg = request.param()
    cfg.model.bbox_head.update(TOY, clip=str(tmp_path / "clip.pth"), loss_image=None)
    cfg.model["clip" if "clip" in cfg.model else "mimic_clip"].weights = str(tmp_path / "clip.pth")
    return build_model(cfg).eval()


def scores(model):
    with torch.no_grad():
        return model(*random_batch([1]), mode="predict")[0].pred_pairs


def test_known_interactions_score_as_in_the_data_set(model):
    """Asking for classes that the head has changes nothing about them."""
    own, before = load_hoi_classes("toy_hoi").names(), scores(model)
    asked = ask_for(
        model.bbox_head,
        ["a person riding a horse", "a person waving", "a person kicking a ball"],
        model.bbox_head.clip,
    )
    assert asked.names() == [("ride", "horse"), ("wave", None), ("kick", "ball")]
    after = scores(model)
    columns = [own.index(name) for name in asked.names()]
    torch.testing.assert_close(after.hoi_scores, before.hoi_scores[:, columns])
    assert torch.equal(after.obj_labels, before.obj_labels)


def test_new_combinations_verbs_and_objects(model):
    before = scores(model)
    asked = ask_for(
        model.bbox_head,
        ["a person carrying a horse", "a person repairing a bicycle", "a person riding an elephant"],
        model.bbox_head.clip,
    )
    assert asked.names() == [("carry", "horse"), ("repairing", "bicycle"), ("ride", "elephant")]
    pairs = scores(model)
    assert pairs.hoi_scores.shape == (len(before), 3)
    assert ((pairs.hoi_scores > 0) & (pairs.hoi_scores < 2)).all()
    assert pairs.hois is asked
    again = scores(model)
    assert torch.equal(again.hoi_scores, pairs.hoi_scores)


def test_messages(model):
    with pytest.raises(PromptError, match="no interaction to look for"):
        ask_for(model.bbox_head, [], model.bbox_head.clip)
    with pytest.raises(PromptError, match=r"'quokka'.*vocab.json"):
        ask_for(model.bbox_head, ["a person feeding a quokka"], model.bbox_head.clip)
