"""A walk through whole data sets."""

import os.path as osp
from collections.abc import Mapping

from rich.progress import track

from ..annotations import no_garbage_collection
from ..hoi_dataset import HOIDataset
from .checked_entry import CheckedEntry
from .entries import EntryChecker
from .findings import SplitReport
from .images import compare, inspect_images
from .kinds import TWO_NAMES, TWO_SPLITS
from .suspicious import find_suspicious
from .whole import check_whole

Identities = dict[str, CheckedEntry]  # what an image is told by (its content, or its path), and where it is first


def check_dataset(
    datasets: Mapping[str, HOIDataset],
    images: bool = True,
    workers: int = 4,
    progress: bool = True,
    suspicious: bool = False,
) -> list[SplitReport]:
    """Check the splits of a data set, and that no image is in two of them.

    Args:
        datasets (Mapping[str, HOIDataset]): splits by name; made with ``lazy_init=True``, so that bad annotations do
            not stop them.
        images (bool): read the image files, too.
        workers (int): threads that do.
        progress (bool): show progress bars.
        suspicious (bool): look for what is allowed but worth a look, too; see :mod:`.suspicious`.

    Returns:
        list[SplitReport]: one per split. An image of two splits is reported in the later one.

    Raises:
        FileNotFoundError: an annotation file is missing.
        AnnotationError: one is no HOIA-style file at all, or class tables do not fit.
    """
    reports: list[SplitReport] = []
    known: dict[str, str] = {}
    for name, dataset in datasets.items():
        report = _check_split(name, dataset, progress)
        for identity, entry in _identities(report, images, workers, progress).items():
            if identity in known:
                report.add(TWO_SPLITS, entry, f"also {known[identity]}")
            # The first split that holds an image is the one to be named.
            known.setdefault(identity, f"{name}, {entry.place}")
        if suspicious:
            find_suspicious(report)
        reports.append(report)
    return reports


@no_garbage_collection()
def _check_split(name: str, dataset: HOIDataset, progress: bool) -> SplitReport:
    report = SplitReport(name, dataset.ann_file)
    checker = EntryChecker(dataset, report)
    for i, raw in enumerate(track(dataset.read_entries(), f"{name}: annotations", disable=not progress)):
        checker.check(i, raw)
    check_whole(report)
    return report


def _identities(report: SplitReport, images: bool, workers: int, progress: bool) -> Identities:
    """Images by their content, which is checked; by their path where it can't be read or shall not."""
    paths = [osp.join(report.image_folder, entry.file_name) for entry in report.entries]
    if not images:
        return dict(zip(paths, report.entries, strict=True))
    identities: Identities = {}
    files = inspect_images(paths, workers, report.upright)
    bar = track(files, f"{report.name}: images", total=len(paths), disable=not progress)
    for path, entry, image in zip(paths, report.entries, bar, strict=True):
        compare(entry, image, report)
        earlier = identities.setdefault(image.digest or path, entry)
        if earlier.file_name != entry.file_name:
            report.add(TWO_NAMES, entry, f"also {earlier.place}")
    return identities
