"""What the page is made from, with the names that it shows."""

import os.path as osp
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from hqm_mmdet.datasets.checking import SplitReport
from hqm_mmdet.datasets.overview import DatasetOverview, Example, choose_examples, overview_of


@dataclass(frozen=True, eq=False)
class BrowsedDataset:
    """A data set and the images that stand for it.

    Args:
        name (str): as the page calls it.
        reports (Sequence[SplitReport]): of a check that looked for suspicious things, too.
        overview (DatasetOverview): its numbers.
        examples (Sequence[Example]): images to show.
        num_wanted (int): how many there would be without a limit.
        per_triplet, per_flag (int): how many were wanted of each.
    """

    name: str
    reports: Sequence[SplitReport]
    overview: DatasetOverview
    examples: Sequence[Example]
    num_wanted: int
    per_triplet: int
    per_flag: int

    @classmethod
    def of(
        cls,
        name: str,
        reports: Sequence[SplitReport],
        per_triplet: int = 3,
        per_flag: int = 12,
        max_images: int | None = None,
    ) -> "BrowsedDataset":
        """Numbers and examples of checked splits; arguments as of :func:`~hqm_mmdet.datasets.overview.choose_examples`.

        Raises:
            AnnotationError: no split, or splits of different classes.
        """
        overview = overview_of(reports)
        examples, num_wanted = choose_examples(reports, per_triplet, per_flag, max_images)
        return cls(name, reports, overview, examples, num_wanted, per_triplet, per_flag)

    @property
    def splits(self) -> list[str]:
        """Names of the splits, without folders: the page may go to others."""
        names = [report.name for report in self.reports]
        short = [Path(name).name.removesuffix(".gz").removesuffix(".json") for name in names]
        return short if len({*short}) == len(names) else [f"{name} {i + 1}" for i, name in enumerate(short)]

    def without_folders(self, text: str) -> str:
        """A finding's detail without the folders that it lies in here."""
        for report, short in zip(self.reports, self.splits, strict=True):
            text = text.replace(report.name, short)
            for folder in filter(None, (report.image_folder, osp.dirname(report.ann_file))):
                # With the separator, so that the folder "data" leaves "data_2" alone.
                text = text.replace(osp.join(folder, ""), "")
        return text
