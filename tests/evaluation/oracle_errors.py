"""Independent error breakdown: plain loops, written from the definitions in ``docs/errors.md``.

Shares no code with the package. Candidates and ground truth are lists of dicts with ``image``, ``subject`` (label),
``object`` (label, None without object), ``verb``, ``boxes`` (subject, object), ``column``; candidates also have
``score`` and ``tp``, ground truth ``found``. ``rules`` has the attributes of ``EvalProtocol``.
"""

import numpy as np

from tests.evaluation.oracle import average_precision, iou

ORDER = ["duplicate", "verb", "object class", "association", "box", "several", "background"]


def as_lists(judged):
    """Tables -> candidates and ground truth."""

    def rows(table, columns):
        labels = [c.tolist() for c in judged.coder.decode(table.classes)]
        absent = judged.coder.num_objects
        for i, (subject, obj, verb) in enumerate(zip(*labels, strict=True)):
            boxes = table.sub_boxes[i].tolist(), table.obj_boxes[i].tolist()
            obj = None if obj == absent else obj
            image, column = int(table.image[i]), int(columns[i])
            yield dict(image=image, subject=subject, object=obj, verb=verb, boxes=boxes, column=column)

    preds, gts = list(rows(judged.preds, judged.pred_column)), list(rows(judged.gts, judged.gt_column))
    for i, pred in enumerate(preds):
        pred |= dict(score=float(judged.preds.scores[i]), tp=bool(judged.is_tp[i]))
    for i, gt in enumerate(gts):
        gt["found"] = bool(judged.taken_by[i] >= 0)
    return preds, gts


class Beside:
    """A candidate beside a ground truth."""

    def __init__(self, pred, gt, rules):
        def right(overlap):
            return overlap > rules.iou_threshold if rules.strict_threshold else overlap >= rules.iou_threshold

        pred_boxes = [[c + rules.pred_shift for c in box] for box in pred["boxes"]]
        shift = rules.gt_corner_shift
        gt_boxes = [[x1 + shift, y1 + shift, x2, y2] for x1, y1, x2, y2 in gt["boxes"]]
        self.sub = iou(pred_boxes[0], gt_boxes[0], rules)
        absent = [pred["object"] is None, gt["object"] is None]
        self.obj = 1.0 if all(absent) else 0.1 if any(absent) else iou(pred_boxes[1], gt_boxes[1], rules)
        self.unlike = any(absent) != all(absent)
        self.same_class = self.unlike or pred["object"] == gt["object"]
        self.same_verb = pred["verb"] == gt["verb"]
        self.sub_right, self.obj_right = right(self.sub), right(self.obj)
        self.real_object = self.obj_right and self.same_class and gt["object"] is not None
        self.overlap = min(self.sub, self.obj)
        self.near = self.overlap >= 0.1


def judge(pred, gts, rules):
    """(kind, index of the target or None) of a false positive; ``gts`` are all, their indices count."""
    beside = {
        g: Beside(pred, gt, rules)
        for g, gt in enumerate(gts)
        if gt["image"] == pred["image"] and gt["subject"] == pred["subject"]
    }
    both = {g: b for g, b in beside.items() if b.sub_right and b.obj_right}
    if any(b.same_class and b.same_verb for b in both.values()):
        return "duplicate", None
    threshold = rules.iou_threshold

    def closest(options, overlap=lambda b: b.overlap):
        def key(g):
            size = overlap(options[g])
            return min(size, threshold), not gts[g]["found"], size, not is_subject_box(options[g]), -g

        return max(options, key=key)

    def is_subject_box(b):
        return b.obj_right and not b.sub_right

    verb = {g: b for g, b in both.items() if b.same_class}
    if verb:
        return "verb", closest(verb)
    same = {g: b for g, b in both.items() if b.same_verb}
    if same:
        return "object class", closest(same)
    half = {g: b for g, b in beside.items() if b.same_verb and not b.unlike and (b.sub_right or b.real_object)}
    subjects, objects = any(b.sub_right for b in beside.values()), any(b.real_object for b in beside.values())
    if half and subjects and objects:
        return "association", closest(half, lambda b: max(b.sub * b.sub_right, b.obj * b.real_object))
    box = {g: b for g, b in beside.items() if b.same_verb and b.same_class and b.near and (b.sub_right or b.obj_right)}
    if box:
        g = closest(box)
        return "subject box" if is_subject_box(box[g]) else "object box", g
    return ("several" if any(b.near for b in beside.values()) else "background"), None


def break_down(judged):
    """Kinds, targets, missed, and the value after mending each kind, ``missed``, all, and the two limits."""
    preds, gts = as_lists(judged)
    results = [(None, None) if p["tp"] else judge(p, gts, judged.protocol) for p in preds]
    kinds, targets = zip(*results, strict=True) if results else ((), ())
    missed = [not gt["found"] and g not in targets for g, gt in enumerate(gts)]
    lost = [not gt["found"] for gt in gts]
    values = {}
    for kind in sorted({k for k in kinds if k}):
        values[kind] = value(judged, preds, gts, [k == kind for k in kinds], targets)
    everything = [k is not None for k in kinds]
    values["all"] = value(judged, preds, gts, everything, targets, missed)
    values["missed"] = value(judged, preds, gts, [False] * len(preds), targets, missed)
    values["false positives"] = value(judged, preds, gts, everything, [None] * len(preds))
    values["false negatives"] = value(judged, preds, gts, [False] * len(preds), targets, lost)
    return dict(kinds=kinds, targets=targets, missed=missed, values=values)


def value(judged, preds, gts, mended, targets, gone=None):
    """Headline value with those candidates mended and that ground truth not counted."""
    order = sorted(range(len(preds)), key=lambda i: (-preds[i]["score"], tie(judged, preds[i])))
    columns = [[] for _ in judged.classes]
    done = set()
    for i in order:
        column, flag = preds[i]["column"], preds[i]["tp"]
        if mended[i]:
            goal = targets[i]
            if goal is None or gts[goal]["found"] or goal in done:
                continue
            done.add(goal)
            column, flag = gts[goal]["column"], True
        if column >= 0:
            columns[column].append(int(flag))
    counts = [sum(gt["column"] == k for gt in gts) for k in range(len(columns))]
    rest = [gt for g, gt in enumerate(gts) if gone is None or not gone[g]]
    left = [sum(gt["column"] == k for gt in rest) for k in range(len(columns))]
    aps = []
    for k, flags in enumerate(columns):
        if not judged.counted[k] or (not counts[k] and not judged.empty_counts_zero):
            continue
        if not counts[k]:
            aps.append(0.0)
        elif not left[k]:
            aps.append(1.0)
        else:
            aps.append(average_precision(flags, left[k], judged.protocol.recall_thresholds)[0])
    return float(np.mean(aps)) if aps else float("nan")


def tie(judged, pred):
    """What decides between equal scores before the stored order."""
    return -pred["image"] if judged.later_images_first else 0
