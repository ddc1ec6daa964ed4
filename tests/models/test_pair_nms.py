"""Pair NMS as a component: what goes, what stays, and the official V-COCO detections."""

import numpy as np
import pytest
import torch

from hqm_mmdet.apis import build_model
from hqm_mmdet.models import PairNMS
from hqm_mmdet.models.heads.postprocess import decode_pairs
from hqm_mmdet.structures import new_pairs
from tests.models.reference import load_arrays
from tests.models.tiny import NUM_QUERIES, random_batch, random_pairs, tiny_config, tiny_model


def predicted(count, seed=0):
    generator = torch.Generator().manual_seed(seed)
    pairs = random_pairs(count, generator)
    scores = torch.rand(count, pairs.verb_labels.shape[1], generator=generator)
    return new_pairs(pairs.sub_bboxes, pairs.obj_bboxes, pairs.obj_labels, obj_scores=scores[:, 0], verb_scores=scores)


def repeated(pairs, factor):
    """Each pair twice; scores of the second half are ``factor`` times those of the first."""
    again = pairs[torch.arange(len(pairs))]
    again.verb_scores = pairs.verb_scores * factor
    return type(pairs).cat([pairs, again])


@pytest.mark.parametrize("factor", (0.5, 2.0))
def test_of_repeated_pairs_the_better_stays_in_query_order(factor):
    pairs = predicted(5)
    (kept,) = PairNMS(threshold=0.9)([repeated(pairs, factor)])
    torch.testing.assert_close(kept.sub_bboxes, pairs.sub_bboxes)
    torch.testing.assert_close(kept.verb_scores, pairs.verb_scores * max(factor, 1))


def test_images_do_not_see_each_other_and_may_be_empty():
    images = [repeated(predicted(4, seed=1), 0.5), predicted(0), predicted(4, seed=1)]
    together = PairNMS()(images)
    assert [len(pairs) for pairs in together] == [4, 0, 4]
    for pairs, result in zip(images, together, strict=True):
        (alone,) = PairNMS()([pairs])
        assert all(torch.equal(alone[name], result[name]) for name in ("sub_bboxes", "verb_scores", "obj_scores"))


def test_other_object_label_is_another_pair():
    pairs = repeated(predicted(3), 0.5)
    pairs.obj_labels[3:] += 1
    assert len(PairNMS(threshold=0.0)([pairs])[0]) >= 4


def test_half_precision_scores():
    pairs = repeated(predicted(3), 0.5)
    pairs.verb_scores = pairs.verb_scores.bfloat16()
    assert len(PairNMS(threshold=0.9)([pairs])[0]) == 3


def test_any_head_takes_it_by_configuration():
    config = tiny_config()
    config.model.bbox_head.pair_nms = dict(type="PairNMS", threshold=0.0)
    inputs, samples = random_batch([0, 0])
    model, plain = build_model(config), tiny_model()
    model.load_state_dict(plain.state_dict())
    suppressed, whole = ([s.pred_pairs for s in m.eval()(inputs, samples, mode="predict")] for m in (model, plain))
    assert all(len(pairs) == NUM_QUERIES for pairs in whole)
    assert all(1 <= len(pairs) < NUM_QUERIES for pairs in suppressed)  # boxes of untrained queries all overlap
    for pairs, rest in zip(whole, suppressed, strict=True):
        best = pairs.verb_scores.max()
        assert rest.verb_scores.max() == best


@pytest.mark.parity
def test_official_vcoco_detections(reference_dir):
    expected = load_arrays(reference_dir, "cdn", "postprocess_vcoco_synthetic.npz")
    mask = torch.from_numpy(expected["correct_mat"]).float()
    names = dict(obj_logits="obj_logits", verb_logits="verb_logits", sub_boxes="sub_boxes", obj_boxes="obj_boxes")
    images = [
        decode_pairs(
            {ours: torch.from_numpy(expected[f"in_pred_{name}"][i]) for ours, name in names.items()}, tuple(size), mask
        )
        for i, size in enumerate(expected["orig_sizes"])
    ]
    for i, pairs in enumerate(PairNMS()(images)):
        order = np.argsort(expected[f"nms_subject_ids{i}"])
        ids = [expected[f"nms_{who}_ids{i}"][order] for who in ("subject", "object")]
        assert len(pairs) == len(ids[0]) < len(images[i])
        boxes = expected[f"boxes{i}"]
        np.testing.assert_allclose(pairs.sub_bboxes, boxes[ids[0]], rtol=0, atol=1e-2)
        np.testing.assert_allclose(pairs.obj_bboxes, boxes[ids[1]], rtol=0, atol=1e-2)
        np.testing.assert_array_equal(pairs.obj_labels, expected[f"labels{i}"][ids[1]])
        np.testing.assert_allclose(pairs.verb_scores, expected[f"nms_scores{i}"][order], rtol=0, atol=2e-5)
