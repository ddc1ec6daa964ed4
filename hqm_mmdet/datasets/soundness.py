"""Would training learn what was annotated?"""

from collections.abc import Iterable, Mapping, Sequence

from .annotations import ImageAnnotations
from .problems import AnnotationError, ProblemReport

MOST = 0.5


def count_subjects(images: Iterable[tuple[int, ImageAnnotations]], report: ProblemReport, metainfo: Mapping) -> None:
    """Count HOIs whose subject is not of the subject class; models have no class for subjects.

    Args:
        images (Iterable): position in the file, and image.
        report (ProblemReport): takes the count.
        metainfo (Mapping): ``classes``, ``subject_label``.
    """
    label, classes = metainfo.get("subject_label", 0), metainfo["classes"]
    for position, image in images:
        for i, (subject, _, _) in enumerate(image.hois):
            if image.labels[subject] != label:
                problem = f"hoi_annotation[{i}]: {classes[image.labels[subject]]} (see docs/own_data.md, Subjects)"
                report.count(f"subject that is no {classes[label]}, trained as one", position, image.file_name, problem)


def refuse_lost_hois(
    file: str, images: Sequence[ImageAnnotations | None], usable: Sequence[ImageAnnotations], report: ProblemReport
) -> None:
    """Stop a training that would lose most of its HOIs before it begins.

    Args:
        file (str): the annotation file.
        images (Sequence[ImageAnnotations | None]): as annotated; None for an image that was left out.
        usable (Sequence[ImageAnnotations]): what training keeps.
        report (ProblemReport): what was left out, and why.

    Raises:
        AnnotationError: more than half of the HOIs, or of the images, are lost.
    """
    annotated, kept = (sum(len(image.hois) for image in each if image) for each in (images, usable))
    left_out = sum(image is None for image in images)
    if annotated - kept > MOST * annotated or left_out > MOST * len(images):
        raise AnnotationError(
            f"{file}: training would lose {annotated - kept} of {annotated} HOIs and {left_out} of {len(images)} "
            "images. Are boxes written as x, y, width, height? They must be x1, y1, x2, y2; indices count from 0. "
            f"`hqm-mmdet check-data` lists every problem.\n{report}"
        )
