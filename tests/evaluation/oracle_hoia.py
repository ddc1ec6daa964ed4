"""HOI-A's evaluator as loops over images and candidates, the order of equal scores left open.

Written from the description in the reference folder; shares no code with the package. Inputs as of ``oracle``; every
HOI has an object.
"""

import numpy as np


def overlap(a, b):
    """IoU of two boxes x1, y1, x2, y2, without an extra pixel."""
    width, height = min(a[2], b[2]) - max(a[0], b[0]), min(a[3], b[3]) - max(a[1], b[1])
    if width <= 0 or height <= 0:
        return 0.0
    inter = width * height
    return inter / ((a[2] - a[0]) * (a[3] - a[1]) + (b[2] - b[0]) * (b[3] - b[1]) - inter)


def flags_of_image(gt, pred, top_k=100):
    """[(verb, score, 1 if it is right)] of the best candidates, best first; equal scores in the order of the pairs."""
    found = [
        (float(np.float32(score)), pair, verb)
        for pair, scores in enumerate(pred["verb_scores"])
        for verb, score in enumerate(scores)
    ]
    found.sort(key=lambda candidate: -candidate[0])
    near = [
        {
            i
            for i, truth in enumerate(gt["boxes"])
            if gt["labels"][i] == pred["labels"][k] and overlap(truth, box) >= 0.5
        }
        for k, box in enumerate(pred["boxes"])
    ]
    used, flags = set(), []
    for score, pair, verb in found[:top_k]:
        subjects, objects = near[pred["sub_ids"][pair]], near[pred["obj_ids"][pair]]
        hits = [
            n
            for n, (sub, obj, gt_verb) in enumerate(gt["hois"])
            if n not in used and gt_verb == verb and sub in subjects and obj in objects
        ]
        used.update(hits)
        flags.append((verb, score, int(bool(hits))))
    return flags


ORDERS = {
    # What the official script calls: numpy's default is not stable and depends on its version and on the processor.
    "official": lambda scores, right: np.argsort(-scores),
    "stable": lambda scores, right: np.argsort(-scores, kind="stable"),
    "worst": lambda scores, right: np.lexsort((right, -scores)),
    "best": lambda scores, right: np.lexsort((-right, -scores)),
}


def verb_aps(gts, preds, num_verbs, order):
    """(V,) AP, 0 for a verb without ground truth or candidate; ``order`` is one of ``ORDERS``."""
    flags = [flag for gt, pred in zip(gts, preds, strict=True) for flag in flags_of_image(gt, pred)]
    aps = np.zeros(num_verbs)
    for verb in range(num_verbs):
        num_gt = sum(hoi[2] == verb for gt in gts for hoi in gt["hois"])
        scores, right = (np.array([flag[i] for flag in flags if flag[0] == verb]) for i in (1, 2))
        if num_gt and len(scores):
            aps[verb] = area(right[ORDERS[order](scores, right)], num_gt)
    return aps


def area(right, num_gt):
    """Area under the largest precision at or beyond each recall."""
    hits = np.cumsum(right)
    recall, precision = hits / num_gt, hits / np.arange(1, len(right) + 1)
    total, last = 0.0, 0.0
    for n, reached in enumerate(recall):
        total += (reached - last) * precision[n:].max()
        last = reached
    return total
