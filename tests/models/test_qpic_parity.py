"""QPIC against the numbers of the official code, whole way: official weights, converter, config, model, losses."""

from functools import cache

import numpy as np
import pytest
import torch

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
    "vcoco": {"bbox_head.num_obj_classes": 81, "bbox_head.num_verbs": 29},
}
CASES = ("hico_A", "hico_B", "hico_C", "vcoco_A", "vcoco_B")
# In theory exactly zero, because the decoder's content starts at zero; the rest is rounding.
ZERO_GRADIENT = "transformer.decoder.layers.0.self_attn.in_proj_weight"


@pytest.fixture(scope="module")
def qpic(reference_dir, tmp_path_factory):
    """Variant -> model with official weights, and the converter's report."""

    @cache
    def get(variant):
        weights = official_weights(reference_dir, "qpic", f"qpic_{variant}")
        return load_converted("qpic_hico.py", weights, tmp_path_factory.mktemp(variant), **VARIANTS[variant])

    return get


@pytest.fixture
def losses(reference_dir):
    return load_json(reference_dir, "qpic", "qpic_losses.json")


def batch(reference_dir, variant):
    forward = load_arrays(reference_dir, "qpic", f"qpic_{variant}_forward.npz")
    image_file = forward if "image0_int8" in forward else load_arrays(reference_dir, "qpic", "qpic_hico_forward.npz")
    return (forward, *images(image_file))


@pytest.mark.parametrize("variant", VARIANTS)
def test_outputs_of_all_layers(qpic, reference_dir, variant):
    expected, inputs, samples = batch(reference_dir, variant)
    model, _ = qpic(variant)
    with torch.no_grad():
        preds = model.eval()(inputs, samples, mode="tensor")
    for name, atol in dict(obj_logits=2e-4, verb_logits=2e-4, sub_boxes=2e-5, obj_boxes=2e-5).items():
        assert preds[name].shape == expected[name].shape
        np.testing.assert_allclose(preds[name].numpy(), expected[name], rtol=0, atol=atol, err_msg=name)


def test_stages(qpic, reference_dir):
    """Backbone, position encoding, projection, memory, decoder states and attention maps."""
    expected, inputs, samples = batch(reference_dir, "hico")
    model, _ = qpic("hico")
    model.eval()
    with torch.no_grad():
        c5 = model.backbone(inputs)[-1]
        projected = model.extract_feat(inputs)[-1]
        memory = model.encode(inputs, samples)
        queries = model.learnable_queries(memory)
        states = model.decode(queries, memory)
    num_channels, num_queries = expected["c5_slice"].shape[1], expected["decoder_hs_layer0"].shape[1]
    np.testing.assert_allclose(c5[:, :num_channels], expected["c5_slice"], atol=2e-4, rtol=1e-5)
    np.testing.assert_allclose(c5.sum((1, 2, 3)), expected["c5_sum"], rtol=1e-4)
    np.testing.assert_allclose(c5.abs().sum((1, 2, 3)), expected["c5_abs_sum"], rtol=1e-4)
    np.testing.assert_array_equal(memory.padding_mask, expected["feat_mask"].reshape(len(inputs), -1))
    np.testing.assert_allclose(memory.pos.transpose(1, 2), expected["pos_embed"].reshape(2, 256, -1), atol=2e-5)
    np.testing.assert_allclose(projected, expected["input_proj"], atol=2e-4)
    np.testing.assert_allclose(memory.tokens, expected["memory"], atol=2e-4)
    for layer in (0, 5):
        np.testing.assert_allclose(states[layer, :, :num_queries], expected[f"decoder_hs_layer{layer}"], atol=2e-4)


def test_cross_attention_weights(qpic, reference_dir):
    """First layer's attention maps, head average, from the projected queries and keys."""
    expected, inputs, samples = batch(reference_dir, "hico")
    model, _ = qpic("hico")
    with torch.no_grad():
        memory = model.eval().encode(inputs, samples)
        queries, layer = model.learnable_queries(memory), model.decoder.layers[0]
        content = layer.norms[0](layer.self_attn(queries.content, query_pos=queries.pos))
        keys, _ = memory.projected["decoder"].keys_values[0]
        mask = ~memory.padding_mask[:, None, None]
        weights = layer.cross_attn.weights(layer.cross_attn.queries(content, queries.pos), keys, mask).mean(1)
    num_queries = expected["cross_attn_layer0"].shape[1]
    np.testing.assert_allclose(weights[:, :num_queries], expected["cross_attn_layer0"], atol=2e-5)


