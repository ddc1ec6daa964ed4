"""Numbers of splits whose answers are known, and which images are chosen to stand for the others."""

import numpy as np
import pytest

from hqm_mmdet.datasets.checking import CheckedEntry, SplitReport, check_dataset
from hqm_mmdet.datasets.checking.kinds import HOI_REPEATED, TINY_BOX
from hqm_mmdet.datasets.checking.sources import datasets_of_files
from hqm_mmdet.datasets.overview import choose_examples, overview_of

CLASSES, VERBS = ("person", "ball", "cup"), ("hold", "wave")
BOXES = [([0, 0, 10, 40], 0), ([20, 0, 30, 10], 1), ([0, 0, 4, 9], 2)]


def split(*images, name="train"):
    """A report on images, each given as (boxes, HOIs)."""
    report = SplitReport(name, f"{name}.json", CLASSES, VERBS)
    for i, (boxes, hois) in enumerate(images):
        report.entries.append(CheckedEntry(i, f"{i}.png", dict(enumerate(boxes)), dict(enumerate(hois))))
    return report


TRAIN = split(
    (BOXES, [(0, 1, 0), (0, 1, 0), (0, 1, 1), (0, 2, 0), (0, -1, 1)]),
    (BOXES[:1] * 2, [(0, -1, 1), (1, -1, 1)]),
    ([], []),
    (BOXES[:2], [(0, 1, 0)]),
)


def test_numbers_of_a_split():
    numbers = overview_of([TRAIN]).splits[0]
    assert (numbers.num_images, numbers.num_images_with_pairs, numbers.num_triplets) == (4, 3, 3)
    assert numbers.hois.tolist() == [[0, 3, 1, 0], [0, 1, 0, 3]]  # the last column: no object
    assert numbers.images_of.tolist() == [[0, 2, 1, 0], [0, 1, 0, 2]]
    assert numbers.boxes_of.tolist() == [4, 2, 1]
    assert numbers.boxes_per_image.tolist() == [3, 2, 0, 2]
    assert numbers.pairs_per_image.tolist() == [3, 2, 0, 1]
    assert numbers.persons_per_image.tolist() == [1, 2, 0, 1]
    assert numbers.box_sizes.tolist() == [20, 10, 6, 20, 20, 20, 10] and numbers.image_size is None


def test_unsound_parts():
    """A box without area has a class but no size; an HOI of an unreadable box has neither subject nor object."""
    report = split(([([5, 5, 5, 9], 1), *BOXES], [(1, 0, 0), (1, 3, 0)]))
    del report.entries[0].boxes[3]
    numbers = overview_of([report]).splits[0]
    assert numbers.boxes_of.tolist() == [1, 2, 0] and numbers.box_sizes.tolist() == [20, 10]
    assert numbers.hois.sum() == 1 and numbers.hois[0, 1] == 1


def test_rare_triplets():
    frequent = split(*[(BOXES, [(0, 1, 0), (0, 2, 0)])] * 5, *[(BOXES, [(0, 1, 0)])] * 5)
    numbers = overview_of([frequent]).splits[0]
    assert numbers.hois[0].tolist() == [0, 10, 5, 0]
    assert numbers.rare.tolist() == [[False, False, True], [False] * 3]


def test_flags():
    one, other = split(*[(BOXES, [(0, 1, 0)])] * 3), split((BOXES, [(0, 1, 0)]), name="test")
    for entry in (one.entries[0], one.entries[0], one.entries[2], other.entries[0]):
        report = other if entry is other.entries[0] else one
        report.add(TINY_BOX, entry, "", (2,))
    one.add(HOI_REPEATED, one.entries[1])
    flags = overview_of([one, other]).flags
    assert [(flag.kind, flag.counts, flag.images) for flag in flags] == [
        (HOI_REPEATED, (1, 0), (1, 0)),
        (TINY_BOX, (3, 1), (2, 1)),
    ]


def test_splits_of_one_data_set():
    other = split((BOXES, []))
    other.verbs = ("hold", "kick")
    for reports in ([], [TRAIN, other]):
        with pytest.raises(ValueError, match="same classes and verbs"):
            overview_of(reports)


# ---- examples


def topics(reports, examples):
    """How often each (split, verb, class or -1) and (split, kind) is shown."""
    counts = {}
    for e in examples:
        labels = {i: label for i, (_, label) in e.entry.boxes.items()}
        triplets = {(e.split, verb, labels.get(obj, -1)) for _, obj, verb in e.entry.hois.values()}
        for topic in triplets | {(e.split, p.kind) for p in e.problems}:
            counts[topic] = counts.get(topic, 0) + 1
    return counts


