"""Properties of HOTR that hold for any weights."""

import pytest
import torch

from hqm_mmdet.apis import build_model
from hqm_mmdet.errors import ConfigError
from hqm_mmdet.models.heads.pointed_pairs import merge_pairs
from hqm_mmdet.structures import new_pairs
from tests.models.tiny import (
    NUM_CLASSES,
    NUM_QUERIES,
    NUM_VERBS,
    assert_batched_equals_single,
    losses_of_one_batch,
    random_batch,
    total,
)
from tests.models.tiny_hotr import COLUMNS, NUM_INSTANCES, NUM_LOGITS, tiny_hotr, tiny_hotr_config

INTERACTION_BRANCH = (
    "decoder.",
    "query_embedding.",
    "bbox_head.sub_pointer",
    "bbox_head.obj_pointer",
    "bbox_head.verb",
)


def loss_of(model, batch):
    return total(model(*batch, mode="loss"))


def assigned(model, batch):
    """Assignment and raw predictions."""
    preds = model(*batch, mode="tensor")
    return model.bbox_head.assign(preds, model.bbox_head.targets(batch[1])), preds


@pytest.mark.parametrize("freeze", (True, False))
def test_output_format(freeze):
    preds = tiny_hotr(freeze_instances=freeze).eval()(*random_batch([1, 2]), mode="tensor")
    assert preds["obj_logits"].shape == (2, 2, NUM_QUERIES, NUM_CLASSES + 1)
    assert preds["verb_logits"].shape == (2, 2, NUM_QUERIES, NUM_VERBS)
    assert preds["no_interaction_logits"].shape == (2, 2, NUM_QUERIES, 1)
    assert preds["instance_logits"].shape == (1 if freeze else 2, 2, NUM_INSTANCES, NUM_LOGITS)
    for name in ("sub_boxes", "obj_boxes"):
        assert preds[name].shape == (2, 2, NUM_QUERIES, 4)
    for name in ("sub_pointer_logits", "obj_pointer_logits"):
        assert preds[name].shape == (2, 2, NUM_QUERIES, NUM_INSTANCES)


def test_boxes_and_class_are_those_of_the_instance_pointed_to():
    preds = tiny_hotr().eval()(*random_batch([0, 0]), mode="tensor")
    for layer, image, query in ((0, 0, 0), (1, 1, 3), (1, 0, 6)):
        sub, obj = (preds[f"{who}_pointer_logits"][layer, image, query].argmax() for who in ("sub", "obj"))
        assert torch.equal(preds["sub_boxes"][layer, image, query], preds["instance_boxes"][-1, image, sub])
        assert torch.equal(preds["obj_boxes"][layer, image, query], preds["instance_boxes"][-1, image, obj])
        logits = preds["instance_logits"][-1, image, obj]
        assert torch.equal(preds["obj_logits"][layer, image, query], logits[[*COLUMNS, NUM_LOGITS - 1]])


@pytest.mark.parametrize("merge", (False, True))
def test_batched_equals_single_in_spite_of_padding(merge):
    model = tiny_hotr(head=dict(merge_queries=merge)).eval()
    model.bbox_head.instance_head.cls.bias.data[COLUMNS[0]] = 9  # persons everywhere, so that pairs stay
    assert all(0 < len(pairs) <= NUM_QUERIES for pairs in assert_batched_equals_single(model))


