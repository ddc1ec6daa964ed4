"""AP as UPT and PViC compute it, and files as they export them: official answers on their own kind of output."""

import pickle
from dataclasses import replace

import numpy as np
import pytest
import torch

from hqm_mmdet.evaluation.exchange.candidates import Candidates
from hqm_mmdet.evaluation.exchange.mat_folder import rows_by_hoi
from hqm_mmdet.evaluation.exchange.vcoco_detections import vcoco_pickle
from hqm_mmdet.evaluation.functional import PROTOCOLS, TripletCoder, evaluate_triplets, stack_images
from hqm_mmdet.evaluation.functional.triplets import TripletTable
from hqm_mmdet.evaluation.functional.vcoco import VCOCORoles, agents_from_pairs
from hqm_mmdet.models.two_stage import in_original_frame
from hqm_mmdet.structures import HOIDataSample, cxcywh_to_xyxy, load_hoi_classes, load_metainfo, new_pairs
from tests.models.reference import load_arrays, load_json

pytestmark = pytest.mark.parity
POCKET = replace(PROTOCOLS["pocket"], top_k=None, gt_corner_shift=0.0, precision="float32")


@pytest.mark.parametrize("method", ("upt", "pvic"))
def test_average_precision_of_all_pairs(reference_dir, method):
    """No cut to 100; boxes and truth in the resized image, so nothing is shifted."""
    given, hois = load_arrays(reference_dir, method, "evaluation.npz"), load_hoi_classes("hico_det")
    coder, preds, gts = TripletCoder(80, 117), [], []
    for i, (height, width) in enumerate(given["sizes"]):
        preds.append(predictions(given, i, coder))
        boxes = truth(given, i, "gt", (height, width))
        ids = given[f"gt_hoi{i}"]
        classes = coder.encode(0, np.array(hois.objects)[ids], np.array(hois.verbs)[ids])
        gts.append(TripletTable(np.zeros(len(ids), int), classes, *boxes))
    tables = stack_images(preds, scored=True), stack_images(gts, scored=False)
    results = evaluate_triplets(*tables, np.ones(len(gts), int), coder, POCKET)["default"]
    found = {c: row for row, c in enumerate(results.classes.tolist())}
    rows = [found.get(int(coder.encode(0, o, v))) for v, o in zip(hois.verbs, hois.objects, strict=True)]
    with_truth = np.array([row is not None for row in rows])
    assert (given["num_gt"][with_truth] == results.num_gt[[row for row in rows if row is not None]]).all()
    for name, values in (("ap_11P", results.ap), ("max_recall", results.max_recall)):
        ours = [0.0 if row is None else values[row] for row in rows]
        np.testing.assert_allclose(ours, given[name], rtol=0, atol=1e-9)


def truth(given, i, name, size):
    """Subject and object boxes of an image's labels, pixels of the resized image."""
    scale = torch.tensor([size[1], size[0]] * 2)
    return [(cxcywh_to_xyxy(torch.from_numpy(given[f"{name}_{who}{i}"])) * scale).numpy() for who in "ho"]


def predictions(given, i, coder, prefix="", object_of=lambda labels: labels):
    """Detections of an image in descending score order."""
    scores, pairs, objects, verbs, boxes = (
        given[f"{prefix}{name}{i}"] for name in ("score", "pair", "object", "verb", "boxes")
    )
    order = np.argsort(-scores, kind="stable")
    sub, obj = pairs[order].T
    classes = coder.encode(0, object_of(objects[order]), verbs[order])
    return TripletTable(np.zeros(len(order), int), classes, boxes[sub], boxes[obj], scores[order])


def test_pvic_s_diagnostic_ap_of_vcoco(reference_dir):
    """HICO-DET's evaluation with an action in place of a HOI: objects are not compared."""
    given, coder = load_arrays(reference_dir, "pvic", "evaluation.npz"), TripletCoder(1, 24)
    preds, gts = [], []
    for i, (height, width) in enumerate(given["v_sizes"]):
        preds.append(predictions(given, i, coder, "v_", np.zeros_like))
        actions = given[f"v_gt_action{i}"]
        boxes = truth(given, i, "v_gt", (height, width))
        gts.append(TripletTable(np.zeros(len(actions), int), coder.encode(0, 0 * actions, actions), *boxes))
    tables = stack_images(preds, scored=True), stack_images(gts, scored=False)
    results = evaluate_triplets(*tables, np.ones(len(gts), int), coder, POCKET)["default"]
    ap, num_gt = np.zeros(24), np.zeros(24, int)
    actions = coder.decode(results.classes)[2]
    ap[actions], num_gt[actions] = results.ap, results.num_gt
    assert (num_gt == given["vcoco_num_gt"]).all()
    np.testing.assert_allclose(ap, given["vcoco_ap_11P"], rtol=0, atol=1e-9)


