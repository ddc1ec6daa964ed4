"""Rules for one entry of an annotation file."""

from hqm_mmdet.utils.inside import path_inside

from ..annotations import NO_OBJECT, box_defect
from ..entry_parser import EntryParser, indices_fit
from ..hoi_dataset import HOIDataset
from ..problems import AnnotationError, ProblemReport
from .checked_entry import CheckedEntry
from .findings import SplitReport
from .kinds import (
    BAD_BOX,
    BOX_REPEATED,
    FORBIDDEN,
    HOI_REPEATED,
    IMAGE_OUTSIDE,
    LISTED_TWICE,
    MANY_BOXES,
    OUT_OF_RANGE,
    OWN_OBJECT,
    UNREADABLE,
    UNUSUAL_SUBJECT,
)


class EntryChecker:
    """Checks entries one by one; every bad row is reported, not only the first.

    Args:
        dataset (HOIDataset): class tables and limits.
        report (SplitReport): takes class tables, problems, numbers and readable entries.
    """

    def __init__(self, dataset: HOIDataset, report: SplitReport):
        self.report = report
        # As for evaluation, which lets nothing pass; what training would drop is told here.
        self.parser: EntryParser = dataset.make_parser(ProblemReport(dataset.ann_file), training=False)
        self.max_boxes = None if dataset.test_mode else dataset.max_boxes
        report.classes, report.verbs = (dataset.metainfo[key] for key in ("classes", "verbs"))
        report.valid_pairs = dataset.given_valid_pairs()
        report.subject_label = dataset.metainfo.get("subject_label", 0)
        report.image_folder, report.upright = dataset.image_folder, dataset.upright
        self._seen: dict[str, str] = {}

    def check(self, position: int, raw: dict) -> None:
        """Check an entry."""
        entry = CheckedEntry(position)
        try:
            name = self.parser.value(position, "?", raw, "file_name", str)
            rows = self.parser.value(position, name, raw, "annotations", list)
            hoi_rows = self.parser.value(position, name, raw, "hoi_annotation", list)
        except AnnotationError as error:
            self.report.add(UNREADABLE, entry, error.problem)
            return
        entry.file_name = name
        if "://" not in self.report.image_folder and path_inside(self.report.image_folder, name) is None:
            self.report.add(IMAGE_OUTSIDE, entry, f"not below {self.report.image_folder}")
            return
        if name in self._seen:
            self.report.add(LISTED_TWICE, entry, f"also in {self._seen[name]}")
        self._seen.setdefault(name, entry.place)
        # Row by row, so that a bad one does not hide those behind it.
        entry.boxes = self._read(self.parser.read_box, entry, rows)
        entry.hois = self._read(self.parser.read_hoi, entry, hoi_rows)
        self._check_boxes(entry)
        # Indices count the rows of the file, unreadable ones included.
        self._drop_out_of_range(entry, len(rows))
        self._check_hois(entry)
        self._count(entry)
        self.report.entries.append(entry)

    def _read(self, read, entry: CheckedEntry, rows: list) -> dict[int, tuple]:
        """Readable rows by position."""
        readable = {}
        for i, row in enumerate(rows):
            try:
                readable[i] = read(entry.position, entry.file_name, i, row)
            except AnnotationError as error:
                self.report.add(UNREADABLE, entry, error.problem)
        return readable

    def _check_boxes(self, entry: CheckedEntry) -> None:
        first: dict[tuple, int] = {}
        for i, (box, label) in entry.boxes.items():
            if defect := box_defect(box):
                self.report.add(BAD_BOX[defect], entry, f"annotations[{i}].bbox = {box}", (i,))
            # A bad box is told once, as bad, not as a repetition too.
            elif (earlier := first.setdefault((*box, label), i)) != i:
                self.report.add(BOX_REPEATED, entry, f"annotations[{earlier}] and [{i}] are {box}", (earlier, i))
        if self.max_boxes is not None and len(entry.boxes) > self.max_boxes:
            detail = f"{len(entry.boxes)} boxes, training keeps {self.max_boxes} (dataset.max_boxes)"
            self.report.add(MANY_BOXES, entry, detail)

    def _drop_out_of_range(self, entry: CheckedEntry, num_boxes: int) -> None:
        for i, hoi in entry.hois.items():
            if not indices_fit(hoi, num_boxes):
                detail = f"subject_id={hoi[0]}, object_id={hoi[1]}, the image has {num_boxes} boxes"
                self.report.add(OUT_OF_RANGE, entry, f"hoi_annotation[{i}]: {detail}")
        entry.hois = {i: hoi for i, hoi in entry.hois.items() if indices_fit(hoi, num_boxes)}

    def _check_hois(self, entry: CheckedEntry) -> None:
        report, labels = self.report, {i: label for i, (_, label) in entry.boxes.items()}
        first: dict[tuple, int] = {}
        for i, (subject, obj, verb) in entry.hois.items():
            field, boxes = f"hoi_annotation[{i}]", tuple(box for box in (subject, obj) if box != NO_OBJECT)
            if (earlier := first.setdefault((subject, obj, verb), i)) != i:
                report.add(HOI_REPEATED, entry, f"hoi_annotation[{earlier}] and [{i}]", boxes)
            if subject == obj:
                report.add(OWN_OBJECT, entry, f"{field}: box {subject}", (subject,))
            if labels.get(subject, report.subject_label) != report.subject_label:
                report.add(UNUSUAL_SUBJECT, entry, f"{field}: {report.classes[labels[subject]]}", (subject,))
            if report.valid_pairs is not None and obj in labels and not report.valid_pairs[verb, labels[obj]]:
                what = f"{report.verbs[verb]} {report.classes[labels[obj]]}"
                report.add(FORBIDDEN, entry, f"{field}: {what}", boxes)

    def _triplet(self, subject: int | None, obj: int | None, verb: int) -> str:
        """Name of a triplet class; as in evaluation, an absent object and another subject make other classes."""
        report = self.report
        words = [] if subject in (None, report.subject_label) else [report.classes[subject]]
        return " ".join([*words, report.verbs[verb], *([] if obj is None else [report.classes[obj]])])

    def _count(self, entry: CheckedEntry) -> None:
        s, classes, verbs = self.report.statistics, self.report.classes, self.report.verbs
        labels, hois = {i: label for i, (_, label) in entry.boxes.items()}, entry.hois.values()
        s.images += 1
        s.images_with_pairs += bool(hois)
        s.pairs += len({hoi[:2] for hoi in hois})
        s.hois_without_object += sum(obj == NO_OBJECT for _, obj, _ in hois)
        s.most_boxes = max(s.most_boxes, len(labels))
        s.boxes.update(classes[label] for label in labels.values())
        s.hois.update(verbs[verb] for *_, verb in hois)
        s.triplets.update(self._triplet(labels.get(sub), labels.get(obj), verb) for sub, obj, verb in hois)
