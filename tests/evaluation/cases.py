"""Inputs for the evaluation tests and the short way from lists to tables."""

import numpy as np

from hqm_mmdet.evaluation.functional import (
    QPIC,
    TripletCoder,
    evaluate_triplets,
    ground_truth_table,
    mean_results,
    prediction_table,
    stack_images,
    verb_mask_by_object,
)

NUM_OBJECTS, NUM_VERBS = 4, 3
CODER = TripletCoder(NUM_OBJECTS, NUM_VERBS)


def tables(gts, preds, coder=CODER, correct_mat=None, top_k=100, partial=False):
    """Lists of images -> (prediction table, ground-truth table, boxes per image)."""
    mask = None if correct_mat is None else verb_mask_by_object(np.array(correct_mat), coder.num_objects)
    pred_tables = []
    for i, pred in enumerate(preds):
        boxes = np.array(pred["boxes"], dtype=np.float32).reshape(-1, 4)
        labels = np.array(pred["labels"], dtype=np.int64)
        sub, obj = (np.array(pred[key], dtype=np.int64) for key in ("sub_ids", "obj_ids"))
        scores = np.array(pred["verb_scores"], dtype=np.float32)
        pairs = (boxes[sub], boxes[obj], labels[obj], scores, coder, mask, top_k, labels[sub])
        pred_tables.append(prediction_table(*pairs, image=i, partial=partial))
    gt_tables = [ground_truth_table(g["boxes"], g["labels"], g["hois"], coder, image=i) for i, g in enumerate(gts)]
    num_boxes = np.array([len(g["boxes"]) for g in gts], dtype=np.int64)
    return stack_images(pred_tables, scored=True), stack_images(gt_tables, scored=False), num_boxes


def evaluate(gts, preds, protocol=QPIC, coder=CODER, correct_mat=None):
    """Lists of images -> ClassResults of both settings."""
    preds, gts, num_boxes = tables(gts, preds, coder, correct_mat, protocol.top_k)
    return evaluate_triplets(preds, gts, num_boxes, coder, protocol, known_object=True)


def by_triplet(results, values, coder=CODER):
    """Column of ClassResults -> {(subject label, object label, verb): value}."""
    keys = zip(*(c.tolist() for c in coder.decode(results.classes)), strict=True)
    return dict(zip(keys, values.tolist(), strict=True))


def means(results, rare=(), coder=CODER):
    """Means with the rare set given as (object label, verb) pairs."""
    return mean_results(results, np.array([coder.encode(0, o, v) for o, v in rare], dtype=np.int64))


def random_images(rng, num_images=4, max_pairs=8):
    """Small random images in the oracle's format; scores are all different, many boxes overlap."""
    gts, preds = [], []
    scores = list(rng.permutation(num_images * max_pairs * NUM_VERBS) + 1)
    for _ in range(num_images):
        gts.append(_random_truth(rng, num_boxes=int(rng.integers(0, 6))))
        preds.append(_random_prediction(rng, gts[-1], int(rng.integers(0, max_pairs + 1)), scores))
    return gts, preds


def _random_truth(rng, num_boxes):
    corner = rng.integers(0, 30, (num_boxes, 2))
    boxes = np.concatenate([corner, corner + rng.integers(8, 40, (num_boxes, 2))], 1)
    persons = (num_boxes + 1) // 2
    labels = [0] * persons + rng.integers(0, NUM_OBJECTS, num_boxes - persons).tolist()
    # object -1 = none; repetitions occur
    num_hois = int(rng.integers(0, 6)) if num_boxes else 0
    hois = rng.integers([0, -1, 0], [max(persons, 1), max(num_boxes, 1), NUM_VERBS], (num_hois, 3))
    return dict(boxes=boxes.tolist(), labels=labels, hois=hois.tolist())


def _random_prediction(rng, gt, num_pairs, scores):
    """Pairs near annotated ones, and some of any two boxes; no object = any box with its own label."""
    boxes, labels = np.zeros((2, num_pairs, 4)), np.zeros((2, num_pairs), dtype=int)
    for p in range(num_pairs):
        rows = rng.integers(-1, len(gt["boxes"]), 2)
        if gt["hois"] and rng.random() < 0.7:
            rows = gt["hois"][rng.integers(len(gt["hois"]))][:2]
        for role, row in enumerate(rows):
            box = rng.integers(0, 60, 4) if row < 0 else np.array(gt["boxes"][row]) + rng.integers(-3, 4, 4)
            boxes[role, p] = box
            labels[role, p] = role * (NUM_OBJECTS if row < 0 else gt["labels"][row])
    return dict(
        boxes=boxes.reshape(-1, 4).tolist(),
        labels=labels.reshape(-1).tolist(),
        verb_scores=[[scores.pop() / 1000 for _ in range(NUM_VERBS)] for _ in range(num_pairs)],
        sub_ids=list(range(num_pairs)),
        obj_ids=list(range(num_pairs, 2 * num_pairs)),
    )
