"""Rules for one entry of an annotation file."""

from dataclasses import dataclass

import numpy as np

from ..annotations import NO_OBJECT, box_defect
from ..entry_parser import EntryParser, indices_fit
from ..hoi_dataset import HOIDataset
from ..problems import AnnotationError, ProblemReport
from .findings import ERROR, WARNING, SplitReport


@dataclass
class CheckedEntry:
    """What an image still needs to be compared with: its place in the file, and its readable boxes."""

    place: str
    file_name: str
    boxes: list[tuple[int, list[float]]]  # position in the entry, x1, y1, x2, y2


class EntryChecker:
    """Checks entries one by one; every bad row is reported, not only the first.

    Args:
        dataset (HOIDataset): class tables and limits.
        report (SplitReport): takes problems and numbers.
    """

    def __init__(self, dataset: HOIDataset, report: SplitReport):
        self.report = report
        self.parser: EntryParser = dataset.make_parser(ProblemReport(dataset.ann_file), training=False)
        self.valid_pairs: np.ndarray | None = dataset.given_valid_pairs()
        self.max_boxes = None if dataset.test_mode else dataset.max_boxes
        self.subject_label = dataset.metainfo.get("subject_label", 0)
        self._seen: dict[str, str] = {}

    def check(self, position: int, raw: dict) -> CheckedEntry | None:
        """Check an entry; None if not even its image is known."""
        place = f"entry {position}"
        try:
            name = self.parser.value(position, "?", raw, "file_name", str)
            rows = self.parser.value(position, name, raw, "annotations", list)
            hoi_rows = self.parser.value(position, name, raw, "hoi_annotation", list)
        except AnnotationError as error:
            self._add_unreadable(place, error)
            return None
        place = f"{place} ({name})"
        if name in self._seen:
            self.report.add(ERROR, "image listed twice", place, f"also in {self._seen[name]}")
        self._seen.setdefault(name, place)
        boxes = self._read(self.parser.read_box, position, place, name, rows)
        hois = self._read(self.parser.read_hoi, position, place, name, hoi_rows)
        self._check_boxes(place, boxes)
        hois = self._in_range(place, hois, len(rows))
        labels = {i: label for i, (_, label) in boxes.items()}
        self._check_hois(place, hois, labels)
        self._count(labels, [*hois.values()])
        return CheckedEntry(place, name, [(i, box) for i, (box, _) in boxes.items() if not box_defect(box)])

    def _read(self, read, position: int, place: str, name: str, rows: list) -> dict[int, tuple]:
        """Readable rows by position."""
        readable = {}
        for i, row in enumerate(rows):
            try:
                readable[i] = read(position, name, i, row)
            except AnnotationError as error:
                self._add_unreadable(place, error)
        return readable

    def _add_unreadable(self, place: str, error: AnnotationError) -> None:
        self.report.add(ERROR, "unreadable entry, unknown id or wrong type", place, error.problem)

    def _check_boxes(self, place: str, boxes: dict[int, tuple]) -> None:
        first: dict[tuple, int] = {}
        for i, (box, label) in boxes.items():
            if defect := box_defect(box):
                self.report.add(ERROR, f"bad box, {defect}", place, f"annotations[{i}].bbox = {box}")
            elif (earlier := first.setdefault((*box, label), i)) != i:
                self.report.add(WARNING, "box repeated", place, f"annotations[{earlier}] and [{i}] are {box}")
        if self.max_boxes is not None and len(boxes) > self.max_boxes:
            detail = f"{len(boxes)} boxes, training keeps {self.max_boxes} (dataset.max_boxes)"
            self.report.add(WARNING, "many boxes", place, detail)

    def _in_range(self, place: str, hois: dict[int, tuple], num_boxes: int) -> dict[int, tuple]:
        for i, hoi in hois.items():
            if not indices_fit(hoi, num_boxes):
                detail = f"subject_id={hoi[0]}, object_id={hoi[1]}, the image has {num_boxes} boxes"
                self.report.add(ERROR, "pair out of range", place, f"hoi_annotation[{i}]: {detail}")
        return {i: hoi for i, hoi in hois.items() if indices_fit(hoi, num_boxes)}

    def _check_hois(self, place: str, hois: dict[int, tuple], labels: dict[int, int]) -> None:
        first: dict[tuple, int] = {}
        for i, (subject, obj, verb) in hois.items():
            field = f"hoi_annotation[{i}]"
            if (earlier := first.setdefault((subject, obj, verb), i)) != i:
                self.report.add(WARNING, "HOI repeated", place, f"hoi_annotation[{earlier}] and [{i}]")
            if subject == obj:
                self.report.add(WARNING, "subject is its own object", place, f"{field}: box {subject}")
            if labels.get(subject, self.subject_label) != self.subject_label:
                name = self.report.classes[labels[subject]]
                self.report.add(WARNING, "unusual subject class", place, f"{field}: {name}")
            if self.valid_pairs is not None and obj in labels and not self.valid_pairs[verb, labels[obj]]:
                what = f"{self.report.verbs[verb]} {self.report.classes[labels[obj]]}"
                self.report.add(WARNING, "combination that the verb-object table forbids", place, f"{field}: {what}")

    def _count(self, labels: dict[int, int], hois: list[tuple]) -> None:
        s, classes, verbs = self.report.statistics, self.report.classes, self.report.verbs
        s.images += 1
        s.images_with_pairs += bool(hois)
        s.pairs += len({hoi[:2] for hoi in hois})
        s.hois_without_object += sum(obj == NO_OBJECT for _, obj, _ in hois)
        s.most_boxes = max(s.most_boxes, len(labels))
        s.boxes.update(classes[label] for label in labels.values())
        s.hois.update(verbs[verb] for *_, verb in hois)
        s.triplets.update(f"{verbs[verb]} {classes[labels[obj]]}" for _, obj, verb in hois if obj in labels)
