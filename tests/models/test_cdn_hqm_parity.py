"""HQM on CDN against the numbers of the released code, with the recorded shifted boxes handed in.

The release puts the hard queries in front of the learnable ones and blocks self-attention between the groups in both
decoders. That equals two passes, so its numbers are ours. Modes of the fixture: ``hard`` and ``soft`` draw boxes with
and without an IoU test; in ``hard_cross`` hard queries may look at learnable ones, which separate passes cannot express
(and the paper does not want: its passes share parameters only), so of that mode only the learnable part is comparable.
"""

import numpy as np
import pytest
import torch

from hqm_mmdet.models.query_mining import JitterBoxShift, LearnablePass, pair_geometry
from tests.models.reference import (
    annotate,
    images,
    load_arrays,
    load_converted,
    load_json,
    official_name,
    official_weights,
)
from tests.models.test_cdn_parity import TOLERANCES, recorded_targets

pytestmark = pytest.mark.parity


class Released:
    """The model, its inputs and what the released code computed."""

    def __init__(self, reference_dir, tmp_path):
        weights = official_weights(reference_dir, "cdn", "cdn_hqm_hico")
        self.model, self.report = load_converted("ablations/cdn_s_hqm_hico_released.py", weights, tmp_path)
        self.recorded = load_arrays(reference_dir, "cdn", "cdn_hqm_hico.npz")
        self.losses = load_json(reference_dir, "cdn", "cdn_hqm_hico_loss.json")["modes"]
        self.inputs, _ = images(self.recorded)
        self.miner = self.model.query_mining.miners.gbs

    def samples(self):
        return annotate(images(self.recorded)[1], recorded_targets(self.recorded), self.model.bbox_head.num_verbs)

    def hand_in(self, mode, monkeypatch):
        """Recorded boxes in place of drawn ones."""
        boxes = torch.from_numpy(self.recorded[f"{mode}_positions"])
        monkeypatch.setattr(self.miner, "shift", lambda *args: (boxes[..., :4], boxes[..., 4:8]))

    @torch.no_grad()
    def passes(self):
        """Learnable pass and hard pass: predictions of each, hard queries, assignment."""
        model, samples = self.model.eval(), self.samples()
        memory = model.encode(self.inputs, samples)
        queries = model.learnable_queries(memory)
        preds = model.bbox_head(model.decode(queries, memory))
        targets = model.bbox_head.targets(samples)
        learnable = LearnablePass(queries, memory, targets, model.bbox_head.assign(preds, targets))
        (hard,) = model.query_mining(learnable)
        return preds, model.bbox_head(model.decode(hard, memory)), hard, learnable.assigned


@pytest.fixture(scope="module")
def released(reference_dir, tmp_path_factory):
    return Released(reference_dir, tmp_path_factory.mktemp("released"))


def check(preds, recorded, prefix, chosen=(...,)):
    for name, atol in TOLERANCES.items():
        expected = recorded[f"{prefix}_{name}"][chosen]
        np.testing.assert_allclose(preds[name][chosen], expected, rtol=0, atol=atol, err_msg=name)


def test_every_official_weight_has_a_place(released):
    assert not released.report.dropped


@pytest.mark.parametrize("mode", ("hard", "hard_cross"))
def test_learnable_pass(released, mode, monkeypatch):
    released.hand_in(mode, monkeypatch)
    preds, _, _, assigned = released.passes()
    check({name: value[-1] for name, value in preds.items()}, released.recorded, f"{mode}_last_pred")
    for image in range(2):
        chosen = assigned.image == image
        ours = dict(zip(assigned.target[-1, chosen].tolist(), assigned.query[-1, chosen].tolist(), strict=True))
        gt, query = (released.recorded[f"{mode}_match_{name}{image}"].tolist() for name in ("gt", "query"))
        assert ours == dict(zip(gt, query, strict=True))


@pytest.mark.parametrize("mode", ("hard", "soft"))
def test_queries_and_outputs_of_a_separate_pass_equal_the_concatenated_one(released, mode, monkeypatch):
    released.hand_in(mode, monkeypatch)
    _, preds, hard, _ = released.passes()
    np.testing.assert_allclose(hard.pos, released.recorded[f"{mode}_queries"], atol=2e-5)
    check(preds, released.recorded, f"{mode}_gt")  # all slots, those that stand for no pair too


def test_padding_masked_as_by_default_changes_shorter_images_only(released, monkeypatch):
    released.hand_in("hard", monkeypatch)
    monkeypatch.setattr(released.miner, "mask_padding", True)
    _, preds, _, _ = released.passes()
    check(preds, released.recorded, "hard_gt", (slice(None), 0))
    second = released.recorded["hard_gt_verb_logits"][:, 1, :2]
    assert np.abs(preds["verb_logits"][:, 1, :2].numpy() - second).max() > 5 * TOLERANCES["verb_logits"]


@pytest.mark.parametrize("mode", ("hard", "soft"))
def test_shift_applies_recorded_draws(released, mode):
    draws = np.split(released.recorded[f"{mode}_draws"], np.cumsum(released.recorded[f"{mode}_draw_rows"])[:-1])
    for i, target in enumerate(recorded_targets(released.recorded)):
        expected = released.recorded[f"{mode}_positions"][i, : len(target["obj_labels"])]
        boxes = (torch.from_numpy(target[name]) for name in ("sub_boxes", "obj_boxes"))
        pair = zip(boxes, draws[2 * i : 2 * i + 2], strict=True)
        moved = [JitterBoxShift().move(box, torch.from_numpy(draw)) for box, draw in pair]
        np.testing.assert_allclose(pair_geometry(*moved), expected, atol=1e-6)


@pytest.mark.parametrize("mode", ("hard", "soft"))
def test_losses_and_gradients(released, mode, monkeypatch):
    released.hand_in(mode, monkeypatch)
    model, expected = released.model.train(), released.losses[mode]
    model.zero_grad()
    terms = model(released.inputs, released.samples(), mode="loss")
    ours = {
        official_name(name.removeprefix("gbs."), 2).replace("loss_", "loss_gt_" if "gbs" in name else "loss_"): value
        for name, value in terms.items()
    }
    assert set(ours) == set(expected["weighted"])
    for name, value in expected["weighted"].items():
        assert ours[name].item() == pytest.approx(value, rel=1e-4), name
    assert sum(ours.values()).item() == pytest.approx(expected["total"], rel=1e-4)
    sum(ours.values()).backward()
    parameters = dict(model.named_parameters())
    for name, value in expected["grad_norms"].items():
        assert parameters[released.report.renamed[name]].grad.norm().item() == pytest.approx(value, rel=2e-3), name
