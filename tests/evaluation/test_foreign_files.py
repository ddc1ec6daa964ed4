"""Files of other code bases: read with the right values, or told what they look like and what to do."""

import gzip
import json
import pickle
import shutil
import sys
import types
from collections import defaultdict
from dataclasses import replace

import numpy as np
import pytest
import torch
from scipy.io import savemat
from scipy.special import softmax

from hqm_mmdet.datasets.subsets import hico_triplets, hico_valid_pairs
from hqm_mmdet.evaluation.offline import (
    PredictionError,
    evaluate_file,
    load_evaluation_set,
    mat_predictions,
    read_predictions,
)
from hqm_mmdet.evaluation.offline.genvlkt_predictions import as_json
from hqm_mmdet.evaluation.offline.hoitr_predictions import VCOCO_VERBS
from hqm_mmdet.evaluation.offline.id_signs import IdSigns
from hqm_mmdet.evaluation.offline.mat_predictions import hois_of_object
from hqm_mmdet.safe_loading import CheckpointError
from hqm_mmdet.structures import load_metainfo
from tests.evaluation.reference_data import load_simulator, read_json
from tests.evaluation.test_offline import HICO

PERFECT = {f"hico/{prefix}{key}": 1.0 for prefix in ("", "ko_") for key in ("full", "rare", "non_rare", "max_recall")}
del PERFECT["hico/ko_max_recall"]


# ---- GEN-VLKT, HOICLIP


def test_genvlkt_results(users, hico_50):
    result = evaluate_file(users / "genvlkt_results.json", hico_50)
    assert result.metrics == pytest.approx(PERFECT) and not result.missing and not result.warnings


@pytest.mark.parametrize("spelling", ["numpy 2", "json", "plain", "compressed"])
def test_spellings_of_genvlkt_results(users, hico_50, tmp_path, spelling):
    literals = json.loads((users / "genvlkt_results.json").read_text())
    file = tmp_path / ("p.json.gz" if spelling == "compressed" else "p.json")
    if spelling == "numpy 2":
        literals = literals.replace("320.0", "np.float32(320.0)").replace("'score': 0.9", "'score': np.float64(0.9)")
    text = dict(json=as_json(literals), plain=literals).get(spelling, json.dumps(literals))
    file.write_bytes(gzip.compress(text.encode()) if spelling == "compressed" else text.encode())
    assert evaluate_file(file, hico_50).metrics == pytest.approx(PERFECT)


def test_python_literals_as_json_are_the_same_values():
    value = {"a": [1, -2.5e-7, None, True, False], 'it\'s "b"': {"x": "C:\\a\nb", "np.float32(1)": "é"}}
    assert json.loads(as_json(str(value))) == value
    assert json.loads(as_json("[np.float32(1.5), np.int64(-3), nan, inf]"))[:2] == [1.5, -3]


def test_genvlkt_results_are_not_run(hico_50, tmp_path):
    text = "{'preds': [{'filename': 'a.jpg', 'predictions': [__import__('sys').exit(3)], 'hoi_prediction': []}]}"
    (tmp_path / "p.json").write_text(json.dumps(text))
    with pytest.raises(PredictionError, match="no readable JSON list"):
        evaluate_file(tmp_path / "p.json", hico_50)


@pytest.mark.parametrize(
    "change, message",
    [
        (dict(category_id=600), "HOI id 600, known are 0 ... 599"),
        (dict(subject_id=9), r"box 9, but there are 3"),
        (dict(score=float("nan")), "score nan"),
    ],
)
def test_unfit_genvlkt_entries_are_named(users, hico_50, tmp_path, change, message):
    content = json.loads(as_json(json.loads((users / "genvlkt_results.json").read_text())))
    content["preds"][0]["hoi_prediction"][0].update(change)
    (tmp_path / "p.json").write_text(json.dumps(str(content)))
    with pytest.raises(PredictionError, match=rf"entry 0 \(HICO_test2015_00000001\.jpg\): .*{message}|{message}"):
        evaluate_file(tmp_path / "p.json", hico_50)


