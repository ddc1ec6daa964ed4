"""UPT and PViC on DETR-R50 against the official code, from images to detections and losses, through the converter."""

import copy

import numpy as np
import pytest
import torch
from mmengine.config import Config

from hqm_mmdet.checkpoints.convert import convert_state_dict
from hqm_mmdet.checkpoints.key_tables import USED_ROWS
from hqm_mmdet.registry import MODELS
from hqm_mmdet.safe_loading import load_untrusted
from tests.models.pair_transformers.fixtures import labelled, official_weights
from tests.models.reference import CONFIGS, converted_file, images, load_arrays, load_converted, load_json

pytestmark = pytest.mark.parity
METHODS = dict(
    upt=dict(logits=1e-2, boxes=1e-2, scores=1e-4),
    pvic=dict(logits=5e-3, boxes=2e-2, scores=1e-4),
)


class Whole:
    """A model with the stand-in weights; the detector has looked at the images once."""

    def __init__(self, folder, method, tmp_path):
        self.folder, self.method, self.tmp_path = folder, method, tmp_path
        weights = official_weights(folder, method, "hico", offsets=True)
        options = {"instances.padded_batches": True}
        self.model, self.report = load_converted(f"{method}_r50_hico.py", weights, tmp_path, **options)
        self.hico = load_arrays(folder, method, "full_hico.npz")
        self.inputs, self.samples = images(self.hico)
        with torch.no_grad():
            scenes = self.model.eval().extract_feat(self.inputs, self.samples)
        self.scenes, self.model.extract_feat = scenes, lambda *batch: scenes

    def take_head(self, variant):
        """The head of the other data set, on the same detector."""
        weights = official_weights(self.folder, self.method, variant, offsets=True)
        weights = {name: value for name, value in weights.items() if not name.startswith("detector.")}
        path, _ = converted_file(weights, self.tmp_path)
        config = copy.deepcopy(Config.fromfile(CONFIGS / f"{self.method}_r50_{variant}.py").model.bbox_head)
        head = MODELS.build(config)
        state = load_untrusted(path)["state_dict"]
        head.load_state_dict({name.removeprefix("bbox_head."): value for name, value in state.items()})
        self.model.bbox_head = head


@pytest.fixture(scope="module", params=METHODS)
def whole(request, reference_dir, tmp_path_factory):
    return Whole(reference_dir, request.param, tmp_path_factory.mktemp("whole"))


def test_every_official_tensor_has_its_place(whole):
    assert whole.report.source == whole.method and not whole.report.dropped


def test_a_detr_alone_becomes_the_detector(whole):
    """The one that training starts from, in official names; of 92 class rows 81 are kept."""
    prefix, detector = "detector.", whole.model.instances.detector
    weights = official_weights(whole.folder, whole.method, "hico", offsets=True)
    weights = {name.removeprefix(prefix): value for name, value in weights.items() if name.startswith(prefix)}
    rows = weights["class_embed.weight"]
    weights["class_embed.weight"] = torch.zeros(92, 256)
    weights["class_embed.weight"][USED_ROWS] = rows
    bias = torch.zeros(92)
    bias[USED_ROWS] = weights["class_embed.bias"]
    weights["class_embed.bias"] = bias
    converted, report = convert_state_dict(weights, model="detector")
    assert report.source == "detr" and not report.dropped
    missing, unexpected = detector.load_state_dict(converted, strict=False)
    assert not unexpected and all(name.endswith("num_batches_tracked") for name in missing)
    torch.testing.assert_close(detector.bbox_head.fc_cls.weight.data, rows)


def test_instances(whole):
    given, atol = whole.hico, METHODS[whole.method]
    for i, scene in enumerate(whole.scenes):
        found = scene.instances
        np.testing.assert_allclose(found.bboxes, given[f"boxes{i}"], atol=atol["boxes"])
        np.testing.assert_allclose(found.scores, given[f"scores{i}"], atol=atol["scores"])
        assert found.labels.tolist() == given[f"labels{i}"].tolist()
        states = torch.from_numpy(given["hs_last"][i])[given[f"kept{i}"]]
        np.testing.assert_allclose(found.features, states, atol=2e-3)
        np.testing.assert_allclose(scene.maps[0].mean((1, 2)), given["c5_mean"][i], atol=1e-3)


@pytest.mark.parametrize("variant", ("hico", "vcoco"))  # in this order: the second replaces the head
def test_scores_losses_and_gradients(whole, variant):
    if variant != "hico":
        whole.take_head(variant)
    model, atol = whole.model.eval(), METHODS[whole.method]
    given = load_arrays(whole.folder, whole.method, f"full_{variant}.npz")
    with torch.no_grad():
        preds = model(whole.inputs, whole.samples, mode="tensor")
        found = model(whole.inputs, whole.samples, mode="predict")
    logits = preds["verb_logits"][:, ~preds["padding_mask"]]
    np.testing.assert_allclose(logits.reshape(given["logits"].shape), given["logits"], rtol=0, atol=atol["logits"])
    for i, sample in enumerate(found):
        pairs = sample.pred_pairs
        pair, verb = (pairs.verb_scores > 0).nonzero().T
        ids = torch.stack([pairs.sub_ids[pair], pairs.obj_ids[pair]], 1)
        assert ids.tolist() == given[f"det_pair{i}"].tolist()
        assert model.bbox_head.verb_order[given[f"det_verb{i}"]].tolist() == verb.tolist()
        np.testing.assert_allclose(pairs.verb_scores[pair, verb], given[f"det_score{i}"], atol=atol["scores"])
    check_loss(whole, given, load_json(whole.folder, whole.method, f"full_{variant}_loss.json"))


def check_loss(whole, given, info):
    model = whole.model
    for i, sample in enumerate(whole.samples):
        sample.gt_pairs = labelled(given, i, sample.img_shape, model.bbox_head).gt_pairs
    model.zero_grad()
    loss = model(whole.inputs, whole.samples, mode="loss")["loss_verb"]
    assert loss.item() == pytest.approx(info["loss"], rel=1e-3)
    loss.backward()
    parameters = dict(model.named_parameters())
    for name, value in info["gradient_norms"].items():
        assert parameters[whole.report.renamed[name]].grad.norm().item() == pytest.approx(value, rel=2e-3), name
    total = torch.stack([p.grad.norm() for p in parameters.values() if p.grad is not None]).norm()
    assert total.item() == pytest.approx(info["total_gradient_norm"], rel=2e-3)
