"""Fractions of a training set, and HICO-DET's zero-shot splits."""

import json

import pytest

from hqm_mmdet.datasets import HICODetDataset
from hqm_mmdet.datasets.subsets import draw_fraction, hico_triplets, unseen_triplets
from hqm_mmdet.errors import ConfigError
from hqm_mmdet.structures import load_metainfo
from tests.datasets.tiny_hoi import build, entry

SIZES = dict(rare_first=120, non_rare_first=120, unseen_object=100, unseen_verb=84, **{f"uc{i}": 120 for i in range(5)})


# ---- fractions


def test_a_fraction_is_a_part_in_the_order_of_the_file():
    part = draw_fraction(range(1000), 0.15, seed=3)
    assert len(part) == 150 == len(set(part)) and part == sorted(part)
    assert part == draw_fraction(range(1000), 0.15, seed=3) != draw_fraction(range(1000), 0.15, seed=4)


def test_smaller_fractions_are_parts_of_larger_ones():
    parts = [set(draw_fraction(range(777), fraction, seed=5)) for fraction in (0.05, 0.15, 0.25, 0.5, 1)]
    assert all(small < large for small, large in zip(parts[:-1], parts[1:], strict=True))
    assert parts[-1] == set(range(777))


def test_a_fraction_is_never_empty():
    assert len(draw_fraction([1, 2, 3], 0.001)) == 1


@pytest.mark.parametrize("fraction", [0, -0.1, 1.5, float("nan")])
def test_no_fraction(fraction, arguments):
    with pytest.raises(ValueError, match=r"dataset\.fraction must lie in \(0, 1\]"):
        build(**arguments, fraction=fraction)


def test_classes_are_counted_in_the_fraction(arguments, eval_arguments):
    everything = build(**eval_arguments)
    for seed in range(3):
        part = build(**arguments, fraction=0.34, fraction_seed=seed)
        (shown,) = (everything.get_data_info(part.get_data_info(i)["img_id"]) for i in range(len(part)))
        assert part.class_counts["verbs"].sum() == part.class_counts["objects"].sum() == len(shown["gt_hois"]["hois"])
    assert build(**arguments).class_counts["verbs"].sum() == 6


def test_training_on_a_fraction(arguments, eval_arguments):
    whole, part = build(**arguments), build(**arguments, fraction=0.67, fraction_seed=1)
    ids = [part.get_data_info(i)["img_id"] for i in range(len(part))]
    assert len(part) == 2 and ids == draw_fraction(range(3), 0.67, seed=1)
    assert (part.metainfo["valid_pairs"] == whole.metainfo["valid_pairs"]).all()
    assert part.metainfo["rare_triplets"] == whole.metainfo["rare_triplets"]
    with pytest.raises(ConfigError, match="fraction=0.34 is for training"):
        build(**eval_arguments, fraction=0.34)


# ---- zero-shot splits


def test_triplets_equal_the_reference_list(data_dir):
    hois = json.loads((data_dir / "hico_det/hoi_list.json").read_text())
    assert [h["hoi_id"] for h in hois] == list(range(1, 601))
    assert list(hico_triplets()) == [(h["object_index"], h["verb_id"] - 1) for h in hois]


def test_splits_equal_the_reference_lists(data_dir, reference_dir):
    splits = load_metainfo("hico_det_zero_shot")
    assert {name: len(hois) for name, hois in splits.items()} == SIZES
    gen_vlkt = json.loads((data_dir / "hico_det/zero_shot_splits.json").read_text())
    hoiclip = json.loads((reference_dir / "hoiclip/zero_shot_splits.json").read_text())
    assert all(set(splits[name]) == set(hois) for name, hois in gen_vlkt.items())
    assert all(set(splits[name]) == {hoi + 1 for hoi in hoiclip[name]} for name in splits)


@pytest.mark.parametrize("split", SIZES)
def test_what_the_splits_leave_out(split):
    unseen, everything = unseen_triplets(split), set(hico_triplets())
    seen = everything - unseen
    assert unseen < everything and len(unseen) == SIZES[split]
    lost_objects, lost_verbs = ({t[k] for t in everything} - {t[k] for t in seen} for k in (0, 1))
    assert (len(lost_objects), len(lost_verbs)) == {
        "rare_first": (0, 0),
        "non_rare_first": (0, 0),
        "unseen_object": (12, 5),
        "unseen_verb": (0, 20),
    }.get(split, (len(lost_objects), len(lost_verbs)))
    if split.startswith("uc"):
        assert 9 <= len(lost_verbs) <= 10


