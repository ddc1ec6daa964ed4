"""Official HOTR checkpoints, and a HOTR started from a DETR."""

import subprocess
import sys

import pytest
import torch

from hqm_mmdet.apis import build_model
from hqm_mmdet.checkpoints import convert_state_dict, recognise
from hqm_mmdet.checkpoints.loading import load_weights
from hqm_mmdet.safe_loading import CheckpointError, load_untrusted
from tests.checkpoints.test_convert import CONVERT, as_mmdet, environment, official_detr
from tests.models.hotr_reference import hotr_weights
from tests.models.reference import load_json, official_weights
from tests.models.tiny_hotr import tiny_hotr, tiny_hotr_config

CONFIG = CONVERT.parents[2] / "configs" / "hotr_hico.py"


def whole_detr():
    """Every part of a DETR, by official names."""
    return official_detr() | {
        "input_proj.weight": torch.rand(4, 2, 1, 1),
        "transformer.decoder.layers.0.multihead_attn.in_proj_weight": torch.rand(12, 4),
        "transformer.decoder.norm.weight": torch.rand(4),
    }


@pytest.mark.parity
@pytest.mark.parametrize("dataset", ("hico", "vcoco"))
def test_official_checkpoint_becomes_every_parameter_once(reference_dir, dataset):
    state = hotr_weights(reference_dir, dataset)
    aliases = load_json(reference_dir, "hotr", "hotr_alias_keys.json")
    assert recognise(state) == "hotr" and set(aliases) < set(state)
    converted, report = convert_state_dict(state)
    assert not report.dropped and set(report.renamed) == set(state)
    assert len(converted) == len(state) - len(aliases)
    for alias, name in aliases.items():
        assert report.renamed[alias] == report.renamed[name]
    for official, ours in report.renamed.items():
        assert torch.equal(state[official], converted[ours])


@pytest.mark.parity
def test_either_name_of_the_encoder_will_do(reference_dir):
    state = hotr_weights(reference_dir, "hico")
    aliases = load_json(reference_dir, "hotr", "hotr_alias_keys.json")
    whole, _ = convert_state_dict(state)
    for left_out in (aliases.keys(), aliases.values()):
        part, _ = convert_state_dict({name: value for name, value in state.items() if name not in left_out})
        assert set(part) == set(whole)
    alias = next(iter(aliases))
    state[alias] = state[alias] + 1
    with pytest.raises(ValueError, match="another name of encoder"):
        convert_state_dict(state)


@pytest.mark.parity
@pytest.mark.parametrize("copy_decoder", (True, False))
def test_start_from_detr_fills_the_frozen_branch(reference_dir, copy_decoder):
    detr = official_weights(reference_dir, "qpic", "detr_r50")
    converted, report = convert_state_dict(detr, model="hotr", copy_decoder=copy_decoder)
    assert not report.dropped
    torch.manual_seed(0)
    model = build_model(CONFIG)
    before = {name: value.clone() for name, value in model.state_dict().items()}
    load_weights(model, converted, "detr.pth", partial=True)
    after = model.state_dict()
    unchanged = {name for name, value in before.items() if torch.equal(value, after[name])}
    own = ("query_embedding.", "bbox_head.sub_pointer.", "bbox_head.obj_pointer.", "bbox_head.verb_cls.")
    assert {name for name in converted if name in unchanged} == set()
    for name in before:
        if name.startswith(own) or (name.startswith("decoder.") and not copy_decoder):
            assert name in unchanged, name
        elif not name.endswith("num_batches_tracked"):
            assert name not in unchanged, name
    assert torch.equal(after["bbox_head.instance_head.cls.weight"], detr["class_embed.weight"])
    assert torch.equal(after["instance_queries.weight"], detr["query_embed.weight"])
    for name, value in after.items():
        if name.startswith("decoder."):
            assert torch.equal(value, after[f"instance_{name}"]) == copy_decoder


def test_mmdet_detr_gives_the_same_probabilities():
    detr = whole_detr()
    official, _ = convert_state_dict(detr, model="hotr")
    converted, _ = convert_state_dict(as_mmdet(detr), model="hotr")
    assert set(converted) == set(official)
    head = "bbox_head.instance_head.cls"
    for name, tensor in official.items():
        if not name.startswith(head):
            assert torch.equal(converted[name], tensor), name
    states = torch.rand(3, 4)
    theirs, ours = (states @ c[f"{head}.weight"].T + c[f"{head}.bias"] for c in (official, converted))
    used = (converted[f"{head}.bias"] != -100).nonzero().flatten()
    assert len(used) == 81 and used[-1] == 91 and used[0] == 1
    torch.testing.assert_close(ours[:, used], theirs[:, used])
    torch.testing.assert_close(ours.softmax(-1)[:, used], theirs[:, used].softmax(-1))


def test_incomplete_detr_is_refused():
    with pytest.raises(ValueError, match="lacks.*neck.*decoder"):
        convert_state_dict(official_detr(), model="hotr")
    with pytest.raises(ValueError, match="hotr.*got model=.other"):
        convert_state_dict(official_detr(), model="other")


def test_frozen_branch_must_be_in_the_checkpoint():
    model = tiny_hotr(freeze_instances=True)
    state = model.state_dict()
    interaction = {n: v for n, v in state.items() if not n.startswith(model.required_parameters)}
    instances = {n: v for n, v in state.items() if n.startswith(model.required_parameters)}
    assert len(interaction) + len(instances) == len(state)
    load_weights(model, instances, "detr.pth", partial=True)
    with pytest.raises(CheckpointError, match="lacks.*backbone"):
        load_weights(model, interaction, "other.pth", partial=True)
    load_weights(build_model(tiny_hotr_config(freeze_instances=False)), interaction, "other.pth", partial=True)


def test_command(tmp_path):
    torch.save({"model": whole_detr()}, tmp_path / "detr.pth")
    command = [sys.executable, CONVERT, tmp_path / "detr.pth", tmp_path / "out.pth", "--model", "hotr"]
    done = subprocess.run([*command, "--random-decoder"], capture_output=True, text=True, env=environment())
    assert done.returncode == 0, done.stderr
    state = load_untrusted(tmp_path / "out.pth")["state_dict"]
    assert "decoder.post_norm.weight" not in state and "instance_decoder.post_norm.weight" in state
