"""HOI classes of data sets and files."""

import json

import pytest
import torch

from hqm_mmdet.structures import HOIClassError, load_hoi_classes, load_metainfo, unseen_hois
from tests.models.reference import load_json

SPLITS = ("rare_first", "non_rare_first", "unseen_object", "unseen_verb", "uc0", "uc1", "uc2", "uc3", "uc4")


@pytest.mark.parity
@pytest.mark.parametrize(("name", "file"), (("hico_det", "hico"), ("v_coco", "vcoco")))
def test_tables_of_the_official_code(reference_dir, name, file):
    rows = load_json(reference_dir, "hoiclip", f"{file}_hoi_categories.json")
    hois = load_hoi_classes(name)
    assert list(hois.objects) == [row["object_id"] for row in rows]
    assert [hois.verb_names[verb] for verb in hois.verbs] == [row["verb"] for row in rows]
    assert list(hois.verbs) == [row["verb_id"] for row in rows]


@pytest.mark.parity
def test_zero_shot_splits(reference_dir):
    splits = load_json(reference_dir, "hoiclip", "zero_shot_splits.json")
    for split in SPLITS:
        assert unseen_hois("hico_det", split) == set(splits[split])
    with pytest.raises(HOIClassError, match=r"'uc5'.*uc0"):
        unseen_hois("hico_det", "uc5")
    with pytest.raises(HOIClassError, match=r"v_coco; there are none"):
        unseen_hois("v_coco", "uc0")


def test_labels_of_pairs():
    hois = load_hoi_classes("toy_hoi")
    verbs = torch.zeros(3, 11)
    verbs[0, [hois.verb_names.index("ride"), hois.verb_names.index("sit_on")]] = 1
    verbs[1, hois.verb_names.index("wave")] = 1
    labels = hois.labels(torch.tensor([hois.object_names.index("horse"), 8, 0]), verbs)
    names = [[hois.names()[i] for i in row.nonzero()[:, 0].tolist()] for row in labels]
    assert sorted(names[0]) == [("ride", "horse"), ("sit_on", "horse")]
    assert names[1:] == [[("wave", None)], []]
    assert hois.labels(torch.zeros(2, 0, dtype=torch.long), torch.zeros(2, 0, 11)).shape == (2, 0, len(hois))


def test_matrix_from_verbs_to_classes():
    hois = load_hoi_classes("hico_det")
    matrix = hois.verb_matrix()
    assert matrix.shape == (117, 600) and (matrix.sum(0) == 1).all()
    assert matrix[hois.verbs[17], 17] == 1
    assert hois.subset([5, 3]).verbs == (hois.verbs[5], hois.verbs[3])


def test_own_classes(tmp_path):
    table = dict(verbs=["hold"], classes=["person", "cup"], hois=[["hold", "cup"], ["hold", None]])
    file = tmp_path / "hois.json"
    file.write_text(json.dumps(table))
    hois = load_hoi_classes(str(file))
    assert hois.objects == (1, 2) and hois.verbs == (0, 0)
    other = tmp_path / "other.json"
    other.write_text(json.dumps(dict(table, hois=[["throw", "cup"]])))
    with pytest.raises(HOIClassError, match=r"other.json: expected verbs, classes and hois"):
        load_hoi_classes(str(other))
    with pytest.raises(HOIClassError, match="hico_det, v_coco, v_coco_actions and toy_hoi"):
        load_hoi_classes("hico")


def test_metainfo_is_read_once():
    assert load_metainfo("hico_det") is load_metainfo("hico_det")
