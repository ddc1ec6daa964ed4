"""HOTR against the numbers of the official code, whole way: official weights, converter, config, model, losses."""

from functools import cache

import numpy as np
import pytest
import torch

from hqm_mmdet.structures import HOIDataSample
from tests.models.hotr_reference import fixture, load_hotr, official_name, raw_outputs, samples_of
from tests.models.reference import images, load_json

pytestmark = pytest.mark.parity
DATASETS = ("hico", "vcoco")
KINDS = ("model", "synthetic")


@pytest.fixture(scope="module")
def hotr(reference_dir, tmp_path_factory):
    """Data set -> model with official weights and choices, and the converter's report."""
    return cache(lambda dataset: load_hotr(reference_dir, dataset, tmp_path_factory.mktemp(dataset)))


@pytest.mark.parametrize("dataset", DATASETS)
def test_stages_and_outputs_of_all_layers(hotr, reference_dir, dataset):
    expected, (model, _) = fixture(reference_dir, f"forward_{dataset}.npz"), hotr(dataset)
    inputs, samples = images(expected)
    with torch.no_grad():
        memory = model.eval().encode(inputs, samples)
        states = model.decode(model.learnable_queries(memory), memory)
        preds = model(inputs, samples, mode="tensor")
    np.testing.assert_array_equal(memory.padding_mask, expected["feat_mask"].reshape(len(inputs), -1))
    np.testing.assert_allclose(memory.pos.transpose(1, 2), expected["pos_embed"].reshape(2, 256, -1), atol=2e-5)
    np.testing.assert_allclose(memory.tokens.transpose(1, 2), expected["memory"].reshape(2, 256, -1), atol=1e-3)
    np.testing.assert_allclose(states.queries[-1], expected["interaction_hs_last"], rtol=0, atol=1e-3)
    instances = torch.nn.functional.normalize(torch.from_numpy(expected["instance_hs_last"]), dim=-1)
    np.testing.assert_allclose(memory.instances.embeddings, instances, rtol=0, atol=1e-4)
    np.testing.assert_allclose(preds["instance_logits"][-1], expected["pred_logits"], rtol=0, atol=1e-3)
    np.testing.assert_allclose(preds["instance_boxes"][-1], expected["pred_boxes"], rtol=0, atol=1e-4)
    actions = torch.cat([preds["verb_logits"], preds["no_interaction_logits"]], -1)
    ours = dict(
        pred_hidx=preds["sub_pointer_logits"],
        pred_oidx=preds["obj_pointer_logits"],
        pred_actions=actions,
        pred_obj_logits=preds["obj_logits"],
    )
    for name in set(ours) & set(expected):
        np.testing.assert_allclose(ours[name], expected[name], rtol=0, atol=1e-3, err_msg=name)


@pytest.mark.parametrize("dataset", DATASETS)
def test_trainable_parameters_and_counts(hotr, reference_dir, dataset):
    model, report = hotr(dataset)
    names = load_json(reference_dir, "hotr", "hotr_trainable_in_official_recipe.json")
    trainable = {name: p.numel() for name, p in model.named_parameters() if p.requires_grad}
    assert set(trainable) == {report.renamed[name] for name in names}
    assert sum(trainable.values()) == dict(hico=9_902_198, vcoco=9_879_582)[dataset]
    norms = {name for name, module in model.named_modules() if isinstance(module, torch.nn.BatchNorm2d)}
    others = sum(p.numel() for name, p in model.named_parameters() if name.rpartition(".")[0] not in norms)
    assert others == dict(hico=51_426_966, vcoco=51_404_350)[dataset]  # official batch norms are buffers


