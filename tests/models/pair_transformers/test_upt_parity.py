"""UPT against the official code: head, selection, losses, whole models."""

import numpy as np
import pytest
import torch
from mmengine.structures import InstanceData

from hqm_mmdet.models.pair_transformers import (
    InstanceSelection,
    PairVerbLoss,
    adjusted_logits,
    associated_verbs,
)
from hqm_mmdet.models.pair_transformers.selection import survivors
from hqm_mmdet.models.pair_transformers.spatial import pairwise_numbers
from hqm_mmdet.models.two_stage import Scene
from hqm_mmdet.structures import cxcywh_to_xyxy, pair_iou
from tests.models.pair_transformers.fixtures import HeadCase, agrees, flat
from tests.models.reference import load_arrays, load_json

pytestmark = pytest.mark.parity


class UPTCase(HeadCase):
    """The head with the stand-in weights."""

    def __init__(self, folder, variant, tmp_path):
        super().__init__(folder, "upt", variant)
        self.load_head(folder, tmp_path, lambda name: name.startswith("interaction_head."), dropout=0.0)

    def preds(self, rows):
        scenes = [self.scenes[i] for i in rows]
        candidates = self.candidates(rows)
        return candidates, self.head(candidates, self.head.read_maps(scenes))


@pytest.fixture(scope="module", params=["hico", "vcoco"])
def case(request, reference_dir, tmp_path_factory):
    return UPTCase(reference_dir, request.param, tmp_path_factory.mktemp("upt"))


@pytest.fixture(scope="module")
def hico(reference_dir, tmp_path_factory):
    return UPTCase(reference_dir, "hico", tmp_path_factory.mktemp("upt_hico"))


@torch.no_grad()
def test_tokens_and_attention(hico):
    """V-COCO's differ in the last layer only."""
    case, rows = hico, range(len(hico.scenes))
    candidates = case.candidates(rows)
    head, given = case.head, case.given
    numbers = pairwise_numbers(candidates.boxes, candidates.sizes)
    pairs, x = head.spatial_head(numbers), candidates.features
    tokens = head.encode(candidates, head.read_maps(case.scenes)).content
    for layer, module in enumerate(head.coop_layers):
        unary = module.unary(x).relu().unflatten(-1, (8, -1))
        weights = module.weights(unary, module.pairwise(pairs).relu().unflatten(-1, (8, -1)), candidates.absent)
        x = module(x, pairs, candidates.absent)
        for i in rows:
            if f"unary{i}_layer{layer}" in given:
                n = len(case.scenes[i].instances)
                agrees(x[i, :n], given[f"unary{i}_layer{layer}"], "tokens")
            if f"coop_attention{i}" in given:
                agrees(weights[i, :n, :n].permute(2, 0, 1), given[f"coop_attention{i}"][layer], "tokens")
    for i in rows:
        count = candidates.counts[i]
        if f"pairs{i}" not in given:
            continue
        found = torch.stack([candidates.sub[i, :count], candidates.obj[i, :count]], 1)
        assert found.tolist() == given[f"pairs{i}"].tolist()
        if i != 4:  # the official code takes other boxes' labels there, see its quirk Q3
            assert candidates.obj_labels[i, :count].tolist() == given[f"pair_objects{i}"].tolist()
        if f"spatial{i}" in given and i != 4:
            n = len(case.scenes[i].instances)
            agrees(numbers[i, :n, :n].flatten(0, 1), given[f"spatial{i}"], "tokens")
        if f"pair_tokens_before{i}" in given:
            agrees(tokens[i, :count], given[f"pair_tokens_before{i}"], "tokens")


@torch.no_grad()
def test_logits_and_scores(case):
    rows = range(len(case.scenes))
    candidates, preds = case.preds(rows)
    agrees(flat(preds["verb_logits"], candidates)[0], case.given["logits"], "logits")
    for i, found in enumerate(case.head.predict(preds, candidates)):
        if i == 4:
            continue
        pair, verb = (found.verb_scores > 0).nonzero().T
        ids = torch.stack([found.sub_ids[pair], found.obj_ids[pair]], 1)
        assert ids.tolist() == case.given[f"det_pair{i}"].tolist()
        assert case.head.verb_order[case.given[f"det_verb{i}"]].tolist() == verb.tolist()
        assert found.obj_labels[pair].tolist() == case.given[f"det_object{i}"].tolist()
        agrees(found.verb_scores[pair, verb], case.given[f"det_score{i}"], "scores")


