"""CDN against the numbers of the official code, whole way: official weights, converter, config, model, losses."""

from functools import cache

import numpy as np
import pytest
import torch

from hqm_mmdet.evaluation.functional import to_official_detections
from hqm_mmdet.models.heads.postprocess import decode_pairs
from tests.models.reference import (
    annotate,
    images,
    load_arrays,
    load_converted,
    load_json,
    official_name,
    official_weights,
)

pytestmark = pytest.mark.parity
VARIANTS = {
    "hico": dict(),
    "vcoco": {"num_queries": 100, "bbox_head.num_obj_classes": 81, "bbox_head.num_verbs": 29},
}
TOLERANCES = dict(obj_logits=1e-3, verb_logits=1e-3, sub_boxes=1e-4, obj_boxes=1e-4)


@pytest.fixture(scope="module")
def cdn(reference_dir, tmp_path_factory):
    """Variant -> model with official weights, and the converter's report."""

    @cache
    def get(variant):
        weights = official_weights(reference_dir, "cdn", f"cdn_{variant}")
        return load_converted("cdn_s_hico.py", weights, tmp_path_factory.mktemp(variant), **VARIANTS[variant])

    return get


def recorded_targets(arrays):
    """Targets of the fixture in the form that :func:`annotate` takes."""
    count = sum(name.endswith("_obj_labels") for name in arrays)
    return [
        dict(
            sub_boxes=arrays[f"t{i}_sub_boxes"],
            obj_boxes=arrays[f"t{i}_obj_boxes"],
            obj_labels=arrays[f"t{i}_obj_labels"],
            verbs=[np.flatnonzero(row) for row in arrays[f"t{i}_verb_labels"]],
        )
        for i in range(count)
    ]


def predictions(arrays, prefix="pred_"):
    """Recorded raw outputs under our names."""
    return {name: torch.from_numpy(arrays[prefix + name]) for name in TOLERANCES}


def annotated(reference_dir, model, case, count=None):
    """Images of the forward fixture (of any size where only the head is tested) with the targets of a case."""
    arrays = load_arrays(reference_dir, "cdn", f"loss_{case}.npz")
    inputs, samples = images(load_arrays(reference_dir, "cdn", f"forward_{case.split('_')[0]}.npz"))
    targets = recorded_targets(arrays)
    samples = (samples + [samples[0].clone()])[: len(targets)]
    return arrays, inputs, annotate(samples, targets, model.bbox_head.num_verbs)


@pytest.mark.parametrize("variant", VARIANTS)
def test_stages_and_outputs_of_all_layers(cdn, reference_dir, variant):
    expected = load_arrays(reference_dir, "cdn", f"forward_{variant}.npz")
    inputs, samples = images(expected)
    model, _ = cdn(variant)
    with torch.no_grad():
        memory = model.eval().encode(inputs, samples)
        pair_states, verb_states = model.decode(model.learnable_queries(memory), memory)
        preds = model(inputs, samples, mode="tensor")
    np.testing.assert_array_equal(memory.padding_mask, expected["feat_mask"].reshape(len(inputs), -1))
    np.testing.assert_allclose(memory.tokens.transpose(1, 2), expected["memory"].reshape(2, 256, -1), atol=1e-3)
    np.testing.assert_allclose(pair_states[-1], expected["hopd_hs_last"], atol=1e-3)
    np.testing.assert_allclose(verb_states[-1], expected["interaction_hs_last"], atol=1e-3)
    for name, atol in TOLERANCES.items():
        assert preds[name].shape == expected[f"pred_{name}"].shape
        np.testing.assert_allclose(preds[name], expected[f"pred_{name}"], rtol=0, atol=atol, err_msg=name)


def check_matches(assigned, arrays, num_images):
    for layer in range(3):
        for image in range(num_images):
            chosen = assigned.image == image
            ours = dict(
                zip(assigned.target[layer, chosen].tolist(), assigned.query[layer, chosen].tolist(), strict=True)
            )
            gt, query = (arrays[f"{name}_layer{layer}_img{image}"].tolist() for name in ("gt", "query"))
            assert ours == dict(zip(gt, query, strict=True))