def outputs(hotr, reference_dir, dataset, kind):
    """Model, samples, raw outputs, expected arrays; for ``synthetic`` the outputs are given and are leaves."""
    model, _ = hotr(dataset)
    expected = fixture(reference_dir, f"loss_{dataset}_{kind}.npz")
    if kind == "synthetic":
        preds, leaves = raw_outputs(expected, model.bbox_head.instance_head.columns)
        return model, samples_of(expected, dataset), preds, leaves, expected
    forward = fixture(reference_dir, f"forward_{dataset}.npz")
    inputs, plain = images(forward)
    samples = samples_of(expected, dataset, [sample.img_shape for sample in plain])
    model.train().zero_grad()
    return model, samples, model(inputs, samples, mode="tensor"), None, expected


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("dataset", DATASETS)
def test_matches(hotr, reference_dir, dataset, kind):
    model, samples, preds, _, expected = outputs(hotr, reference_dir, dataset, kind)
    targets = model.bbox_head.targets(samples)
    assigned = model.bbox_head.assign(preds, targets)
    instances, pairs = assigned.instances, assigned.pairs
    for i, count in enumerate(targets.counts):
        chosen = instances.image == i
        np.testing.assert_array_equal(instances.query[-1, chosen], expected[f"detr_query{i}"])
        np.testing.assert_array_equal(instances.target[-1, chosen], expected[f"detr_gt{i}"])
        if not count:
            assert not (assigned.image == i).any()
            continue
        np.testing.assert_array_equal(pairs.sub_pointers[i, :count], expected[f"h_labels{i}"])
        np.testing.assert_array_equal(pairs.obj_pointers[i, :count], expected[f"o_labels{i}"])
        np.testing.assert_array_equal(targets.verb_labels[i, :count], expected[f"used_pair_actions{i}"])
        for layer in range(6):
            chosen = assigned.image == i
            np.testing.assert_array_equal(assigned.query[layer, chosen], expected[f"hoi_query_layer{layer}_img{i}"])
            np.testing.assert_array_equal(assigned.target[layer, chosen], expected[f"hoi_gt_layer{layer}_img{i}"])


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("dataset", DATASETS)
def test_dummy_pairs_stand_at_the_official_queries(hotr, reference_dir, dataset, kind):
    model, samples, preds, _, expected = outputs(hotr, reference_dir, dataset, kind)
    targets = model.bbox_head.targets(samples)
    pairs = model.bbox_head.assign(preds, targets).pairs
    labels = model.bbox_head._with_dummies(torch.ones(6, len(samples), 16, 1), preds, pairs)
    for i, count in enumerate(targets.counts):
        for layer in range(6):
            zero = (labels[layer, i, :, 0] == 0).nonzero().flatten()
            query = expected[f"hoi_query_layer{layer}_img{i}"]
            np.testing.assert_array_equal(zero, query if not count else [])


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("dataset", DATASETS)
def test_losses_and_gradients(hotr, reference_dir, dataset, kind):
    model, samples, preds, leaves, _ = outputs(hotr, reference_dir, dataset, kind)
    expected = load_json(reference_dir, "hotr", f"loss_{dataset}_{kind}.json")
    losses = losses_of(model.bbox_head, preds, samples)
    assert set(losses) == set(expected["weighted"])
    for name, value in expected["weighted"].items():
        assert losses[name].item() == pytest.approx(value, rel=1e-4), name
    total = sum(losses.values())
    assert total.item() == pytest.approx(expected["total"], rel=1e-4)
    total.backward()
    if leaves:
        for name, norms in expected["grad_norms_wrt_outputs_per_layer"].items():
            got = [gradient.norm().item() for gradient in leaves[name].grad]
            assert got == pytest.approx(norms, rel=2e-3), name
        return
    parameters = dict(model.named_parameters())
    for name, norm in expected["grad_norms"].items():
        gradient = parameters[hotr(dataset)[1].renamed[name]].grad
        assert gradient.norm().item() == pytest.approx(norm, rel=2e-3), name
    whole = torch.stack([p.grad.norm() for p in parameters.values() if p.grad is not None]).norm()
    assert whole.item() == pytest.approx(expected["total_grad_norm"], rel=2e-3)


def losses_of(head, preds, samples):
    targets = head.targets(samples)
    terms = head.loss(preds, targets, head.assign(preds, targets))
    return {official_name(name): value for name, value in terms.items()}