def reports_of_real_annotations(data_dir):
    files = [str(data_dir / f"v_coco/{name}.json") for name in ("trainval_vcoco", "test_vcoco_pairs_only")]
    return check_dataset(datasets_of_files("VCOCODataset", files), images=False, progress=False, suspicious=True)


def test_everything_is_shown_often_enough(data_dir):
    reports = reports_of_real_annotations(data_dir)
    overview = overview_of(reports)
    examples, wanted = choose_examples(reports, per_triplet=2, per_flag=5)
    assert wanted == len(examples) == len({(e.split, e.entry.position) for e in examples})
    shown = topics(reports, examples)
    for number, numbers in enumerate(overview.splits):
        for verb, label in zip(*np.nonzero(numbers.images_of), strict=True):
            key = (number, verb, label if label < 80 else -1)
            assert shown[key] >= min(2, numbers.images_of[verb, label])
        for flag in overview.flags:
            assert shown.get((number, flag.kind.name), 0) >= min(5, flag.images[number])
    assert topics(reports, choose_examples(reports, per_triplet=1, per_flag=1)[0]).keys() == shown.keys()


def test_a_limit_costs_variety_last(data_dir):
    reports = reports_of_real_annotations(data_dir)
    all_topics = topics(reports, choose_examples(reports, 3, 12)[0]).keys()
    once, _ = choose_examples(reports, 1, 1)
    limited, wanted = choose_examples(reports, 3, 12, limit=len(once))
    assert len(limited) == len(once) < wanted and topics(reports, limited).keys() == all_topics
    assert choose_examples(reports, 3, 12, limit=7)[0] == choose_examples(reports, 3, 12, limit=7)[0]
    assert len(choose_examples(reports, 3, 12, limit=7)[0]) == 7


def test_examples_are_spread_over_the_file():
    report = split(*[(BOXES, [(0, 1, 0)])] * 30)
    examples, _ = choose_examples([report], per_triplet=3)
    assert [e.entry.position for e in examples] == [5, 15, 25]


def test_examples_of_nothing():
    assert choose_examples([split()]) == ([], 0)
    assert choose_examples([split(([], []), (BOXES, []))]) == ([], 0)
    assert overview_of([split()]).splits[0].num_images == 0


# ---- real annotations


def test_hico_det(data_dir):
    """The numbers of the table in the annotations' own README."""
    files = [str(data_dir / f"hico_det/{name}_hico.json") for name in ("trainval", "test")]
    reports = check_dataset(datasets_of_files("HICODetDataset", files), images=False, progress=False, suspicious=True)
    overview = overview_of(reports)
    table = [
        (s.num_images, s.boxes_of.sum(), s.pairs_per_image.sum(), s.hois.sum(), s.num_triplets) for s in overview.splits
    ]
    assert table == [(37633, 152785, 93080, 117871, 600), (9546, 56786, 33405, 33405, 600)]
    assert overview.splits[0].rare.sum() == 138
    flags = {flag.kind.name: flag for flag in overview.flags}
    assert flags["HOI repeated"].counts == (119, 0) and flags["HOI repeated"].kind.level == "warning"
    assert not {"subject is its own object", "unusual subject class", "image of two splits"} & flags.keys()


def test_hoi_a(data_dir):
    files = datasets_of_files("HOIADataset", [str(data_dir / "hoi_a/test_hoia.json")])
    overview = overview_of(check_dataset(files, images=False, progress=False))
    counts = {flag.kind.name: flag.counts for flag in overview.flags}
    assert counts == {
        "forbidden combination": (181,),
        "unusual subject class": (75,),
        "HOI repeated": (1,),
    }
    numbers = overview.splits[0]
    assert (numbers.num_images, numbers.boxes_of.sum(), numbers.pairs_per_image.sum()) == (8787, 23514, 12164)
    by_verb = dict(zip(overview.verbs, numbers.hois.sum(1).tolist(), strict=True))
    assert sorted(by_verb.values(), reverse=True) == [9805, 4279, 1904, 1799, 1498, 1437, 398, 225, 183, 95]


def test_v_coco(data_dir):
    train, test = overview_of(reports_of_real_annotations(data_dir)).splits
    assert (train.num_images, train.hois.sum(), train.hois[:, -1].sum(), train.num_triplets) == (5400, 22789, 8951, 234)
    counts = np.load(data_dir / "v_coco/pair_counts_trainval.npy")
    assert (train.hois[:, :-1] == counts).all()
    assert (test.num_images, test.num_images_with_pairs, test.hois.sum()) == (4946, 4539, 12423)