def test_hoi_ids_belong_to_hico(users, tmp_path):
    (tmp_path / "ann.json").write_text(json.dumps([dict(file_name="a.jpg", annotations=[], hoi_annotation=[])]))
    hoia = load_evaluation_set("hoia", str(tmp_path / "ann.json"))
    with pytest.raises(PredictionError, match="600 HOIs of HICO-DET"):
        evaluate_file(users / "genvlkt_results.json", hoia)


# ---- UPT's V-COCO cache


class Template(defaultdict):
    def __missing__(self, key):
        return 0.0 if key.endswith("agent") else [0.0, 0.0, 0.1, 0.1, 0.0]


def test_vcoco_cache_has_the_value_of_plain_dicts(users, vcoco_val, tmp_path, monkeypatch):
    # as their own code reads and completes it, with a class that this test trusts
    module = types.ModuleType("utils")
    module.CacheTemplate = Template
    monkeypatch.setitem(sys.modules, "utils", module)
    cached = pickle.loads((users / "vcoco_cache_template.pkl").read_bytes())
    monkeypatch.delitem(sys.modules, "utils")
    verbs = load_metainfo("v_coco")["verbs"]
    roles = [verb for verb in verbs if verb.endswith(("_obj", "_instr"))]
    keys = [*roles, *(f"{v.rsplit('_', 1)[0] if v in roles else v}_agent" for v in verbs)]
    plain = [dict(d, **{key: d[key] for key in keys}) for d in cached]
    (tmp_path / "plain.pkl").write_bytes(pickle.dumps(plain))
    expected = evaluate_file(tmp_path / "plain.pkl", vcoco_val).metrics
    result = evaluate_file(users / "vcoco_cache_template.pkl", vcoco_val)
    assert result.metrics == expected and expected["vcoco/role_s1"] > 0.01 and len(result.missing) == 2332 - 40


def test_no_other_class_of_a_cache_is_made(vcoco_val, tmp_path):
    class Other(dict):
        pass

    Other.__qualname__ = "Other"
    module = types.ModuleType("utils")
    module.Other, Other.__module__ = Other, "utils"
    sys.modules["utils"] = module
    (tmp_path / "p.pkl").write_bytes(pickle.dumps([Other(image_id=1, person_box=[0, 0, 1, 1])]))
    del sys.modules["utils"]
    with pytest.raises(CheckpointError, match=r"it asks for `utils\.Other`"):
        evaluate_file(tmp_path / "p.pkl", vcoco_val)


# ---- HoiTransformer


def outputs(rng, verbs, categories, queries=6, batch=2):
    """A batch of the model's outputs."""

    def draw(*shape):
        return torch.from_numpy(rng.normal(size=(batch, queries, *shape)).astype(np.float32))

    boxes = [torch.from_numpy(rng.uniform(0.2, 0.5, (batch, queries, 4)).astype(np.float32)) for _ in range(2)]
    logits = dict(action_pred_logits=draw(verbs + 2), object_pred_logits=draw(categories + 1))
    unused = sorted(set(range(categories)) - set(HICO["category_ids"]))
    logits["object_pred_logits"][..., unused] = -9
    return dict(logits, human_pred_logits=draw(3), object_pred_boxes=boxes[0], human_pred_boxes=boxes[1])


def decoded_by_loops(batch, i, size, verb_names, names_of_outputs, category_ids):
    """As test.py does it: one triplet after the other."""
    height, width = size
    triplets = {}
    for q in range(batch["action_pred_logits"].shape[1]):
        action, thing, human = (
            softmax(batch[f"{part}_pred_logits"][i, q].double().numpy())[:-1] for part in ("action", "object", "human")
        )
        boxes = []
        for part in ("human", "object"):
            cx, cy, w, h = batch[f"{part}_pred_boxes"][i, q].double().tolist()
            boxes.append([(cx - w / 2) * width, (cy - h / 2) * height, (cx + w / 2) * width, (cy + h / 2) * height])
        label = category_ids.index(int(thing.argmax()))
        for output, name in enumerate(names_of_outputs, 1):
            score = action[output] * thing.max() * human.max()
            triplets[q, verb_names.index(name)] = (*boxes[0], *boxes[1], label, score)
    return triplets