def test_corrected_label_numbering(hotr, reference_dir, monkeypatch):
    model, samples, preds, _, expected = outputs(hotr, reference_dir, "hico", "synthetic")
    monkeypatch.setattr(model.bbox_head.instance_head, "labels_as_columns", False)
    targets = model.bbox_head.targets(samples)
    assigned = model.bbox_head.assign(preds, targets)
    for i, count in enumerate(targets.counts):
        chosen = assigned.instances.image == i
        matched = assigned.instances
        np.testing.assert_array_equal(matched.query[-1, chosen], expected[f"mapped_detr_query{i}"])
        np.testing.assert_array_equal(matched.target[-1, chosen], expected[f"mapped_detr_gt{i}"])
        if count:
            np.testing.assert_array_equal(assigned.pairs.sub_pointers[i, :count], expected[f"mapped_h_labels{i}"])
            np.testing.assert_array_equal(assigned.pairs.obj_pointers[i, :count], expected[f"mapped_o_labels{i}"])
    stored = load_json(reference_dir, "hotr", "loss_hico_synthetic.json")
    losses, weights = losses_of(model.bbox_head, preds, samples), stored["loss_weights"]
    for name, value in stored["losses_if_labels_mapped_to_coco_ids_in_instance_matching"].items():
        if name in weights:
            assert losses[name].item() == pytest.approx(value * weights[name], rel=1e-4), name


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("dataset", DATASETS)
def test_postprocessing(hotr, reference_dir, dataset, kind):
    model, _ = hotr(dataset)
    expected = fixture(reference_dir, f"postprocess_{dataset}_{kind}.npz")
    if kind == "model":
        inputs, samples = images(fixture(reference_dir, f"forward_{dataset}.npz"))
        with torch.no_grad():
            predicted = [sample.pred_pairs for sample in model.eval()(inputs, samples, mode="predict")]
    else:
        preds, _ = raw_outputs(expected, model.bbox_head.instance_head.columns, "in_", last_layer_only=True)
        preds = {name: value.detach() for name, value in preds.items()}
        sizes = [tuple(size) for size in expected["orig_sizes"].tolist()]
        predicted = model.bbox_head.predict(preds, [HOIDataSample(metainfo=dict(ori_shape=size)) for size in sizes])
    check = check_hico if dataset == "hico" else check_vcoco
    for i, pairs in enumerate(predicted):
        check(pairs, expected, i)


def check_hico(pairs, expected, i):
    np.testing.assert_array_equal(np.r_[np.zeros(16, int), pairs.obj_labels], expected["labels"][i])
    boxes = np.concatenate([pairs.sub_bboxes, pairs.obj_bboxes])
    np.testing.assert_allclose(boxes, expected["boxes"][i], rtol=0, atol=5e-2)
    np.testing.assert_allclose(pairs.verb_scores, expected["verb_scores"][i], rtol=0, atol=1e-4)


def check_vcoco(pairs, expected, i):
    """The official [verb, person, instance or nothing] tensor, rebuilt from our pairs."""
    persons = np.flatnonzero(expected[f"labels{i}"] == 1)
    rebuilt = np.zeros_like(expected[f"pair_score{i}"])
    for k in range(len(pairs)):
        sub, obj = int(pairs.sub_instances[k]), int(pairs.obj_instances[k])
        row, column = persons.tolist().index(sub), 100 if sub == obj else obj
        assert not rebuilt[:, row, column].any()
        rebuilt[:, row, column] = pairs.verb_scores[k]
        np.testing.assert_allclose(pairs.sub_bboxes[k], expected[f"h_box{i}"][row], rtol=0, atol=5e-2)
        np.testing.assert_allclose(pairs.obj_bboxes[k], expected[f"o_box{i}"][column], rtol=0, atol=5e-2)
        assert (pairs.obj_labels[k] == 80) == (sub == obj)
    np.testing.assert_allclose(rebuilt, expected[f"pair_score{i}"], rtol=0, atol=1e-4)
