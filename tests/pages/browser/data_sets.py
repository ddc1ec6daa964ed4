"""A small data set to browse: hostile names, two splits, something of every kind of finding."""

import json
from pathlib import Path

from hqm_mmdet.datasets.checking import check_dataset
from hqm_mmdet.datasets.checking.sources import datasets_of_files
from hqm_mmdet.pages.browser import BrowsedDataset
from tests.datasets.tiny_hoi import entry, write_dataset

HOSTILE, BOLD = "<script>alert(1)</script>", "</script><b>bold"
CLASSES, VERBS = ("person", HOSTILE, "cup"), ("hold", BOLD, "wave")
PERSON, THING, CUP = (10, 10, 40, 60, 1), (50, 20, 70, 40, 2), (1, 2, 30, 40, 3)
TRAIN = [
    entry("a.png", [PERSON, THING, CUP], [(0, 1, 1), (0, 2, 1), (0, -1, 3)]),
    entry("b.png", [PERSON, THING, CUP], [(0, 1, 2), (0, 1, 2)]),  # repeated
    entry("c.png", [PERSON, (50, 20, 52, 40, 2)], [(0, 1, 1)]),  # tiny
    entry("d.png", [PERSON, THING], []),
]
TEST = [
    entry("e.png", [PERSON, CUP], [(0, 1, 1)]),
    entry("f.png", [CUP, PERSON], [(0, 1, 2)]),  # a cup is the subject
]
NUM_IMAGES = len(TRAIN) + len(TEST)


def write_files(root: Path) -> list[str]:
    """Files of the data set; f.png is lost, e.png is a copy of a.png. Returns the options that name it."""
    write_dataset(root, TRAIN)
    write_dataset(root, TEST, "test.json", "images")
    (root / "images/e.png").write_bytes((root / "images/a.png").read_bytes())
    (root / "images/f.png").unlink()
    (root / "names.json").write_text(json.dumps(dict(classes=CLASSES, verbs=VERBS)))
    files = [str(root / name) for name in ("train.json", "test.json")]
    return ["--dataset", "HOIDataset", "--names", str(root / "names.json"), "--ann-file", *files] + [
        "--images",
        str(root / "images"),
    ]


def browsed(root: Path, images: bool = True, **options) -> BrowsedDataset:
    """The data set of :func:`write_files`, checked."""
    write_files(root)
    files = [str(root / name) for name in ("train.json", "test.json")]
    datasets = datasets_of_files("HOIDataset", files, [str(root / "images")], str(root / "names.json"))
    reports = check_dataset(datasets, images, progress=False, suspicious=True)
    return BrowsedDataset.of("Small", reports, **options)


def browsed_files(kind: str, *files: Path, **options) -> BrowsedDataset:
    """Real annotations without images."""
    datasets = datasets_of_files(kind, [*map(str, files)])
    return BrowsedDataset.of(kind, check_dataset(datasets, False, progress=False, suspicious=True), **options)
