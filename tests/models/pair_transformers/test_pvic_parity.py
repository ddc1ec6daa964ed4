"""PViC against the official code: head, map head's variants, selection, losses."""

import numpy as np
import pytest
import torch
from mmengine.structures import InstanceData

from hqm_mmdet.models.pair_transformers import InstanceSelection
from hqm_mmdet.models.pair_transformers.pvic_layers import MapHead
from hqm_mmdet.models.two_stage import Scene
from hqm_mmdet.models.two_stage.feature_readers import best_of_image
from hqm_mmdet.registry import MODELS
from hqm_mmdet.safe_loading import load_untrusted
from hqm_mmdet.structures import cxcywh_to_xyxy
from tests.models.pair_transformers.fixtures import HeadCase, agrees, flat
from tests.models.reference import converted_file, load_arrays, load_json, reference_tensors

pytestmark = pytest.mark.parity


class PViCCase(HeadCase):
    """The head with the stand-in weights."""

    def __init__(self, folder, variant, tmp_path):
        super().__init__(folder, "pvic", variant)
        self.load_head(folder, tmp_path, lambda name: not name.startswith("detector."))
        self.head.eval()

    def run(self, rows):
        """Candidates, memory, queries, states and predictions."""
        candidates, memory = self.candidates(rows), self.head.read_maps([self.scenes[i] for i in rows])
        queries = self.head.encode(candidates, memory)
        states = self.head.decode(queries, memory)
        return candidates, memory, queries, states, self.head.classify(states)


@pytest.fixture(scope="module", params=["hico", "vcoco"])
def case(request, reference_dir, tmp_path_factory):
    return PViCCase(reference_dir, request.param, tmp_path_factory.mktemp("pvic"))


@pytest.fixture(scope="module")
def hico(reference_dir, tmp_path_factory):
    return PViCCase(reference_dir, "hico", tmp_path_factory.mktemp("pvic_hico"))


def test_intermediate_results(hico):
    """V-COCO's fixture holds results only."""
    case = hico
    rows, given, head = range(len(case.scenes)), case.given, case.head
    candidates, memory, queries, states, _ = case.run(rows)
    shape = given["feature_head"].shape
    agrees(head.map_head.pyramid([case.maps])[:, :16], given["fpn_first16"], "tokens")
    agrees(memory.tokens.view(shape), given["feature_head"], "tokens")
    agrees(memory.pos.mT.reshape(given["key_position"].shape), given["key_position"], "tokens")
    centre, boxes = head.codes(candidates, candidates.features)
    x = candidates.features
    for layer in head.encoder:
        x = layer(x, boxes, candidates.absent)
    reference = head.ref_anchor_head(candidates.features).sigmoid()
    for i, count in enumerate(candidates.counts):
        n = len(case.scenes[i].instances)
        for name, values in dict(reference=reference, box_pe=boxes, encoder=x).items():
            if f"{name}{i}" in given:
                agrees(values[i, :n], given[f"{name}{i}"], "tokens")
        if f"query{i}" in given:
            agrees(queries.content[i, :count], given[f"query{i}"], "tokens")
        if f"query_centre_pe{i}_first4" in given:
            agrees(queries.pos[i, : min(count, 4), :512], given[f"query_centre_pe{i}_first4"], "tokens")
        if f"decoder{i}" in given:
            agrees(states[:, i, :count], given[f"decoder{i}"], "tokens")


def test_attention_of_the_first_layer(hico):
    case = hico
    candidates, memory, queries, _, _ = case.run(range(len(case.scenes)))
    layer, count = case.head.decoder.layers[0], candidates.counts[0]
    centre, box = (part[:1, :count] for part in queries.pos.split((512, 1024), -1))
    x = queries.content[:1, :count]
    keys, values = layer.self_attn.keys_values(x, box)
    agrees(
        layer.self_attn.weights(layer.self_attn.queries(x, box), keys)[0],
        case.given["self_attention0_layer0"],
        "tokens",
    )
    x = layer.norm1(layer.self_attn(x, (keys, values), box))
    keys = memory.projected["decoder"].keys_values[0][0][:1]
    weights = layer.cross_attn.weights(layer.cross_attn.queries(x, centre), keys, memory.projected["decoder"].mask[:1])
    agrees(weights[0, :, :4], case.given["cross_attention0_layer0_first4"], "tokens")


def test_logits_and_scores(case):
    rows = range(len(case.scenes))
    candidates, *_, preds = case.run(rows)
    agrees(flat(preds["verb_logits"], candidates), case.given["logits"], "logits")
    for i, found in enumerate(case.head.predict(preds, candidates)):
        pair, verb = (found.verb_scores > 0).nonzero().T
        ids = torch.stack([found.sub_ids[pair], found.obj_ids[pair]], 1)
        assert ids.tolist() == case.given[f"det_pair{i}"].tolist()
        assert pair.tolist() == case.given[f"det_pair_index{i}"].tolist()
        assert case.head.verb_order[case.given[f"det_verb{i}"]].tolist() == verb.tolist()
        assert found.obj_labels[pair].tolist() == case.given[f"det_object{i}"].tolist()
        agrees(found.verb_scores[pair, verb], case.given[f"det_score{i}"], "scores")


