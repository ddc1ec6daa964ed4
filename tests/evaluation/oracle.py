"""Independent evaluator: plain Python loops over predictions, as the official ones are built.

Written from the description of the protocols; shares no code with the package. Inputs are lists, one entry
per image: ``gts[i]`` = {boxes, labels, hois}, ``preds[i]`` = {boxes, labels, verb_scores, sub_ids, obj_ids}.
``rules`` is any object with the attributes of ``EvalProtocol``.
"""

from collections import defaultdict

import numpy as np


def iou(a, b, rules):
    """Overlap of two boxes x1, y1, x2, y2."""
    e = rules.pixel_extent
    width = min(a[2], b[2]) - max(a[0], b[0])
    height = min(a[3], b[3]) - max(a[1], b[1])
    if not rules.thin_boxes_match and (width <= 0 or height <= 0):
        return 0.0
    if width + e <= 0 or height + e <= 0:
        return 0.0
    inter = (width + e) * (height + e)
    area = (a[2] - a[0] + e) * (a[3] - a[1] + e) + (b[2] - b[0] + e) * (b[3] - b[1] + e)
    return inter / (area - inter)


def candidates(pred, correct_mat, rules):
    """[(score, subject row, object row, verb)] of one image, best first."""
    found = []
    for p, scores in enumerate(pred["verb_scores"]):
        obj = pred["obj_ids"][p]
        label = pred["labels"][obj]
        for verb, score in enumerate(scores):
            score = np.float32(score)
            if correct_mat is not None and label < len(correct_mat[verb]):
                score = np.float32(score * np.float32(correct_mat[verb][label]))
            found.append((float(score), pred["sub_ids"][p], obj, verb))
    found.sort(key=lambda c: -c[0])
    return found if rules.top_k is None else found[: rules.top_k]


def truths(gt, absent_label, rules):
    """[(triplet, subject box, object box or None)] of one image."""
    shift = rules.gt_corner_shift
    found = []
    for sub, obj, verb in gt["hois"]:
        boxes = [gt["boxes"][sub], None if obj < 0 else gt["boxes"][obj]]
        boxes = [b if b is None else [b[0] + shift, b[1] + shift, b[2], b[3]] for b in boxes]
        sub_label = gt["labels"][sub] if rules.compares_subject_labels else 0
        found.append(((sub_label, absent_label if obj < 0 else gt["labels"][obj], verb), *boxes))
    return found


def best_truth(triplet, sub_box, obj_box, image_truths, rules):
    """Index of the ground truth a candidate goes to, None if there is none."""
    best, largest = None, 0.0
    for g, (gt_triplet, gt_sub, gt_obj) in enumerate(image_truths):
        if gt_triplet != triplet:
            continue
        overlap = iou(sub_box, gt_sub, rules)
        if gt_obj is not None:
            overlap = min(overlap, iou(obj_box, gt_obj, rules))
        good = overlap > rules.iou_threshold if rules.strict_threshold else overlap >= rules.iou_threshold
        if good and overlap > largest:
            best, largest = g, overlap
    return best


def all_truths_hit(triplet, sub_box, obj_box, image_truths, rules, taken):
    """Indices of the free ground truth that a candidate overlaps enough."""
    free = [g for g in range(len(image_truths)) if g not in taken]
    return [g for g in free if best_truth(triplet, sub_box, obj_box, [image_truths[g]], rules) is not None]


def average_precision(flags, num_gt, thresholds):
    """AP and largest recall of one class; ``flags`` in descending score order. No thresholds: area under the curve."""
    curve, hits = [], 0
    for n, flag in enumerate(flags, 1):
        hits += flag
        curve.append((hits / num_gt, hits / n))
    ap, recall = 0.0, 0.0
    for i, (r, _) in enumerate(curve if thresholds is None else ()):
        ap += (r - recall) * max(p for _, p in curve[i:])
        recall = r
    for t in thresholds or ():
        ap += max([p for r, p in curve if r >= t], default=0.0) / len(thresholds)
    return ap, hits / num_gt


def evaluate(gts, preds, rules, correct_mat=None, absent_label=None, rare=(), known_object=False):
    """{'ap', 'max_recall', 'tp', 'score'} by triplet and the means."""
    all_truths = [truths(gt, absent_label, rules) for gt in gts]
    num_gt, flags, scores = defaultdict(int), defaultdict(list), defaultdict(list)
    for image_truths in all_truths:
        for triplet, _, _ in image_truths:
            num_gt[triplet] += 1
    for gt, pred, image_truths in zip(gts, preds, all_truths, strict=True):
        if rules.skips_images_without_boxes and not len(gt["boxes"]):
            continue
        taken = set()
        for score, sub, obj, verb in candidates(pred, correct_mat, rules):
            sub_label = pred["labels"][sub] if rules.compares_subject_labels else 0
            triplet = (sub_label, pred["labels"][obj], verb)
            sub_box, obj_box = ([c + rules.pred_shift for c in pred["boxes"][row]] for row in (sub, obj))
            if rules.takes_all_matches:
                hits = all_truths_hit(triplet, sub_box, obj_box, image_truths, rules, taken)
            else:
                match = best_truth(triplet, sub_box, obj_box, image_truths, rules)
                hits = [] if match is None or match in taken else [match]
            if known_object and triplet[1] not in [t[0][1] for t in image_truths]:
                continue
            flags[triplet].append(int(bool(hits)))
            scores[triplet].append(score)
            taken.update(hits)
    ap, max_recall = {}, {}
    for triplet, count in num_gt.items():
        order = sorted(range(len(flags[triplet])), key=lambda i, s=scores[triplet]: -s[i])
        ordered = [flags[triplet][i] for i in order]
        ap[triplet], max_recall[triplet] = average_precision(ordered, count, rules.recall_thresholds)
    return dict(
        ap=ap,
        max_recall=max_recall,
        tp={t: flags[t] for t in num_gt},
        score={t: scores[t] for t in num_gt},
        full=mean(ap.values()),
        rare=mean(v for (_, o, verb), v in ap.items() if (o, verb) in rare),
        non_rare=mean(v for (_, o, verb), v in ap.items() if (o, verb) not in rare),
        mean_max_recall=mean(max_recall.values()),
    )


def mean(values):
    """Arithmetic mean, NaN of nothing."""
    values = list(values)
    return sum(values) / len(values) if values else float("nan")
