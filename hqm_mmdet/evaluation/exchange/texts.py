"""Formats of text: the field's JSON, GEN-VLKT's, HoiTransformer's."""

import json
from collections.abc import Iterable, Mapping, Sequence

import numpy as np

from hqm_mmdet.datasets.subsets import hico_triplets
from hqm_mmdet.structures import plain_name

from .candidates import BoxList, Candidates, digits

NO_OBJECT = -1


def field_json(images: Iterable[Candidates], metainfo: Mapping, truths: Sequence) -> bytes:
    """The field's list of ``{file_name, predictions, hoi_prediction}``, one verb per entry, ids of the annotations."""
    return json.dumps([_field_entry(image, metainfo) for image in images], separators=(",", ":")).encode()


def _field_entry(image: Candidates, metainfo: Mapping) -> dict:
    boxes, hois, absent = BoxList(), [], len(metainfo["classes"])
    for k in range(len(image)):
        label = int(image.obj_labels[k])
        hois.append(
            dict(
                subject_id=boxes.index(image.sub_boxes[k], image.sub_labels[k]),
                object_id=NO_OBJECT if label == absent else boxes.index(image.obj_boxes[k], label),
                category_id=metainfo["verb_ids"][image.verbs[k]],
                score=digits(image.scores[k]),
            )
        )
    ids = metainfo["category_ids"]
    listed = [dict(bbox=list(box), category_id=ids[label]) for *box, label in boxes.rows]
    return dict(file_name=image.file_name, predictions=listed, hoi_prediction=hois)


def genvlkt_json(images: Iterable[Candidates], metainfo: Mapping, truths: Sequence) -> bytes:
    """GEN-VLKT's and HOICLIP's result file, HICO-DET: a JSON string around a dict's ``str``; see the reader for it."""
    images = list(images)
    ids = {triplet: hoi for hoi, triplet in enumerate(hico_triplets())}
    preds = [_genvlkt_entry(image, ids) for image in images]
    gts = [_genvlkt_truth(image.file_name, truth, ids) for image, truth in zip(images, truths, strict=True)]
    return json.dumps(str(dict(preds=preds, gts=gts))).encode()


def _genvlkt_entry(image: Candidates, ids: Mapping) -> dict:
    boxes, hois = BoxList(), []
    for k in range(len(image)):
        hoi = ids.get((int(image.obj_labels[k]), int(image.verbs[k])))
        if hoi is None:  # a combination that does not exist has score 0 and no number
            continue
        # boxes have no class there, so one box is listed once whatever it is
        ends = boxes.index(image.sub_boxes[k], 0), boxes.index(image.obj_boxes[k], 0)
        hois.append(dict(subject_id=ends[0], object_id=ends[1], category_id=hoi, score=digits(image.scores[k])))
    listed = [dict(bbox=list(box)) for *box, _ in boxes.rows]
    return dict(filename=image.file_name, predictions=listed, hoi_prediction=hois)


def _genvlkt_truth(file_name: str, truth: Mapping[str, np.ndarray], ids: Mapping) -> dict:
    boxes, labels, hois = (truth[key].tolist() for key in ("boxes", "labels", "hois"))
    annotations = [dict(bbox=box, category_id=label) for box, label in zip(boxes, labels, strict=True)]
    rows = [dict(subject_id=s, object_id=o, category_id=ids[labels[o], verb]) for s, o, verb in hois]
    return dict(filename=file_name, annotations=annotations, hoi_annotation=rows)


def hoitr_lines(images: Iterable[Candidates], metainfo: Mapping, truths: Sequence) -> bytes:
    """A line per image, as HoiTransformer's evaluation scripts read; the score stands in ``i_cls``, other parts are 1.

    Its scripts know no pair without object, so these are left out.
    """
    classes = [plain_name(name) for name in metainfo["classes"]]
    lines = []
    for image in images:
        found = [
            dict(
                h_box=[digits(v) for v in image.sub_boxes[k]],
                o_box=[digits(v) for v in image.obj_boxes[k]],
                i_box=[0, 0, 0, 0],
                h_cls=1.0,
                o_cls=1.0,
                i_cls=digits(image.scores[k]),
                h_name=classes[image.sub_labels[k]],
                o_name=classes[image.obj_labels[k]],
                i_name=metainfo["verbs"][image.verbs[k]],
            )
            for k in range(len(image))
            if image.obj_labels[k] < len(classes)
        ]
        lines.append(json.dumps(dict(image_id=image.file_name, hoi_list=found)) + "\n")
    return "".join(lines).encode()
