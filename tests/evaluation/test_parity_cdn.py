"""CDN's evaluation of HICO-DET on raw outputs with many near-duplicates: cut to 100, pair NMS, mAP."""

import numpy as np
import pytest
import torch

from hqm_mmdet.datasets import VCOCODataset
from hqm_mmdet.evaluation import VCOCOMetric
from hqm_mmdet.evaluation.functional import (
    QPIC,
    TripletCoder,
    TripletNMS,
    evaluate_triplets,
    ground_truth_table,
    mean_results,
    prediction_table,
    stack_images,
    verb_mask_by_object,
)
from hqm_mmdet.models.heads.postprocess import decode_pairs
from tests.models.reference import load_arrays

pytestmark = pytest.mark.parity
FIELDS = ("sub_bboxes", "obj_bboxes", "obj_labels", "verb_scores")
IMAGES = (0, 1)


@pytest.fixture(scope="module")
def arrays(reference_dir):
    return load_arrays(reference_dir, "cdn", "postprocess_hico_synthetic.npz")


@pytest.fixture(scope="module")
def coder(arrays):
    num_verbs, num_objects = arrays["correct_mat"].shape
    return TripletCoder(num_objects, num_verbs)


def predicted(arrays, image):
    """All pairs of an image."""
    names = ("obj_logits", "verb_logits", "sub_boxes", "obj_boxes")
    preds = {name: torch.from_numpy(arrays[f"in_pred_{name}"][image]) for name in names}
    return decode_pairs(preds, tuple(arrays["orig_sizes"][image]))


def candidates(arrays, coder, image):
    """The 100 best candidates from raw outputs."""
    pairs, mask = predicted(arrays, image), verb_mask_by_object(arrays["correct_mat"], coder.num_objects)
    return prediction_table(*(pairs[name].numpy() for name in FIELDS), coder, mask)


def rows(boxes, labels, ids, scores, coder):
    """Official (subject, object, verb) ids as (class, score, boxes), sorted."""
    sub, obj, verb = ids.T
    classes = coder.encode(labels[sub], labels[obj], verb)
    return np.array(sorted(zip(classes, scores, *boxes[sub].T, *boxes[obj].T, strict=True)))


def assert_same(table, arrays, stage, image, coder):
    ours = zip(table.classes, table.scores, *table.sub_boxes.T, *table.obj_boxes.T, strict=True)
    ids, scores = (arrays[f"{stage}_{name}{image}"] for name in ("ids", "scores"))
    expected = rows(arrays["boxes"][image], arrays["labels"][image], ids, scores, coder)
    np.testing.assert_allclose(np.array(sorted(ours)), expected, rtol=1e-5, atol=1e-4)


@pytest.mark.parametrize("image", IMAGES)
def test_kept_candidates(arrays, coder, image):
    table = candidates(arrays, coder, image)
    assert_same(table, arrays, "top100", image, coder)
    suppressed = TripletNMS()(table)
    assert_same(suppressed, arrays, "nms", image, coder)
    assert len(suppressed) < len(table) == 100


@pytest.mark.parametrize("stage", ("top100", "nms"))
def test_map(arrays, coder, stage):
    tables = [candidates(arrays, coder, image) for image in IMAGES]
    if stage == "nms":
        tables = [TripletNMS()(table) for table in tables]
    truth = [
        ground_truth_table(*(arrays[f"gt_{name}{image}"] for name in ("boxes", "labels", "hois")), coder)
        for image in IMAGES
    ]
    num_boxes = np.array([len(arrays[f"gt_labels{image}"]) for image in IMAGES])
    results = evaluate_triplets(stack_images(tables, True), stack_images(truth, False), num_boxes, coder, QPIC)
    means = mean_results(results["default"], coder.encode(*arrays["rare_triplets"].T))
    ours = [means[name] for name in ("full", "rare", "non_rare", "max_recall")]
    np.testing.assert_allclose(ours, arrays[f"eval_{stage}"], rtol=1e-6)
    assert means["full"] > 0


@pytest.mark.parametrize("image", IMAGES)
def test_pairs_that_the_vcoco_metric_keeps(reference_dir, image):
    arrays, metric = (
        load_arrays(reference_dir, "cdn", "postprocess_vcoco_synthetic.npz"),
        VCOCOMetric(protocol="official_masked", pair_nms=dict()),
    )
    metric.dataset_meta = {**VCOCODataset.METAINFO, "valid_pairs": arrays["correct_mat"]}
    truth = dict(boxes=[], labels=[], hois=[])
    sample = dict(img_id=image, img_path=f"{image}.jpg", pred_pairs=predicted(arrays, image), gt_hois=truth)
    agents = metric.make_record(sample).agents
    everything = VCOCOMetric()
    everything.dataset_meta = metric.dataset_meta
    whole = everything.make_record(sample).agents
    kept = np.sort(arrays[f"nms_subject_ids{image}"])
    assert len(kept) < len(whole.boxes)
    np.testing.assert_array_equal(agents.boxes, whole.boxes[kept])