@pytest.mark.parametrize("batch", ("all", "first_only"))
def test_losses_and_gradients(case, batch):
    """Labels are the fixture's; ours are equal, but for image 4, whose official pairs have other boxes (quirk Q3)."""
    expected, given = case.info["losses"][batch], case.given
    rows = expected["images"]
    case.head.zero_grad()
    for scene in case.scenes:
        scene.instances.features.grad = None
    candidates, preds = case.preds(rows)
    prior = case.head.prior(candidates)
    labels = torch.zeros_like(prior)
    for i, count in enumerate(candidates.counts):
        if f"prior_train{rows[i]}" in given:
            agrees(prior[i, :count], given[f"prior_train{rows[i]}"].prod(0), "scores")
    image, pair = (~candidates.padding_mask).nonzero().T
    for row, verb in expected["labels_pair_verb"]:
        labels[image[row], pair[row], verb] = 1
    samples = case.samples(rows)
    found = case.head.labels(case.head.overlaps(candidates, samples), samples)
    right = torch.tensor(rows) != 4
    assert torch.equal(found[right], labels[right])
    assert int((prior > 0).sum()) == expected["candidates"]
    loss = case.head.loss(preds, prior, labels)["loss_verb"]
    assert loss.item() == pytest.approx(expected["loss"], rel=1e-4)
    loss.backward()
    parameters = dict(case.head.named_parameters())
    for name, value in expected["gradient_norms"].items():
        own = case.report.renamed[name].removeprefix("bbox_head.")
        assert parameters[own].grad.norm().item() == pytest.approx(value, rel=2e-3), name
    gradients = [case.scenes[i].instances.features.grad for i in rows]
    norms = [0 if each is None else each.norm().item() for each in gradients]
    assert norms == pytest.approx(expected["gradient_norm_hidden_states"], rel=2e-3, abs=1e-7)
    if batch == "all" and "hidden0_gradient_all" in given:
        agrees(gradients[0], given["hidden0_gradient_all"], "tokens")


def test_a_loss_without_positives_is_finite(case):
    candidates, preds = case.preds([0])
    prior = case.head.prior(candidates)
    assert case.head.loss(preds, prior, torch.zeros_like(prior))["loss_verb"].isfinite()
    candidates, preds = case.preds([1, 2])
    prior = case.head.prior(candidates)
    case.head.zero_grad()
    loss = case.head.loss(preds, prior, torch.zeros_like(prior))["loss_verb"]
    loss.backward()
    assert loss.item() == 0 and all(p.grad is not None and not p.grad.any() for p in case.head.parameters())


def test_focal_loss_and_association(reference_dir):
    given = load_arrays(reference_dir, "upt", "loss_function.npz")
    logits, prior, labels = (torch.from_numpy(given[name]).float() for name in ("logits", "prior", "labels"))
    finite = np.isfinite(given["loss_gamma02"]) & (given["prior"] < 1 - 1e-6)
    np.testing.assert_allclose(adjusted_logits(logits, prior)[finite], given["adjusted"][finite], rtol=1e-4, atol=1e-4)
    for name, options in (
        ("loss_gamma02", {}),
        ("loss_gamma2", dict(gamma=2.0)),
        ("loss_gamma02_alpha03", dict(alpha=0.3)),
    ):
        found = PairVerbLoss(**options).entries(logits, prior, labels)
        assert found.isfinite().all()
        np.testing.assert_allclose(found[finite], given[name][finite], rtol=1e-4, atol=1e-6)
    boxes, (height, width) = torch.from_numpy(given["assoc_boxes"]), given["assoc_size"]
    scale = torch.tensor([width, height] * 2)
    truth = [cxcywh_to_xyxy(torch.from_numpy(given[f"assoc_gt_{who}"])) * scale for who in "ho"]
    sub, obj = torch.from_numpy(given["assoc_pairs"]).T
    verbs = torch.nn.functional.one_hot(torch.from_numpy(given["assoc_gt_labels"]), 117).float()
    found = associated_verbs(pair_iou(boxes[sub], boxes[obj], *truth), verbs)
    assert found.nonzero().tolist() == sorted(given["assoc_labels"].tolist())


def test_selection(reference_dir):
    given = load_arrays(reference_dir, "upt", "selection.npz")
    info = load_json(reference_dir, "upt", "selection.json")
    select = InstanceSelection(score_thr=info["score_threshold"], nms_iou=info["nms"])
    for i, (logits, boxes, size) in enumerate(
        zip(given["pred_logits"], given["pred_boxes"], given["sizes"], strict=True)
    ):
        scores, labels = torch.from_numpy(logits).softmax(-1)[:, :-1].max(-1)
        boxes = cxcywh_to_xyxy(torch.from_numpy(boxes)) * torch.tensor([size[1], size[0]] * 2)
        found = InstanceData(bboxes=boxes, labels=labels, scores=scores, features=torch.arange(100.0)[:, None])
        assert survivors(boxes, labels, scores, info["nms"]).tolist() == given[f"nms_kept{i}"].tolist()
        kept = select(Scene(found, (), (), tuple(size))).instances
        assert kept.features[:, 0].tolist() == given[f"kept{i}"].tolist()
        np.testing.assert_allclose(kept.bboxes, given[f"kept_boxes{i}"], atol=1e-3)
