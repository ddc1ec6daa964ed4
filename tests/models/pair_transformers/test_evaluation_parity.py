"""AP as UPT and PViC compute it: their evaluator's answers on their own kind of output."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from hqm_mmdet.evaluation.functional import PROTOCOLS, TripletCoder, evaluate_triplets, stack_images
from hqm_mmdet.evaluation.functional.triplets import TripletTable
from hqm_mmdet.structures import cxcywh_to_xyxy, load_hoi_classes
from tests.models.reference import load_arrays

pytestmark = pytest.mark.parity


@pytest.mark.parametrize("method", ("upt", "pvic"))
def test_average_precision_of_all_pairs(reference_dir, method):
    """No cut to 100; boxes and truth in the resized image, so nothing is shifted."""
    given, hois = load_arrays(reference_dir, method, "evaluation.npz"), load_hoi_classes("hico_det")
    coder, preds, gts = TripletCoder(80, 117), [], []
    for i, (height, width) in enumerate(given["sizes"]):
        preds.append(predictions(given, i, coder))
        scale = torch.tensor([width, height] * 2)
        boxes = [(cxcywh_to_xyxy(torch.from_numpy(given[f"gt_{who}{i}"])) * scale).numpy() for who in "ho"]
        ids = given[f"gt_hoi{i}"]
        classes = coder.encode(0, np.array(hois.objects)[ids], np.array(hois.verbs)[ids])
        gts.append(TripletTable(np.zeros(len(ids), int), classes, *boxes))
    protocol = replace(PROTOCOLS["pocket"], top_k=None, gt_corner_shift=0.0, precision="float32")
    tables = stack_images(preds, scored=True), stack_images(gts, scored=False)
    results = evaluate_triplets(*tables, np.ones(len(gts), int), coder, protocol)["default"]
    found = {c: row for row, c in enumerate(results.classes.tolist())}
    rows = [found.get(int(coder.encode(0, o, v))) for v, o in zip(hois.verbs, hois.objects, strict=True)]
    with_truth = np.array([row is not None for row in rows])
    assert (given["num_gt"][with_truth] == results.num_gt[[row for row in rows if row is not None]]).all()
    for name, values in (("ap_11P", results.ap), ("max_recall", results.max_recall)):
        ours = [0.0 if row is None else values[row] for row in rows]
        np.testing.assert_allclose(ours, given[name], rtol=0, atol=1e-9)


def predictions(given, i, coder):
    """Detections of an image in descending score order."""
    order = np.argsort(-given[f"score{i}"], kind="stable")
    sub, obj = given[f"pair{i}"][order].T
    classes = coder.encode(0, given[f"object{i}"][order], given[f"verb{i}"][order])
    boxes = given[f"boxes{i}"]
    return TripletTable(np.zeros(len(order), int), classes, boxes[sub], boxes[obj], given[f"score{i}"][order])