@pytest.mark.parametrize("dataset", ["hico", "vcoco"])
@pytest.mark.parametrize("old", [False, True])
def test_hoitransformer_outputs(tmp_path, dataset, old):
    info = dict(HICO, **({} if dataset == "hico" else {k: load_metainfo("v_coco")[k] for k in ("verbs", "verb_ids")}))
    order = info["verbs"] if dataset == "hico" else VCOCO_VERBS
    rng = np.random.default_rng(0)
    batches = []
    for n in range(2):
        batch = outputs(rng, len(order), 91)
        sizes = [torch.tensor([480, 640]), torch.tensor([300, 200])]
        batches.append(dict(batch, id_list=[f"a{n}.jpg", f"b{n}.jpg"], org_sizes=sizes))
    torch.save(batches, tmp_path / "result_s000_e049.pkl", _use_new_zipfile_serialization=not old)
    found = list(read_predictions(tmp_path / "result_s000_e049.pkl", info))
    assert [p.image for p in found] == ["a0.jpg", "b0.jpg", "a1.jpg", "b1.jpg"]
    for n, prediction in enumerate(found):
        size = (480, 640) if n % 2 == 0 else (300, 200)
        ids = list(info["category_ids"])
        expected = decoded_by_loops(batches[n // 2], n % 2, size, list(info["verbs"]), order, ids)
        pairs = prediction.sample["pred_pairs"]
        assert pairs["verb_scores"].shape == (6, len(order))
        for (query, verb), row in expected.items():
            own = [*pairs["sub_bboxes"][query], *pairs["obj_bboxes"][query], pairs["obj_labels"][query]]
            assert [*own, pairs["verb_scores"][query, verb]] == pytest.approx(row, rel=1e-5)


def test_hoitransformer_file_without_half_its_parts(users, hico_50):
    with pytest.raises(
        PredictionError,
        match="looks like HoiTransformer's results, but batch 0 has no object_pred_logits, human_pred_logits, "
        "human_pred_boxes",
    ):
        evaluate_file(users / "result_s000_e049.pkl", hico_50)


def test_hoitransformer_of_another_data_set(tmp_path):
    batch = dict(outputs(np.random.default_rng(0), 29, 91, batch=1), id_list=["a.jpg"], org_sizes=[(480, 640)])
    torch.save([batch], tmp_path / "p.pkl")
    with pytest.raises(PredictionError, match="31 outputs, a model of this data set 119"):
        list(read_predictions(tmp_path / "p.pkl", HICO))


def test_hoitransformer_lines(entries, hico_50, tmp_path):
    names = dict(zip(HICO["category_ids"], HICO["classes"], strict=True))
    lines = []
    for entry in entries:
        boxes, hois = entry["annotations"], entry["hoi_annotation"]
        found = [
            dict(
                h_box=boxes[hoi["subject_id"]]["bbox"],
                o_box=boxes[hoi["object_id"]]["bbox"],
                i_box=[0, 0, 0, 0],
                h_name="person",
                o_name=names[boxes[hoi["object_id"]]["category_id"]].replace("_", " "),
                i_name=HICO["verbs"][hoi["category_id"] - 1],
                h_cls=0.9,
                o_cls=0.8,
                i_cls=0.5,
            )
            for hoi in hois
        ]
        lines.append(json.dumps(dict(image_id=entry["file_name"], hoi_list=found)))
    (tmp_path / "result.json").write_text("\n".join(lines) + "\n")
    assert evaluate_file(tmp_path / "result.json", hico_50).metrics == pytest.approx(PERFECT)
    (tmp_path / "result.json").write_text("\n".join([lines[0], lines[1][:-9]]))
    with pytest.raises(PredictionError, match="line 1: "):
        evaluate_file(tmp_path / "result.json", hico_50)


# ---- UPT's MATLAB export


def write_mat_folder(folder, entries, num_images, column):
    """Perfect detections; ``column`` gives an entry's place among the images. Coordinates count from 0."""
    cells = np.empty((600, num_images), object)
    for index in np.ndindex(cells.shape):
        cells[index] = np.zeros((0, 0))
    for n, entry in enumerate(entries):
        for hoi in entry["hoi_annotation"]:
            subject, obj = (entry["annotations"][hoi[key]] for key in ("subject_id", "object_id"))
            triplet = HICO["category_ids"].index(obj["category_id"]), hoi["category_id"] - 1
            row = np.array([[*subject["bbox"], *obj["bbox"], 1.9]]) - 1
            cell = hico_triplets().index(triplet), column(n, entry)
            cells[cell] = np.concatenate([cells[cell].reshape(-1, 9), row])
    folder.mkdir(exist_ok=True)
    for label in range(80):
        savemat(folder / f"detections_{label + 1:02d}.mat", dict(all_boxes=cells[hois_of_object(label)]))
    return folder


def test_folder_of_mat_files(entries, hico_50, tmp_path):
    folder = write_mat_folder(tmp_path / "matlab", entries, 50, lambda n, entry: n)
    matlab = load_evaluation_set("hico", hico_50.reader.ann_file, protocol="matlab")
    assert evaluate_file(folder, matlab).metrics == pytest.approx(PERFECT)
    assert len(hois_of_object(0)) == 10 and len(hois_of_object(1)) == 14  # person, bicycle
    (folder / "detections_07.mat").unlink()
    with pytest.raises(PredictionError, match=r"1 of the 80 files are missing, first detections_07\.mat"):
        evaluate_file(folder, matlab)


def test_columns_of_all_test_images_are_told_by_name(entries, hico_50, tmp_path, monkeypatch):
    monkeypatch.setattr(mat_predictions, "TEST_IMAGES", 60)  # not 9,658: 5.8 million cells take minutes

    def by_number(n, entry):
        return int(entry["file_name"][-12:-4]) - 1

    folder = write_mat_folder(tmp_path / "matlab", entries, 60, by_number)
    result = evaluate_file(folder, load_evaluation_set("hico", hico_50.reader.ann_file, protocol="matlab"))
    assert result.metrics == pytest.approx(PERFECT)


def test_mat_file_of_another_shape(users, hico_50, tmp_path):
    shutil.copy(users / "detections_02.mat", tmp_path)
    with pytest.raises(PredictionError, match=r"detections_02\.mat: all_boxes is 8 x 50, .*object 2 has 14 HOIs"):
        evaluate_file(tmp_path, hico_50)
    with pytest.raises(PredictionError, match="give the folder, which holds one for each of the 80 objects"):
        evaluate_file(users / "detections_02.mat", hico_50)


def test_files_that_are_no_mat_files(users, entries, hico_50, tmp_path):
    folder = write_mat_folder(tmp_path / "matlab", entries, 50, lambda n, entry: n)
    whole = (folder / "detections_05.mat").read_bytes()
    contents = {name: (users / name).read_bytes() for name in ("lfs.mat", "html.mat", "empty.mat")}
    for content in (*contents.values(), whole[: len(whole) // 2], whole[:100]):
        (folder / "detections_05.mat").write_bytes(content)
        with pytest.raises(PredictionError, match=r"detections_05\.mat: no cell array all_boxes"):
            evaluate_file(folder, hico_50)


def test_folder_without_mat_files(hico_50, tmp_path):
    with pytest.raises(FileNotFoundError, match=r"holds no detections_01\.mat"):
        evaluate_file(tmp_path, hico_50)


# ---- told


@pytest.mark.parametrize(
    "name, told",
    [
        ("x_retag_hoitr.odgt", r"HoiTransformer's annotations .*to-hoia odgt"),
        ("trailing.json", "annotation file, not like predictions"),
        ("lfs.mat", "Git LFS pointer"),
        ("html.mat", "web page"),
        ("empty.mat", "file is empty"),
    ],
)
def test_what_a_file_looks_like(users, hico_50, name, told):
    with pytest.raises(PredictionError, match=rf"{name}.*{told}"):
        evaluate_file(users / name, hico_50)


# ---- images without annotations; shifted ids


def as_predictions(entries, verb_step=0, category_step=0, verb_ids=range(1, 118)):
    """Perfect predictions, with ids shifted by a place in the data set's lists where that is still an id."""
    categories = list(HICO["category_ids"])
    predictions = []
    for entry in entries:
        boxes = []
        for box in entry["annotations"]:
            place = (categories.index(box["category_id"]) + category_step) % 80
            boxes.append(dict(box, category_id=categories[place]))
        hois = [
            dict(hoi, category_id=verb_ids[(hoi["category_id"] - 1 + verb_step) % 117], score=0.9)
            for hoi in entry["hoi_annotation"]
        ]
        predictions.append(dict(file_name=entry["file_name"], predictions=boxes, hoi_prediction=hois))
    return predictions


def test_images_without_annotations_are_left_out_when_asked(entries, hico_50, tmp_path):
    stranger = dict(as_predictions(entries[:1])[0], file_name="HICO_test2015_00009999.jpg")
    (tmp_path / "p.json").write_text(json.dumps([stranger, *as_predictions(entries)]))
    with pytest.raises(PredictionError, match="--skip-unknown"):
        evaluate_file(tmp_path / "p.json", hico_50)
    result = evaluate_file(tmp_path / "p.json", replace(hico_50, skip_unknown=True))
    assert result.unknown == ("HICO_test2015_00009999.jpg",) and result.metrics == pytest.approx(PERFECT)


@pytest.mark.parametrize(
    "shift, told",
    [
        (dict(), ()),
        (dict(verb_step=1), ["verb ids one higher"]),
        (dict(verb_step=-1), ["verb ids one lower"]),
        (dict(category_step=1), ["subject class", "object categories one higher"]),
        (dict(category_step=-1), ["subject class", "object categories one lower"]),
        (dict(verb_step=40), ["are verbs and classes in the annotation file's order"]),
    ],
)
def test_shifted_ids_are_told(entries, hico_50, tmp_path, shift, told):
    (tmp_path / "p.json").write_text(json.dumps(as_predictions(entries, **shift)))
    result = evaluate_file(tmp_path / "p.json", hico_50)
    assert len(result.warnings) == len(told)
    assert all(text in warning for text, warning in zip(told, result.warnings, strict=True))
    assert (result.metrics["hico/full"] == pytest.approx(1)) == (not told)


def test_ids_that_count_from_0(entries, hico_50, tmp_path):
    predictions = as_predictions(entries, verb_ids=range(117))
    predictions[0]["hoi_prediction"][0]["category_id"] = 0
    (tmp_path / "p.json").write_text(json.dumps(predictions))
    with pytest.raises(PredictionError, match="unknown id 0, known are 1 ... 117 .*count from 0"):
        evaluate_file(tmp_path / "p.json", hico_50)


def test_real_detectors_are_not_doubted(data_dir):
    """What a fair detector predicts: high scores for other verbs too, wrong classes, background pairs."""
    simulator, entries = load_simulator(data_dir), read_json(data_dir / "hico_det/test_hico.json.gz")
    signs = IdSigns(dict(HICO, valid_pairs=hico_valid_pairs()))
    for _, p in simulator.simulate(entries, "hico", 0, simulator.DEFAULTS, range(100)):
        labels, scores = p["labels"], p["verb_scores"]
        signs.add(
            dict(pred_pairs=dict(obj_labels=labels[p["obj_ids"]], sub_labels=labels[p["sub_ids"]], verb_scores=scores))
        )
    assert signs.candidates == 500 and signs.findings() == ()
    share = signs.existing[0, 0] / signs.candidates
    assert 0.3 < share < 1  # so that the test says something
