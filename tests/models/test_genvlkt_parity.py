"""GEN-VLKT against the numbers of the official code, whole way: official weights, converter, config, model, losses."""

import json
from functools import cache
from pathlib import Path

import numpy as np
import pytest
import torch

from hqm_mmdet.models.clip import CLIP, load_phrases, to_openai_names, tokenize
from hqm_mmdet.models.task_modules import HOIPairNMS
from hqm_mmdet.structures import load_hoi_classes, unseen_hois
from tests.models.reference import load_converted, load_json, reference_tensors
from tests.models.text_reference import (
    LN_SCALE,
    SMALL,
    annotate,
    check_matching,
    inputs_and_samples,
    official_name,
)

pytestmark = pytest.mark.parity
NUMBERS = Path(__file__).parents[1] / "data" / "genvlkt"
VARIANTS = {
    "hico": {},
    "rare_first": {"bbox_head.unseen": "rare_first"},
    "vcoco": {"bbox_head.num_obj_classes": 81, "bbox_head.num_verbs": 29, "bbox_head.hois": "v_coco"},
}
CASES = {"hico": "hico", "no_pairs_at_all": "hico", "rare_first": "rare_first", "vcoco": "vcoco"}
TARGETS = {"hico": "small_hico", "rare_first": "small_rare_first", "vcoco": "small_vcoco"}
STEP = {"hico": 31, "rare_first_train": 31, "vcoco": 17}


@pytest.fixture(scope="module")
def expected():
    return json.loads((NUMBERS / "numbers.json").read_text()), np.load(NUMBERS / "numbers.npz")


@pytest.fixture(scope="module")
def genvlkt(reference_dir, expected, tmp_path_factory):
    """Variant -> model with stand-in weights, and the converter's report."""

    @cache
    def get(variant):
        shapes = dict(expected[0]["hico_keys"])
        if variant != "hico":
            shapes = {name: shape for name, shape in shapes.items() if "visual_projection" not in name}
            shapes |= expected[0][f"{variant}_keys"]
        weights = reference_tensors(reference_dir, shapes, expected[0]["weight_scales"])
        weights |= {name: torch.tensor(LN_SCALE) for name in ("logit_scale", "obj_logit_scale")}
        clip = load_json(reference_dir, "hoiclip", "small_hico_keys.json")
        clip = {name: shape for name, shape in clip.items() if name.startswith("clip_model.visual.")}
        tower = reference_tensors(reference_dir, clip, {})
        model, report = load_converted(
            "genvlkt_s_hico.py",
            weights,
            tmp_path_factory.mktemp(variant),
            optional=("mimic_clip.",),
            **{name.replace("clip.size", "mimic_clip.size"): value for name, value in SMALL.items()},
            **{"mimic_clip.weights": None, "bbox_head.clip": None},
            **VARIANTS[variant],
        )
        tower = {name.removeprefix("clip_model.visual."): value for name, value in tower.items()}
        model.mimic_clip.load_state_dict(tower)
        return model, report

    return get


@pytest.mark.parametrize("name", STEP)
def test_outputs_of_all_layers(genvlkt, expected, reference_dir, name):
    inputs, samples = inputs_and_samples(reference_dir, "small_inputs.npz")
    model, _ = genvlkt(name.removesuffix("_train"))
    model.train(name.endswith("_train"))
    with torch.no_grad():
        preds = model(inputs, samples, mode="tensor")
    for layer, prefix in enumerate(("aux0_", "")):
        for field, step, atol in (
            ("hoi_logits", STEP[name], 2e-4),
            ("obj_logits", 9, 2e-4),
            ("sub_boxes", 1, 1e-4),
            ("obj_boxes", 1, 1e-4),
        ):
            reference = expected[1][f"{name}_{prefix}{field}"]
            np.testing.assert_allclose(preds[field][layer][..., ::step], reference, rtol=0, atol=atol, err_msg=field)
    if name == "hico":
        np.testing.assert_allclose(preds["hoi_features"][-1], expected[1]["hico_inter_memory"], rtol=0, atol=1e-4)


def test_zero_shot_evaluation_scores_all_classes(genvlkt, expected, reference_dir):
    inputs, samples = inputs_and_samples(reference_dir, "small_inputs.npz")
    model, _ = genvlkt("rare_first")
    with torch.no_grad():
        logits = model.eval()(inputs, samples, mode="tensor")["hoi_logits"][-1]
    assert logits.shape[-1] == 600
    np.testing.assert_allclose(logits[..., ::31], expected[1]["rare_first_eval_hoi_logits"], rtol=0, atol=2e-4)


