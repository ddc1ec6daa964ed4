"""From entries of an annotation file to labels: id mapping, validation, the official training filters."""

import math
from collections.abc import Iterable, Sequence
from operator import index as as_index

from hqm_mmdet.utils.untrusted_values import LARGEST_EXACT

from .annotations import NO_OBJECT, NOT_FINITE, ImageAnnotations, box_defect
from .problems import AnnotationError, ProblemReport


def indices_fit(hoi: tuple[int, int, int], num_boxes: int) -> bool:
    """Whether an HOI (subject, object, verb) names boxes of its image; the object may be -1."""
    subject, obj, _ = hoi
    return 0 <= subject < num_boxes and NO_OBJECT <= obj < num_boxes


class EntryParser:
    """Turns entries of one annotation file into :class:`ImageAnnotations`.

    What shows a wrong file or a wrong class table (missing key, wrong type, unknown id) is an error. What training can
    do without is left out and counted in the report. Evaluation leaves out nothing: there an index out of range or a
    coordinate that is no number is an error too.

    Args:
        category_ids, verb_ids (Sequence): ids in the file; their positions are the labels. Strings and integers are
            the same (HOI-A writes ``"3"``).
        report (ProblemReport): names the file and takes the counts.
        training (bool): whether defects may be left out.
        max_boxes (int, optional): boxes of an image that training keeps, the first ones. QPIC: the number of queries.
    """

    def __init__(
        self,
        category_ids: Sequence,
        verb_ids: Sequence,
        report: ProblemReport,
        training: bool = True,
        max_boxes: int | None = None,
    ):
        self.labels = {str(category): label for label, category in enumerate(category_ids)}
        self.verbs = {str(verb): label for label, verb in enumerate(verb_ids)}
        self.report = report
        self.training = training
        self.max_boxes = max_boxes

    def read_all(self, entries: Iterable[dict]) -> list[ImageAnnotations | None]:
        """:meth:`read` of all entries of a file."""
        return [self.read(*item) for item in enumerate(entries)]

    def read(self, entry: int, raw: dict) -> ImageAnnotations | None:
        """Everything an entry holds, or None for an image that training leaves out (an index out of range).

        Raises:
            AnnotationError: see the class.
        """
        name = self.value(entry, "?", raw, "file_name", str)
        boxes, labels = self._boxes(entry, name, self.value(entry, name, raw, "annotations", list))
        hois = self._hois(entry, name, self.value(entry, name, raw, "hoi_annotation", list), len(boxes))
        return None if hois is None else ImageAnnotations(name, boxes, labels, hois)

    def usable(self, entry: int, image: ImageAnnotations) -> ImageAnnotations:
        """What training keeps of an image (QPIC's filters); pairs that lose a box vanish. Evaluation keeps all."""
        defects = {i: problem for i, box in enumerate(image.boxes) if (problem := box_defect(box))}
        for i, kind in defects.items():
            self._add_box_defect(kind, entry, image, i)
        limit = len(image.boxes) if self.max_boxes is None else self.max_boxes
        if not self.training or (not defects and len(image.boxes) <= limit):
            return image
        # The limit counts boxes of the file, before bad ones go, as in QPIC.
        keep = [i for i in range(len(image.boxes)) if i < limit and i not in defects]
        new = {NO_OBJECT: NO_OBJECT, **{old: position for position, old in enumerate(keep)}}
        hois = [(new[s], new[o], verb) for s, o, verb in image.hois if s in new and o in new]
        self._count_losses(entry, image, limit, len(image.hois) - len(hois))
        return ImageAnnotations(image.file_name, [image.boxes[i] for i in keep], [image.labels[i] for i in keep], hois)

    def value(self, entry: int, name: str, raw: dict, key: str, kind: type):
        """``raw[key]``.

        Raises:
            AnnotationError: it is missing, or no ``kind``.
        """
        if not isinstance(raw, dict) or not isinstance(raw.get(key), kind):
            state = (
                f"no key '{key}'" if not isinstance(raw, dict) or key not in raw else f"'{key}' is no {kind.__name__}"
            )
            raise self.report.error(entry, name, state, "Write it, or take the entry out; format: docs/own_data.md.")
        return raw[key]

    def _boxes(self, entry: int, name: str, rows: list) -> tuple[list, list]:
        boxes, labels = [], []
        for i, row in enumerate(rows):
            box, label = self.read_box(entry, name, i, row)
            boxes.append(box)
            labels.append(label)
        return boxes, labels

    def read_box(self, entry: int, name: str, i: int, row: dict) -> tuple[list[float], int]:
        """Coordinates and label of ``annotations[i]``.

        Raises:
            AnnotationError: see the class.
        """
        try:
            # Unpacking also refuses a fifth number, such as a score.
            x1, y1, x2, y2 = box = list(row["bbox"])
            math.isfinite(x1 + y1 + x2 + y2)  # a TypeError for what is no number
            if bool in map(type, box):  # JSON's true, which Python counts as 1
                raise TypeError("a coordinate is no number")
            if max(map(abs, box)) > LARGEST_EXACT:  # integers that no array takes
                box = [float(value) for value in box]
            return box, self.labels[str(row["category_id"])]
        except (KeyError, TypeError, ValueError, OverflowError) as error:
            raise self._row_error(entry, name, f"annotations[{i}]", row, self.labels, ("bbox",)) from error

    def _hois(self, entry: int, name: str, rows: list, num_boxes: int) -> list | None:
        hois = []
        for i, row in enumerate(rows):
            hoi = self.read_hoi(entry, name, i, row)
            if not indices_fit(hoi, num_boxes):
                # QPIC leaves out the whole image, not only the HOI.
                self._add_bad_index(entry, name, f"hoi_annotation[{i}]", row, num_boxes)
                return None
            hois.append(hoi)
        return hois

    def read_hoi(self, entry: int, name: str, i: int, row: dict) -> tuple[int, int, int]:
        """Subject index, object index or -1, and verb of ``hoi_annotation[i]``; see :func:`indices_fit`.

        Raises:
            AnnotationError: see the class.
        """
        try:
            # operator.index refuses 1.0 and "1", which are signs of another format.
            subject, obj = row["subject_id"], row["object_id"]
            if isinstance(subject, bool) or isinstance(obj, bool):
                raise TypeError("an index is no number")
            return as_index(subject), as_index(obj), self.verbs[str(row["category_id"])]
        except (KeyError, TypeError) as error:
            keys = ("subject_id", "object_id")
            raise self._row_error(entry, name, f"hoi_annotation[{i}]", row, self.verbs, keys) from error

    def _row_error(self, entry: int, name: str, field: str, row, ids: dict, keys: tuple[str, ...]) -> AnnotationError:
        """Tells what is wrong with a box or HOI that could not be read."""
        missing = [k for k in (*keys, "category_id") if not isinstance(row, dict) or k not in row]
        if missing:
            remedy = "Write it, or take the row out; format: docs/own_data.md."
            return self.report.error(entry, name, f"{field}: no key '{missing[0]}'", remedy)
        if str(row["category_id"]) not in ids:
            known = f"{next(iter(ids))} ... {list(ids)[-1]} ({len(ids)} ids)"
            problem = f"{field}.category_id: unknown id {row['category_id']!r}, known are {known}"
            remedy = (
                "Does the file belong to this data set? If so, correct it; class tables are the dataset's metainfo."
            )
            return self.report.error(entry, name, problem, remedy)
        shown = ", ".join(f"{k}={row[k]!r}" for k in keys)
        expected = "four numbers x1, y1, x2, y2" if keys == ("bbox",) else "integers"
        return self.report.error(entry, name, f"{field}: {shown}, expected {expected}", "Correct the row.")

    def _add_bad_index(self, entry: int, name: str, field: str, row: dict, num_boxes: int) -> None:
        shown = f"subject_id={row['subject_id']}, object_id={row['object_id']}"
        problem = f"{field}: {shown}, but the image has {num_boxes} boxes"
        if not self.training:
            raise self.report.error(entry, name, problem, "Correct the row; evaluation leaves out nothing.")
        self.report.add("image left out, index out of range", entry, name, problem)

    def _add_box_defect(self, kind: str, entry: int, image: ImageAnnotations, i: int) -> None:
        problem = f"annotations[{i}].bbox = {image.boxes[i]}: {kind}"
        if self.training:
            self.report.add(f"box dropped, {kind}", entry, image.file_name, problem)
        elif kind == NOT_FINITE:
            raise self.report.error(entry, image.file_name, problem, "Correct the row; evaluation leaves out nothing.")
        else:
            self.report.add(f"box kept for evaluation, {kind}", entry, image.file_name, problem)

    def _count_losses(self, entry: int, image: ImageAnnotations, limit: int, lost_hois: int) -> None:
        if len(image.boxes) > limit:
            problem = f"{len(image.boxes)} boxes, the first {limit} are kept (dataset.max_boxes)"
            self.report.count("image with too many boxes", entry, image.file_name, problem)
        for _ in range(lost_hois):
            self.report.count("HOI dropped with its box", entry, image.file_name, "subject or object dropped")
