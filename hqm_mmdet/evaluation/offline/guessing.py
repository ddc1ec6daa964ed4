"""Which data set an annotation file belongs to, by what it holds."""

import re
from collections.abc import Sequence

from hqm_mmdet.datasets.conversion.v_coco import is_official_vcoco
from hqm_mmdet.datasets.problems import AnnotationError

# How image files of the published data sets are called, and of ToyHOI. HOI-A's names (test_000000.png) could be
# anybody's.
FILE_NAMES = {
    r"HICO_(train|test)2015_\d+": "hico",
    r"COCO_(train|val)2014_\d+": "vcoco",
    r"toy_(train|test)_\d+": "toy",
}


def guess_dataset(entries: Sequence, file: str, known: Sequence[str]) -> str:
    """Key of the data set that all entries belong to.

    Args:
        entries (Sequence): content of the annotation file.
        file (str): its name, for messages.
        known (Sequence[str]): keys to choose from, for messages.

    Raises:
        AnnotationError: image names do not tell, or tell different data sets.
    """
    if is_official_vcoco(entries):
        return "vcoco"
    names = [str(entry.get("file_name")) if isinstance(entry, dict) else "" for entry in entries] or [""]
    found = [dataset_of_image(name) for name in names]
    # All names, not the first: a file of two data sets belongs to neither.
    odd = next((i for i, dataset in enumerate(found) if dataset is None or dataset != found[0]), None)
    if odd is not None:
        which = f"its first image is {names[0]!r}" + (f", but there is also {names[odd]!r}" if odd else "")
        raise AnnotationError(
            f"{file} does not tell which data set it belongs to ({which}). Give --dataset, one of {', '.join(known)}."
        )
    return found[0]


def dataset_of_image(name: str) -> str | None:
    """Key of the data set whose images are called so, None if no name tells."""
    return next((dataset for pattern, dataset in FILE_NAMES.items() if re.search(rf"(^|[\\/]){pattern}", name)), None)