@pytest.fixture
def files(tmp_path):
    """Four images; a bicycle is adjusted, a cat dried, both are held."""
    table = load_metainfo("hico_det")
    adjust, hold, dry = (table["verb_ids"][table["verbs"].index(verb)] for verb in ("adjust", "hold", "dry"))
    boxes = [(10, 10, 40, 60, 1), (50, 20, 70, 40, 2), (20, 20, 70, 40, 17)]
    entries = [
        entry("both.png", boxes, [(0, 1, hold), (0, 1, adjust), (0, 2, hold)]),
        entry("seen.png", boxes, [(0, 1, hold)]),
        entry("unseen.png", boxes, [(0, 2, dry), (0, 2, hold)]),
        entry("none.png", boxes, []),
    ]
    for name in ("trainval_hico.json", "test_hico.json"):
        (tmp_path / name).write_text(json.dumps(entries))
    return dict(data_root=str(tmp_path))


def test_unseen_pairs_vanish_with_all_their_verbs(files, monkeypatch):
    table = load_metainfo("hico_det")
    bicycle, cat = table["classes"].index("bicycle"), table["classes"].index("cat")
    unseen = frozenset({(bicycle, table["verbs"].index("adjust")), (cat, table["verbs"].index("dry"))})
    monkeypatch.setattr("hqm_mmdet.datasets.zero_shot.unseen_triplets", lambda split, hois: unseen)
    train = HICODetDataset(ann_file="trainval_hico.json", zero_shot="uc0", **files)
    hold = table["verbs"].index("hold")
    infos = [train.get_data_info(i) for i in range(len(train))]
    assert [(info["img_id"], info["pairs"]) for info in infos] == [(0, [(0, 2, [hold])]), (1, [(0, 1, [hold])])]
    assert [len(info["instances"]) for info in infos] == [3, 3]  # boxes stay
    assert train.metainfo["unseen"] == sorted(unseen)
    assert train.class_counts["verbs"].nonzero()[0].tolist() == [hold] and train.class_counts["verbs"][hold] == 2
    assert train.class_counts["objects"][[bicycle, cat]].tolist() == [1, 1]


def test_evaluation_uses_all_annotations_and_knows_the_split(files):
    test = HICODetDataset(ann_file="test_hico.json", zero_shot="unseen_object", test_mode=True, **files)
    assert [len(test.get_data_info(i)["gt_hois"]["hois"]) for i in range(len(test))] == [3, 1, 2, 0]
    assert set(test.metainfo["unseen"]) == unseen_triplets("unseen_object")


def test_without_a_split_nothing_is_unseen(files):
    assert "unseen" not in HICODetDataset(ann_file="trainval_hico.json", **files).metainfo


def test_unknown_split(files):
    with pytest.raises(
        ValueError, match=r"zero_shot: 'rf' is no zero-shot split of hico_det; there are rare_first, .*uc4"
    ):
        HICODetDataset(ann_file="trainval_hico.json", zero_shot="rf", **files)


def test_real_training_images_of_a_split_show_seen_triplets_only(data_dir):
    arguments = dict(ann_file="trainval_hico.json", data_root=str(data_dir / "hico_det"), max_boxes=None)
    dataset = HICODetDataset(**arguments, zero_shot="non_rare_first", fraction=0.1, fraction_seed=2)
    unseen = unseen_triplets("non_rare_first")
    infos = [dataset.get_data_info(i) for i in range(len(dataset))]
    labels = [[i["bbox_label"] for i in info["instances"]] for info in infos]
    shown = {(names[o], v) for info, names in zip(infos, labels, strict=True) for _, o, vs in info["pairs"] for v in vs}
    assert not shown & unseen and all(info["pairs"] for info in infos)
    drawn = draw_fraction(range(37633), 0.1, seed=2)
    assert 0 < len(infos) < len(drawn) and {info["img_id"] for info in infos} < set(drawn)