@pytest.mark.parametrize("embedding", ("query_embedding", "instance_queries"))
def test_order_of_queries_does_not_matter(embedding):
    batch = random_batch([3])
    model = tiny_hotr().eval()
    preds, loss = model(*batch, mode="tensor"), loss_of(model, batch)
    weight = getattr(model, embedding).weight
    order = torch.randperm(len(weight))
    weight.data = weight.data[order]
    after = model(*batch, mode="tensor")
    rows = order if embedding == "query_embedding" else slice(None)
    for name in ("verb_logits", "obj_logits", "sub_boxes", "obj_boxes"):
        torch.testing.assert_close(after[name], preds[name][:, :, rows], rtol=1e-4, atol=1e-5)
    torch.testing.assert_close(loss_of(model, batch), loss, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("field", ("gt_pairs", "gt_instances"))
def test_order_of_annotations_does_not_matter(field):
    batch = random_batch([4])
    model = tiny_hotr().eval()
    loss = loss_of(model, batch)
    value = getattr(batch[1][0], field)
    setattr(batch[1][0], field, value[torch.randperm(len(value))])
    torch.testing.assert_close(loss_of(model, batch), loss, rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("counts", ([0, 0], [3, 0], [0, 1], [NUM_QUERIES + 3, 2]))
@pytest.mark.parametrize("absent", (0, 1))
@pytest.mark.parametrize("freeze", (True, False))
def test_loss_is_finite_and_every_parameter_learns(counts, absent, freeze):
    model = tiny_hotr(freeze_instances=freeze)
    losses = model(*random_batch(counts, absent=absent), mode="loss")
    total(losses).backward()
    assert all(torch.isfinite(value) for value in losses.values())
    for name, parameter in model.named_parameters():
        if freeze:
            assert parameter.requires_grad == name.startswith(INTERACTION_BRANCH), name
        elif not name.startswith("backbone."):
            assert parameter.requires_grad, name
        if parameter.requires_grad:
            assert parameter.grad is not None and torch.isfinite(parameter.grad).all(), name


def test_batch_without_pairs_teaches_no_interaction_only():
    model = tiny_hotr(freeze_instances=True)
    losses = model(*random_batch([0, 0]), mode="loss")
    for name, value in losses.items():
        assert (value > 0) == ("loss_verb" in name), name
    dummy = tiny_hotr(freeze_instances=True, head=dict(dummy_pairs=True))(*random_batch([0, 0]), mode="loss")
    assert dummy["loss_verb"] != losses["loss_verb"]


def test_more_instances_than_queries_are_not_pointed_to():
    model, batch = tiny_hotr(num_instances=3), random_batch([5])
    match, _ = assigned(model, batch)
    assert match.instances.query.shape[1] == 3
    assert (match.pairs.sub_pointers < 3).all() and (match.pairs.sub_pointers == -1).any()
    assert torch.isfinite(loss_of(model, batch))


class TestFrozenBranch:
    def test_is_in_evaluation_mode_and_without_graph(self):
        model = tiny_hotr(freeze_instances=True)
        assert model.training and model.decoder.training and model.bbox_head.sub_pointer.training
        for part in model._instance_branch():
            assert not any(module.training for module in part.modules())
        memory = model.encode(*random_batch([1]))
        assert not memory.tokens.requires_grad and not memory.instances.embeddings.requires_grad

    def test_keeps_dropout_as_an_option(self):
        for frozen_dropout in (False, True):
            cfg = tiny_hotr_config(frozen_dropout=frozen_dropout)
            cfg.model.encoder.layer_cfg.self_attn_cfg.dropout = 0.5
            model, batch = build_model(cfg).train(), random_batch([1])
            assert model.instance_decoder.training == frozen_dropout
            first, second = (model.encode(*batch).tokens for _ in range(2))
            assert torch.equal(first, second) != frozen_dropout

    def test_has_no_losses(self):
        names = set(tiny_hotr(freeze_instances=True)(*random_batch([1]), mode="loss"))
        assert not any("instance" in name for name in names)
        joint = set(tiny_hotr()(*random_batch([1]), mode="loss"))
        assert {"loss_instance_cls", "d0.loss_instance_bbox", "loss_instance_iou"} <= joint
        assert names < joint


class TestPointers:
    def test_name_the_query_matched_to_the_box(self):
        model, batch = tiny_hotr(), random_batch([3, 2])
        match, _ = assigned(model, batch)
        targets, matched = match.pairs, match.instances
        for i, sample in enumerate(batch[1]):
            here = matched.image == i
            query_of = dict(zip(matched.target[-1, here].tolist(), matched.query[-1, here].tolist(), strict=True))
            for pair in range(len(sample.gt_pairs)):
                for who, pointers in (("sub", targets.sub_pointers), ("obj", targets.obj_pointers)):
                    box = sample.gt_pairs[f"{who}_bboxes"][pair]
                    (row,) = (sample.gt_instances.bboxes == box).all(1).nonzero().flatten().tolist()
                    assert pointers[i, pair] == query_of[row]

    def test_pair_without_object_points_to_its_subject_twice(self):
        targets = assigned(tiny_hotr(), random_batch([3], absent=2))[0].pairs
        assert torch.equal(targets.obj_pointers[0, :2], targets.sub_pointers[0, :2])
        assert targets.obj_pointers[0, 2] != targets.sub_pointers[0, 2]

    def test_equal_annotations_share_the_lowest_query(self):
        batch = random_batch([2])
        sample = batch[1][0]
        sample.gt_instances = sample.gt_instances.cat([sample.gt_instances, sample.gt_instances[:1]])
        match, _ = assigned(tiny_hotr(), batch)
        targets, matched = match.pairs, match.instances
        queries = matched.query[-1, (matched.target[-1] == 0) | (matched.target[-1] == len(sample.gt_instances) - 1)]
        assert len(queries) == 2 and targets.sub_pointers[0, 0] == queries.min()

    @pytest.mark.parametrize("damage", ("sub_bboxes", "obj_bboxes", "obj_labels"))
    def test_box_that_is_no_instance_is_named_with_the_file(self, damage):
        batch = random_batch([0, 2])
        batch[1][1].gt_pairs[damage] = batch[1][1].gt_pairs[damage] + 1
        with pytest.raises(ValueError, match="image_1.jpg.*pair 0"):
            tiny_hotr().bbox_head.targets(batch[1])

    def test_wrong_subject_label_is_named(self):
        with pytest.raises(ValueError, match="subject_label"):
            tiny_hotr(head=dict(subject_label=1)).bbox_head.targets(random_batch([2])[1])


class TestIgnoredVerbs:
    HEAD = dict(ignored_verbs=[0, 3])

    def test_pairs_without_another_verb_vanish(self):
        batch = random_batch([3, 1])
        verbs = torch.tensor([[1, 0, 0, 1, 0], [1, 1, 0, 0, 0], [0, 0, 0, 0, 1.0]])
        batch[1][0].gt_pairs.verb_labels = verbs
        batch[1][1].gt_pairs.verb_labels = verbs[:1]
        targets = tiny_hotr(head=self.HEAD).bbox_head.targets(batch[1])
        assert targets.counts == [2, 0]
        assert torch.equal(targets.verb_labels[0], torch.tensor([[0, 1, 0, 0, 0], [0, 0, 0, 0, 1.0]]))
        assert len(batch[1][0].gt_pairs) == 3  # the samples are as they were

    def test_are_not_trained(self):
        model = tiny_hotr(head=self.HEAD)
        loss_of(model, random_batch([3, 0])).backward()
        norms = model.bbox_head.verb_cls.weight.grad.norm(dim=1)
        assert (norms == 0).tolist() == [True, False, False, True, False, False]

    def test_do_not_decide_matches(self):
        model, batch = tiny_hotr(head=self.HEAD), random_batch([3])
        match, preds = assigned(model, batch)
        before = model.bbox_head.matcher.cost_matrix(preds, match.pairs)
        preds["verb_logits"][..., [0, 3]] += 5
        torch.testing.assert_close(model.bbox_head.matcher.cost_matrix(preds, match.pairs), before)


class TestMergedPairs:
    """Six queries on four instances, of which 0 and 2 are persons."""

    SUB, OBJ = torch.tensor([0, 0, 1, 2, 2, 0]), torch.tensor([3, 3, 0, 2, 1, 1])

    def merged(self):
        torch.manual_seed(0)
        preds = dict(
            sub_pointer_logits=torch.eye(4)[self.SUB],
            obj_pointer_logits=torch.eye(4)[self.OBJ],
            verb_logits=torch.randn(6, NUM_VERBS),
            no_interaction_logits=torch.randn(6, 1),
        )
        boxes = torch.rand(4, 4)
        pairs = new_pairs(boxes[self.SUB], boxes[self.OBJ], self.OBJ, obj_scores=torch.rand(6))
        return merge_pairs(pairs, preds, torch.tensor([True, False, True, False]), 9), preds, boxes

    def test_cells(self):
        merged, _, boxes = self.merged()
        cells = [(int(s), int(o)) for s, o in zip(merged.sub_instances, merged.obj_instances, strict=True)]
        assert cells == [(0, 1), (0, 3), (2, 1), (2, 2)]
        assert merged.obj_labels.tolist() == [1, 3, 1, 9]
        assert torch.equal(merged.obj_bboxes[-1], torch.zeros(4)) and torch.equal(merged.sub_bboxes[-1], boxes[2])

    def test_scores_are_summed_with_the_surest_twice(self):
        merged, preds, _ = self.merged()
        sure = 1 - preds["no_interaction_logits"].sigmoid()
        scores = preds["verb_logits"].sigmoid() * sure
        surest = max((0, 1), key=lambda i: sure[i].item())
        torch.testing.assert_close(merged.verb_scores[1], scores[0] + scores[1] + scores[surest])
        torch.testing.assert_close(merged.verb_scores[2], 2 * scores[4])


def test_loss_falls_when_trained_on_one_batch():
    history = losses_of_one_batch(tiny_hotr(), random_batch([2, 1]), 2e-3)
    assert history[-1] < 0.5 * history[0]


def test_damaged_weights_are_named_with_the_file():
    batch = random_batch([1, 2])
    for part in ("sub_pointer", "instance_head.box"):
        model = tiny_hotr()
        model.bbox_head.get_submodule(part).layers[0].weight.data.fill_(float("nan"))
        with pytest.raises(FloatingPointError, match="image_0.jpg"):
            model(*batch, mode="loss")


def test_wrong_class_columns_are_refused():
    for columns in ([1, 2, 3], [1, 2, 3, NUM_LOGITS - 1], [1, 2, 3, -1]):
        with pytest.raises(ValueError, match="class_columns"):
            tiny_hotr(instance_head=dict(class_columns=columns))


@pytest.mark.parametrize("option", ("obj_reweighting", "verb_reweighting", "verb_object_mask", "loss_bbox"))
def test_options_of_other_heads_are_refused(option):
    with pytest.raises(ConfigError, match=option):
        tiny_hotr(head={option: dict(type="any")})