@pytest.mark.parametrize("case", CASES)
def test_matches_and_costs(qpic, reference_dir, losses, case):
    model, inputs, samples = prepared(qpic, reference_dir, case)
    with torch.no_grad():
        preds = model(inputs, samples, mode="tensor")
        targets = model.bbox_head.targets(samples)
        assigned = model.bbox_head.assign(preds, targets)
        costs = model.bbox_head.matcher.cost_matrix(preds, targets) if sum(targets.counts) else None
    for layer, images_matched in enumerate(losses[case]["matched"]):
        for image, expected in enumerate(images_matched):
            chosen = assigned.image == image
            assert assigned.query[layer, chosen].tolist() == expected["query"]
            assert assigned.target[layer, chosen].tolist() == expected["target"]
    expected_costs = load_arrays(reference_dir, "qpic", "qpic_cost_matrices.npz")
    for image, count in enumerate(targets.counts):
        if count:
            expected = expected_costs[f"{case}_image{image}"]
            np.testing.assert_allclose(costs[-1, image, :, :count], expected, rtol=0, atol=1e-4)


@pytest.mark.parametrize("case", CASES)
@pytest.mark.parametrize("without_verb", (False, True))
def test_losses_and_gradient_norms(qpic, reference_dir, losses, case, without_verb):
    model, inputs, samples = prepared(qpic, reference_dir, case)
    model.train().zero_grad()
    terms = model(inputs, samples, mode="loss")
    expected = losses[case]
    ours = {official_name(name, 5): value for name, value in terms.items()}
    assert set(ours) == set(expected["weighted"])
    for name, value in expected["weighted"].items():
        assert ours[name].item() == pytest.approx(value, rel=1e-4, abs=1e-6), name
    assert sum(ours.values()).item() == pytest.approx(expected["total"], rel=1e-4)
    used = [value for name, value in ours.items() if not (without_verb and name.startswith("loss_verb"))]
    sum(used).backward()
    check_gradients(model, qpic, case, expected["grad_norms_without_verb_loss" if without_verb else "grad_norms"])


def check_gradients(model, qpic, case, expected):
    _, report = qpic(case.split("_")[0])
    parameters = dict(model.named_parameters())
    total = torch.stack([p.grad.norm() for p in parameters.values() if p.grad is not None]).norm()
    compared = 0
    for name, value in expected.items():
        if name == "__total_norm_of_all_trainable__":
            assert total.item() == pytest.approx(value, rel=1e-3)
        elif name != ZERO_GRADIENT and value is not None:
            gradient = parameters[report.renamed[name]].grad
            assert gradient.norm().item() == pytest.approx(value, rel=1e-3, abs=1e-6), name
            compared += 1
    assert compared > 10


def prepared(qpic, reference_dir, case):
    variant = case.split("_")[0]
    _, inputs, samples = batch(reference_dir, variant)
    model, _ = qpic(variant)
    targets = load_json(reference_dir, "qpic", "qpic_targets.json")[case]
    return model.eval(), inputs, annotate(samples, targets, model.bbox_head.num_verbs)


def test_predict_hico(qpic, reference_dir):
    _, inputs, samples = batch(reference_dir, "hico")
    model, _ = qpic("hico")
    expected = load_arrays(reference_dir, "qpic", "postprocess.npz")
    with torch.no_grad():
        predicted = model.eval()(inputs, samples, mode="predict")
    for i, sample in enumerate(predicted):
        check_pairs(sample.pred_pairs, expected, f"hico_model_image{i}")


def check_pairs(pairs, expected, prefix):
    n = len(pairs)
    np.testing.assert_array_equal(expected[f"{prefix}_labels"], np.r_[np.zeros(n, int), pairs.obj_labels])
    boxes = np.concatenate([pairs.sub_bboxes, pairs.obj_bboxes])
    np.testing.assert_allclose(boxes, expected[f"{prefix}_boxes"], rtol=0, atol=1e-2)
    np.testing.assert_allclose(pairs.verb_scores, expected[f"{prefix}_verb_scores"], rtol=0, atol=2e-5)


@pytest.mark.parametrize("variant", ("hico", "vcoco"))
def test_postprocessing_of_synthetic_outputs(reference_dir, variant):
    expected = load_arrays(reference_dir, "qpic", "postprocess.npz")
    names = {name.split("_in_")[1]: name for name in expected if name.startswith(f"{variant}_synth_in_")}
    mask = torch.from_numpy(expected["vcoco_correct_mat"]).float() if variant == "vcoco" else None
    for i, size in enumerate(expected["orig_sizes"]):
        preds = {name: torch.from_numpy(expected[key][i]) for name, key in names.items()}
        pairs = decode_pairs(preds, tuple(size), mask)
        prefix = f"{variant}_synth_image{i}"
        scores = expected[f"{prefix}_scores" if f"{prefix}_scores" in expected else f"{prefix}_verb_scores"]
        np.testing.assert_allclose(pairs.verb_scores, scores, rtol=0, atol=2e-5)
        boxes = np.concatenate([pairs.sub_bboxes, pairs.obj_bboxes])
        np.testing.assert_allclose(boxes, expected[f"{prefix}_boxes"], rtol=0, atol=1e-2)
        np.testing.assert_array_equal(expected[f"{prefix}_labels"][len(pairs) :], pairs.obj_labels)