@pytest.mark.parametrize("batch", ("all", "first_only"))
def test_losses_and_gradients(case, batch):
    expected = case.info["losses"][batch]
    rows = expected["images"]
    case.head.zero_grad()
    for scene in case.scenes:
        scene.instances.features.grad = None
    candidates, *_, preds = case.run(rows)
    prior, samples = case.head.prior(candidates), case.samples(rows)
    labels = case.head.labels(case.head.overlaps(candidates, samples), samples)
    assert labels[~candidates.padding_mask].nonzero().tolist() == expected["labels_pair_verb"]
    assert int((prior > 0).sum()) == expected["candidates"]
    loss = case.head.loss(preds, prior, labels)["loss_verb"]
    assert loss.item() == pytest.approx(expected["loss"], rel=1e-4)
    loss.backward()
    parameters = dict(case.head.named_parameters())
    for name, value in expected["gradient_norms"].items():
        own = case.report.renamed[name].removeprefix("bbox_head.")
        assert parameters[own].grad.norm().item() == pytest.approx(value, rel=2e-3), name
    for i, value in zip(rows, expected["gradient_norm_hidden_states"], strict=True):
        gradient = case.scenes[i].instances.features.grad
        assert (0 if gradient is None else gradient.norm().item()) == pytest.approx(value, rel=2e-3, abs=1e-7)


@pytest.mark.parametrize("variant,inputs,num_blocks", (("c4", ("c4", "c5"), 1), ("two_layers", ("two_layers",), 2)))
def test_variants_of_the_map_head(reference_dir, tmp_path, variant, inputs, num_blocks):
    shapes = load_json(reference_dir, "pvic", "feature_head_variant_keys.json")[variant]
    weights = reference_tensors(reference_dir, shapes, load_json(reference_dir, "pvic", "pvic_weight_scales.json"))
    weights["ho_matcher.mmf.fc1.weight"] = torch.zeros(1)  # tells the converter what it is
    path, _ = converted_file(weights, tmp_path)
    state = load_untrusted(path)["state_dict"]
    given = load_arrays(reference_dir, "pvic", "feature_head_variants.npz")
    maps = [torch.from_numpy(given[f"{name}_input_int8"].astype(np.float32) / 2) for name in inputs]
    head = MapHead([each.shape[1] for each in maps], num_blocks=num_blocks).eval()
    prefix = "bbox_head.map_head."
    head.load_state_dict({name.removeprefix(prefix): v for name, v in state.items() if name.startswith(prefix)})
    agrees(head(maps), given[f"{variant}_output"], "tokens")


def test_selection(reference_dir):
    given, info = (
        read(reference_dir, "pvic", f"selection.{end}") for read, end in ((load_arrays, "npz"), (load_json, "json"))
    )
    select = InstanceSelection(score_thr=info["score_threshold"], nms_iou=info["nms"], clamp=True)
    outputs = zip(given["pred_logits"], given["pred_boxes"], given["sizes"], strict=True)
    for i, (logits, boxes, size) in enumerate(outputs):
        scores, labels = torch.from_numpy(logits).softmax(-1)[:, :-1].max(-1)
        boxes = cxcywh_to_xyxy(torch.from_numpy(boxes)) * torch.tensor([size[1], size[0]] * 2)
        found = InstanceData(bboxes=boxes, labels=labels, scores=scores, features=torch.arange(100.0)[:, None])
        kept = select(Scene(found, (), (), tuple(size))).instances
        assert kept.features[:, 0].tolist() == given[f"kept{i}"].tolist()
        np.testing.assert_allclose(kept.bboxes, given[f"kept_boxes{i}"], atol=1e-3)


@pytest.mark.parametrize("official", (False, True))
def test_a_sigmoid_detector_s_states(reference_dir, official):
    """The released code's states are those of other queries, on request."""
    given = load_arrays(reference_dir, "pvic", "selection.npz")
    logits, boxes = (torch.from_numpy(given[f"focal_{name}"])[0] for name in ("logits", "boxes"))
    head = MODELS.build(dict(type="DETRHead", num_classes=80, loss_cls=dict(type="FocalLoss", use_sigmoid=True)))
    head.test_cfg = dict(max_per_img=100)
    states = torch.arange(float(len(logits)))[:, None]
    size = tuple(given["focal_size"]) if "focal_size" in given else tuple(given["sizes"][0].tolist())
    found = best_of_image(head, logits, boxes, states, official)
    found.bboxes = found.bboxes * torch.tensor([size[1], size[0]] * 2)
    np.testing.assert_allclose(found.scores, given["focal_scores"], atol=1e-6)
    assert found.labels.tolist() == given["focal_labels"].tolist()
    kept = InstanceSelection(score_thr=0.05, clamp=True)(Scene(found, (), (), size)).instances
    name = "focal_hidden_used_by_release" if official else "focal_hidden_of_the_box"
    assert kept.features[:, 0].tolist() == given[name].tolist()
    np.testing.assert_allclose(kept.bboxes, given["focal_kept_boxes"], atol=1e-3)