def check_losses(terms, expected):
    ours = {official_name(name, 2): value for name, value in terms.items()}
    assert set(ours) == set(expected["weighted"])
    for name, value in expected["weighted"].items():
        assert ours[name].item() == pytest.approx(value, rel=1e-4, abs=1e-6), name
    assert sum(ours.values()).item() == pytest.approx(expected["total"], rel=1e-4)


@pytest.mark.parametrize("variant", VARIANTS)
def test_matches_losses_and_gradient_norms(cdn, reference_dir, variant):
    model, report = cdn(variant)
    arrays, inputs, samples = annotated(reference_dir, model, f"{variant}_model")
    expected = load_json(reference_dir, "cdn", f"loss_{variant}_model.json")
    model.train().zero_grad()
    preds = model(inputs, samples, mode="tensor")
    check_matches(model.bbox_head.assign(preds, model.bbox_head.targets(samples)), arrays, len(inputs))
    terms = model(inputs, samples, mode="loss")
    check_losses(terms, expected)
    sum(terms.values()).backward()
    parameters = dict(model.named_parameters())
    for name, value in expected["grad_norms"].items():
        assert parameters[report.renamed[name]].grad.norm().item() == pytest.approx(value, rel=2e-3), name
    total = torch.stack([p.grad.norm() for p in parameters.values() if p.grad is not None]).norm()
    assert total.item() == pytest.approx(expected["total_grad_norm"], rel=2e-3)


@pytest.mark.parametrize("variant", VARIANTS)
def test_losses_of_synthetic_outputs(cdn, reference_dir, variant):
    model, _ = cdn(variant)
    arrays, _, samples = annotated(reference_dir, model, f"{variant}_synthetic")
    expected = load_json(reference_dir, "cdn", f"loss_{variant}_synthetic.json")
    head = model.bbox_head
    preds = {name: value.requires_grad_() for name, value in predictions(arrays).items()}
    targets = head.targets(samples)
    assigned = head.assign(preds, targets)
    check_matches(assigned, arrays, len(samples))
    terms = head.loss(preds, targets, assigned)
    check_losses(terms, expected)
    sum(terms.values()).backward()
    for name, value in preds.items():
        norms = value.grad.flatten(1).norm(dim=1).tolist()
        assert norms == pytest.approx(expected["grad_norms_wrt_outputs_per_layer"][f"pred_{name}"], rel=2e-3), name


@pytest.mark.parametrize("variant", VARIANTS)
def test_losses_when_no_image_has_a_pair(cdn, reference_dir, variant):
    model, _ = cdn(variant)
    arrays, _, samples = annotated(reference_dir, model, f"{variant}_synthetic")
    expected = load_json(reference_dir, "cdn", f"loss_{variant}_synthetic.json")
    for sample in samples:
        sample.gt_pairs = sample.gt_pairs[:0]
    preds, targets = predictions(arrays), model.bbox_head.targets(samples)
    terms = model.bbox_head.loss(preds, targets, model.bbox_head.assign(preds, targets))
    for name, value in terms.items():
        official = official_name(name, 2)
        weighted = expected["same_outputs_but_no_pairs_in_any_image"][official] * expected["loss_weights"][official]
        assert value.item() == pytest.approx(weighted, rel=1e-4), name
    assert sum(terms.values()).item() == pytest.approx(expected["same_outputs_but_no_pairs_total"], rel=1e-4)


def check_pairs(pairs, expected, image):
    n = len(pairs)
    np.testing.assert_array_equal(expected["labels"][image], np.r_[np.zeros(n, int), pairs.obj_labels])
    boxes = np.concatenate([pairs.sub_bboxes, pairs.obj_bboxes])
    np.testing.assert_allclose(boxes, expected["boxes"][image], rtol=0, atol=1e-2)
    np.testing.assert_allclose(pairs.verb_scores, expected["verb_scores"][image], rtol=0, atol=1e-4)