def original_pairs(given, i, prefix=""):
    """Detections of an image as a model gives them, one verb each, in pixels of the original image."""
    sub, obj = given[f"{prefix}pair{i}"].T
    boxes = torch.from_numpy(given[f"{prefix}boxes{i}"])
    width, height = given[f"{prefix}original_sizes_wh"][i]
    sample = HOIDataSample(metainfo=dict(img_shape=tuple(given[f"{prefix}sizes"][i]), ori_shape=(height, width)))
    return in_original_frame(new_pairs(boxes[sub], boxes[obj], torch.from_numpy(given[f"{prefix}object{i}"])), sample)


@pytest.mark.parametrize("method", ("upt", "pvic"))
def test_rows_for_matlab(reference_dir, method):
    given, images = load_arrays(reference_dir, method, "evaluation.npz"), []
    for i, column in enumerate(given["file_column"]):
        pairs, verbs, scores = original_pairs(given, i), given[f"verb{i}"], given[f"score{i}"]
        boxes, labels = (pairs.sub_bboxes.numpy(), pairs.obj_bboxes.numpy()), pairs.obj_labels.numpy()
        images.append(Candidates(f"{column}.jpg", *boxes, np.zeros_like(labels), labels, verbs, scores))
    found = rows_by_hoi(images, given["file_column"].tolist(), continuous=True)
    ours = np.array([[hoi, column, *row] for hoi, own in found.items() for column, rows in own.items() for row in rows])
    theirs = given["matlab_rows"]
    assert len(ours) == len(theirs)
    # As sets: the order of equal scores is chance. Scores tell the rows of a cell apart.
    ours, theirs = (rows[np.lexsort((rows[:, 10], rows[:, 1], rows[:, 0]))] for rows in (ours, theirs))
    assert (ours[:, :2] == theirs[:, :2]).all()
    np.testing.assert_allclose(ours[:, 2:], theirs[:, 2:], rtol=0, atol=2e-3)


@pytest.mark.parametrize("method", ("upt", "pvic"))
def test_detections_for_vcoco(reference_dir, method):
    """The official file has an entry per pair and action, ours one per pair; here each pair has one action."""
    given, info = (
        load_arrays(reference_dir, method, "evaluation.npz"),
        load_json(reference_dir, method, "evaluation.json"),
    )
    verbs = tuple(load_metainfo("v_coco")["verbs"])
    names = [name.replace(" ", "_") for name in load_json(reference_dir, method, "valid_verbs.json")["vcoco_actions"]]
    tables = []
    for i in range(len(given["v_sizes"])):
        pairs, scores = original_pairs(given, i, "v_"), np.full((len(given[f"v_verb{i}"]), len(verbs)), np.nan)
        scores[np.arange(len(scores)), [verbs.index(names[verb]) for verb in given[f"v_verb{i}"]]] = given[
            f"v_score{i}"
        ]
        boxes = pairs.sub_bboxes.numpy(), pairs.obj_bboxes.numpy()
        tables.append(agents_from_pairs(*boxes, np.ones(len(scores), bool), scores, VCOCORoles(verbs)))
    rows = pickle.loads(vcoco_pickle(range(1000, 1000 + len(tables)), tables, VCOCORoles(verbs)))
    assert len(rows) == info["vcoco_entries"]
    said = [{key: value for key, value in row.items() if not np.isnan(value).any()} for row in rows]
    scores = [value for row in said for key, value in row.items() if key.endswith("_agent")]
    assert len(scores) == len(rows) and sum(scores) == pytest.approx(info["vcoco_score_sum"], rel=1e-6)
    for ours, theirs in zip(said, info["vcoco_cache_first"], strict=False):
        assert set(ours) == set(theirs)
        for key, value in theirs.items():
            np.testing.assert_allclose(ours[key], value, rtol=0, atol=2e-3)
