"""Independent V-COCO evaluator: plain loops over detections, as the official script is built.

Written from the description of the protocol; shares no code with the package. ``images[i]`` = {persons: [{box,
labelled, actions: {name: {role: box or None}}}]}, ``detections[i]`` = list of {box, agent: {action: score}, roles:
{"action_role": (box, score)}}; a missing or NaN score is no detection. ``actions`` = {name: [roles]}.
"""

import math

import numpy as np


def iou(a, b):
    """Overlap of two boxes with inclusive pixels, in single precision as the official script."""
    a, b = np.float32(a).tolist(), np.float32(b).tolist()
    if any(map(math.isnan, a + b)):
        return float("nan")
    width = max(min(a[2], b[2]) - max(a[0], b[0]) + 1, 0)
    height = max(min(a[3], b[3]) - max(a[1], b[1]) + 1, 0)
    inter = width * height
    area = (a[2] - a[0] + 1) * (a[3] - a[1] + 1) + (b[2] - b[0] + 1) * (b[3] - b[1] + 1)
    return inter / (area - inter)


def nearest(box, persons):
    """Index and overlap of the person that a box overlaps most, None if there is no person."""
    overlaps = [iou(person["box"], box) for person in persons]
    if not overlaps:
        return None, 0.0
    best = max(range(len(overlaps)), key=lambda i: overlaps[i])
    return best, overlaps[best]


def role_is_right(annotated, box, scenario):
    """Whether an object box fits what is annotated."""
    if annotated is not None:
        return iou(annotated, box) >= 0.5
    return scenario == 2 or all(map(math.isnan, box)) or not any(box)


def area_under_curve(flags, num_gt):
    """VOC 2010 average precision; ``flags`` in descending score order."""
    curve, hits = [], 0
    for n, flag in enumerate(flags, 1):
        hits += flag
        if flag:
            curve.append((hits / num_gt, hits / n))
    ap, recall, best = 0.0, 1.0, 0.0
    for r, p in reversed(curve):
        best = max(best, p)
        ap += best / num_gt
        recall = r
    return ap if recall else 0.0


def one_class(images, detections, action, role=None, scenario=1):
    """AP of an action (``role`` None) or role; NaN without positive."""
    found, num_gt = [], 0
    for image, image_detections in zip(images, detections, strict=True):
        persons = image["persons"]
        num_gt += sum(p["labelled"] and action in p["actions"] for p in persons)
        rows = []
        for detection in image_detections:
            if role is None:
                score, box = detection["agent"].get(action, math.nan), None
            else:
                box, score = detection["roles"].get(f"{action}_{role}", (None, math.nan))
            if not math.isnan(score):
                rows.append((float(np.float32(score)), detection["box"], box))
        rows = sorted(rows[::-1], key=lambda row: -row[0])  # equal scores: the last one first
        covered, in_image = set(), []
        for score, person_box, box in rows:
            person, overlap = nearest(person_box, persons)
            if person is not None and not persons[person]["labelled"]:
                continue
            right = person is not None and overlap >= 0.5 and action in persons[person]["actions"]
            if right and role is not None:
                right = role_is_right(persons[person]["actions"][action].get(role), box, scenario)
            in_image.append((score, int(right and person not in covered)))
            if right:
                covered.add(person)
        found.append(in_image)
    if not num_gt:
        return math.nan
    ordered = [row for in_image in reversed(found) for row in reversed(in_image)]
    ordered.sort(key=lambda row: -row[0])
    return area_under_curve([flag for _, flag in ordered], num_gt)


def evaluate(images, detections, actions):
    """{'agent': {action: AP}, 'role_s1', 'role_s2': {"action_role": AP}}."""
    pairs = [(a, r) for a, roles in actions.items() for r in roles]
    return dict(
        agent={a: one_class(images, detections, a) for a in actions},
        role_s1={f"{a}_{r}": one_class(images, detections, a, r, 1) for a, r in pairs},
        role_s2={f"{a}_{r}": one_class(images, detections, a, r, 2) for a, r in pairs},
    )