@pytest.mark.parametrize("variant", VARIANTS)
def test_predict(cdn, reference_dir, variant):
    inputs, samples = images(load_arrays(reference_dir, "cdn", f"forward_{variant}.npz"))
    expected = load_arrays(reference_dir, "cdn", f"postprocess_{variant}_model.npz")
    model, _ = cdn(variant)
    for sample, size in zip(samples, expected["orig_sizes"], strict=True):
        sample.set_metainfo(dict(ori_shape=tuple(size.tolist())))
    with torch.no_grad():
        predicted = model.eval()(inputs, samples, mode="predict")
    for i, sample in enumerate(predicted):
        check_pairs(sample.pred_pairs, expected, i)


def test_postprocessing_of_synthetic_outputs(reference_dir):
    expected = load_arrays(reference_dir, "cdn", "postprocess_hico_synthetic.npz")
    preds = predictions(expected, "in_pred_")
    for i, size in enumerate(expected["orig_sizes"]):
        pairs = decode_pairs({name: value[i] for name, value in preds.items()}, tuple(size))
        check_pairs(pairs, expected, i)


class TestVCOCOGeneration:
    """All queries with masked scores, and the official detections of those that the official pair NMS keeps."""

    @pytest.fixture
    def arrays(self, reference_dir):
        return load_arrays(reference_dir, "cdn", "postprocess_vcoco_synthetic.npz")

    @pytest.fixture
    def pairs(self, arrays):
        mask, preds = torch.from_numpy(arrays["correct_mat"]).float(), predictions(arrays, "in_pred_")
        return [
            decode_pairs({name: value[i] for name, value in preds.items()}, tuple(size), mask)
            for i, size in enumerate(arrays["orig_sizes"])
        ]

    def test_scores_and_boxes(self, arrays, pairs):
        for i, each in enumerate(pairs):
            order = arrays[f"all_subject_ids{i}"]
            np.testing.assert_array_equal(arrays[f"all_object_ids{i}"], order + len(each))
            np.testing.assert_allclose(each.verb_scores[order], arrays[f"all_scores{i}"], rtol=0, atol=1e-4)
            boxes = np.concatenate([each.sub_bboxes, each.obj_bboxes])
            np.testing.assert_allclose(boxes, arrays[f"boxes{i}"], rtol=0, atol=1e-2)
            np.testing.assert_array_equal(arrays[f"labels{i}"][len(each) :], each.obj_labels)

    @pytest.mark.parametrize("image", (0, 1))
    def test_official_detections_of_kept_pairs(self, arrays, pairs, reference_dir, image):
        answer = load_json(reference_dir, "cdn", "vcoco_official_detections.json")
        image_id, missing = 1000 + image, arrays["correct_mat"].shape[1]
        verbs = load_json(reference_dir, "qpic", "vcoco_official_detections.json")["verb_classes"]
        kept = pairs[image][torch.from_numpy(arrays[f"nms_subject_ids{image}"])]
        fields = [kept[name].numpy() for name in ("sub_bboxes", "obj_bboxes", "obj_labels", "verb_scores")]
        ours = to_official_detections(image_id, *fields, verbs, missing)
        assert len(ours) == answer["counts"][image]
        first = [d for d in answer["first_12_of_each_image"] if d["image_id"] == image_id]
        check_detections(ours[: len(first)], first)
        absent = [d for d, label in zip(ours, kept.obj_labels.tolist(), strict=True) if label == missing]
        some = [d for d in answer["examples_with_missing_object"] if d["image_id"] == image_id]
        check_detections([d for d in absent for e in some if np.allclose(d["person_box"], e["person_box"])], some)


def check_detections(ours, expected):
    assert len(ours) == len(expected)
    for detection, wanted in zip(ours, expected, strict=True):
        assert set(detection) == set(wanted)
        for key, value in wanted.items():
            numbers = np.array(value, dtype=float)  # null -> NaN
            np.testing.assert_allclose(detection[key], numbers, rtol=1e-5, atol=1e-4, err_msg=key)
