"""A walk through whole data sets."""

import os.path as osp
from collections.abc import Mapping, Sequence

from rich.progress import track

from ..hoi_dataset import HOIDataset
from .entries import CheckedEntry, EntryChecker
from .findings import ERROR, WARNING, SplitReport
from .images import compare, inspect_images

Identities = dict[str, CheckedEntry]  # what an image is told by (its content, or its path), and where it is first


def check_dataset(
    datasets: Mapping[str, HOIDataset], images: bool = True, workers: int = 4, progress: bool = True
) -> list[SplitReport]:
    """Check the splits of a data set, and that no image is in two of them.

    Args:
        datasets (Mapping[str, HOIDataset]): splits by name; made with ``lazy_init=True``, so that bad annotations do
            not stop them.
        images (bool): read the image files, too.
        workers (int): threads that do.
        progress (bool): show progress bars.

    Returns:
        list[SplitReport]: one per split. An image of two splits is reported in the later one.

    Raises:
        FileNotFoundError: an annotation file is missing.
        AnnotationError: one is no HOIA-style file at all, or class tables do not fit.
    """
    reports: list[SplitReport] = []
    known: dict[str, str] = {}
    for name, dataset in datasets.items():
        report, identities = _check_split(name, dataset, images, workers, progress)
        for identity, entry in identities.items():
            if identity in known:
                report.add(ERROR, "image of two splits", entry.place, f"also {known[identity]}")
            known.setdefault(identity, f"{name}, {entry.place}")
        reports.append(report)
    return reports


def _check_split(
    name: str, dataset: HOIDataset, images: bool, workers: int, progress: bool
) -> tuple[SplitReport, Identities]:
    entries = dataset.read_entries()
    report = SplitReport(name, dataset.ann_file, (), ())
    checker = EntryChecker(dataset, report)
    report.classes, report.verbs = (dataset.metainfo[key] for key in ("classes", "verbs"))
    bar = track(entries, f"{name}: annotations", disable=not progress)
    checked = [entry for i, raw in enumerate(bar) if (entry := checker.check(i, raw))]
    paths = [osp.join(dataset.image_folder, entry.file_name) for entry in checked]
    if not images:
        return report, dict(zip(paths, checked, strict=True))
    return report, _check_images(checked, paths, report, workers, progress)


def _check_images(
    checked: Sequence[CheckedEntry], paths: Sequence[str], report: SplitReport, workers: int, progress: bool
) -> Identities:
    identities: Identities = {}
    bar = track(inspect_images(paths, workers), f"{report.name}: images", total=len(paths), disable=not progress)
    for entry, image in zip(checked, bar, strict=True):
        compare(entry, image, report)
        if not image.digest:
            continue
        earlier = identities.setdefault(image.digest, entry)
        if earlier.file_name != entry.file_name:
            report.add(WARNING, "same picture under two names", entry.place, f"also {earlier.place}")
    return identities