def test_text_classifiers(expected, reference_dir):
    shapes = load_json(reference_dir, "hoiclip", "small_hico_keys.json")
    shapes = {name: shape for name, shape in shapes.items() if name.startswith("clip_model.")}
    clip = CLIP.of_state(to_openai_names(reference_tensors(reference_dir, shapes, {})))
    phrases, hois = load_phrases("hico_det"), load_hoi_classes("hico_det")
    texts = clip.text_features(tokenize(phrases.hoi_prompts(hois.names())[::50]))
    np.testing.assert_allclose(texts, expected[1]["hico_text_every50"], rtol=0, atol=1e-4)
    texts = clip.text_features(tokenize(phrases.object_prompts(hois.object_names)[::9]))
    np.testing.assert_allclose(texts, expected[1]["object_text_every9"], rtol=0, atol=1e-4)


@pytest.mark.parametrize("case", CASES)
def test_matches_losses_and_gradient_norms(genvlkt, expected, reference_dir, case):
    inputs, samples = inputs_and_samples(reference_dir, "small_inputs.npz")
    model, report = genvlkt(CASES[case])
    targets = [[] for _ in samples]
    if case != "no_pairs_at_all":
        losses = load_json(reference_dir, "hoiclip", f"{TARGETS[CASES[case]]}_losses.json")
        targets = next(iter(losses.values()))["targets"]
    annotate(samples, targets, model.bbox_head.num_verbs)
    model.train().zero_grad()
    with torch.no_grad():
        preds = model(inputs, samples, mode="tensor")
        assigned = model.bbox_head.assign(preds, model.bbox_head.targets(samples))
    reference = expected[0][case]
    check_matching(assigned, reference["matching"])
    terms = model(inputs, samples, mode="loss")
    ours = {official(name): value for name, value in terms.items()}
    assert set(ours) == set(reference["losses"])
    for name, value in reference["losses"].items():
        assert ours[name].item() == pytest.approx(value * reference["weights"][name], rel=1e-3, abs=1e-5), name
    total = sum(ours.values())
    assert total.item() == pytest.approx(reference["total"], rel=1e-3)
    total.backward()
    parameters = dict(model.named_parameters())
    for name, value in reference["grad_norms"].items():
        gradient = parameters[report.renamed[name]].grad
        assert gradient.norm().item() == pytest.approx(value or 0.0, rel=1e-3, abs=1e-5), name


def official(name: str) -> str:
    """As in the official code; the mimic loss has no counterpart in HOICLIP's table."""
    layer, _, plain = name.rpartition(".")
    if plain == "loss_image":
        return f"loss_feat_mimic_{layer[1:]}" if layer else "loss_feat_mimic"
    return official_name(name)


def test_unseen_classes_are_no_targets(genvlkt, reference_dir):
    model, _ = genvlkt("rare_first")
    assert len(model.bbox_head.trained_hois) == 600 - len(unseen_hois("hico_det", "rare_first")) == 480


def test_post_processing(genvlkt, expected, reference_dir):
    arrays = expected[1]
    inputs, samples = inputs_and_samples(reference_dir, "small_inputs.npz", orig_sizes=arrays["orig_size_hw"])
    model, _ = genvlkt("hico")
    with torch.no_grad():
        predicted = model.eval()(inputs, samples, mode="predict")
    for i, sample in enumerate(predicted):
        pairs = sample.pred_pairs
        boxes = np.concatenate([pairs.sub_bboxes, pairs.obj_bboxes])
        np.testing.assert_allclose(boxes, arrays[f"boxes_{i}"], rtol=0, atol=0.1)
        np.testing.assert_array_equal(arrays[f"labels_{i}"][len(pairs) :], pairs.obj_labels)
        best = pairs.hoi_scores.flatten().topk(100).values
        np.testing.assert_allclose(best, np.sort(arrays[f"triplets_{i}"][:, 3])[::-1], rtol=0, atol=1e-4)
        for subject, _, hoi, score in arrays[f"triplets_{i}"]:
            assert pairs.hoi_scores[int(subject), int(hoi)].item() == pytest.approx(score, abs=1e-4)


def test_pair_nms_per_hoi_class(genvlkt, expected, reference_dir):
    arrays = expected[1]
    inputs, samples = inputs_and_samples(reference_dir, "small_inputs.npz", orig_sizes=arrays["orig_size_hw"])
    model, _ = genvlkt("hico")
    with torch.no_grad():
        predicted = model.eval()(inputs, samples, mode="predict")
    for i, pairs in enumerate(HOIPairNMS()([sample.pred_pairs for sample in predicted])):
        triplets = arrays[f"triplets_nms_{i}"]
        subject, hoi = pairs.hoi_scores.nonzero().unbind(1)
        assert {(int(s), int(h)) for s, _, h, _ in triplets} == set(zip(subject.tolist(), hoi.tolist(), strict=True))
