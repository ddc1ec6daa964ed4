"""Prediction files of all formats: the same numbers, whatever the file; messages that name file and entry."""

import gzip
import json
import pickle
import sys

import numpy as np
import pytest
import torch
from mmengine.evaluator import DumpResults

from hqm_mmdet.datasets import HICODetDataset, HOIADataset
from hqm_mmdet.datasets.class_tables import count_triplets
from hqm_mmdet.datasets.entry_parser import EntryParser
from hqm_mmdet.datasets.problems import ProblemReport
from hqm_mmdet.datasets.subsets import unseen_triplets
from hqm_mmdet.datasets.toy import ToySettings, make_toy_hoi
from hqm_mmdet.evaluation import DumpHOIPredictions
from hqm_mmdet.evaluation.offline import (
    PredictionError,
    evaluate_file,
    load_evaluation_set,
    prediction_entry,
    read_predictions,
)
from hqm_mmdet.evaluation.offline.json_stream import iterate_json_list
from hqm_mmdet.safe_loading import CheckpointError
from hqm_mmdet.structures import HOIDataSample, HOIVocabulary, new_pairs
from tests.evaluation.reference_data import load_simulator, read_json, reference_predictions
from tests.evaluation.test_vcoco import random_case
from tests.evaluation.vcoco_cases import VERBS, official_files, official_pickle

HICO, HOIA = HICODetDataset.METAINFO, HOIADataset.METAINFO
HOIA = dict(HOIA, category_ids=range(1, 12), verb_ids=range(1, 11))
NUM_IMAGES, NUM_PAIRS = 6, 12


def annotations(rng):
    """HICO-style entries."""
    entries = []
    for i in range(NUM_IMAGES):
        boxes = random_boxes(rng, 5).tolist()
        categories = [1, 1, 4, 44, 5]  # two persons, motorcycle, bottle, airplane
        hois = [(0, 2, 77), (1, 3, 37), (1, 4, 112)][: 1 + i % 3]  # ride, hold, wash (rare)
        entries.append(
            dict(
                file_name=f"HICO_test2015_{i:08d}.jpg",
                annotations=[dict(bbox=b, category_id=c) for b, c in zip(boxes, categories, strict=True)],
                hoi_annotation=[dict(subject_id=s, object_id=o, category_id=v) for s, o, v in hois],
            )
        )
    return entries


def random_boxes(rng, number):
    corner = rng.uniform(0, 200, (number, 2))
    return np.concatenate([corner, corner + rng.uniform(20, 200, (number, 2))], axis=1).astype(np.float32)


def predicted_pairs(rng, entry):
    """Pairs near the annotated ones, float32."""
    boxes = np.array([a["bbox"] for a in entry["annotations"]], np.float32)
    labels = np.array([HICO["category_ids"].index(a["category_id"]) for a in entry["annotations"]])
    sub, obj = rng.integers(0, 2, NUM_PAIRS), rng.integers(2, 5, NUM_PAIRS)
    noise = rng.normal(0, 6, (2, NUM_PAIRS, 4)).astype(np.float32)
    return dict(
        sub_bboxes=boxes[sub] + noise[0],
        obj_bboxes=boxes[obj] + noise[1],
        obj_labels=labels[obj],
        verb_scores=rng.random((NUM_PAIRS, 117)).astype(np.float32) ** 3,
    )


@pytest.fixture
def entries():
    return annotations(np.random.default_rng(0))


@pytest.fixture
def pairs(entries):
    rng = np.random.default_rng(1)
    return [predicted_pairs(rng, entry) for entry in entries]


@pytest.fixture
def ann_file(entries, tmp_path):
    path = tmp_path / "test_hico.json"
    path.write_text(json.dumps(entries))
    return str(path)


@pytest.fixture
def write(tmp_path):
    """Function that writes a JSON or pickle file."""

    def to(name, content):
        path = tmp_path / name
        if name.endswith(".json.gz"):
            path.write_bytes(gzip.compress(json.dumps(content).encode()))
        else:
            path.write_bytes(json.dumps(content).encode() if name.endswith(".json") else pickle.dumps(content))
        return path

    return to


@pytest.fixture
def evaluate(ann_file):
    return lambda path, **options: evaluate_file(path, load_evaluation_set("hico", ann_file, **options))


@pytest.fixture
def dense(entries, pairs):
    return [prediction_entry(e["file_name"], p, HICO) for e, p in zip(entries, pairs, strict=True)]


@pytest.fixture
def expected(write, evaluate, dense):
    return evaluate(write("dense.json", dense)).metrics


def samples_of(entries, pairs):
    samples = []
    for i, (entry, p) in enumerate(zip(entries, pairs, strict=True)):
        labels = [HICO["category_ids"].index(a["category_id"]) for a in entry["annotations"]]
        truth = dict(boxes=np.array([a["bbox"] for a in entry["annotations"]]), labels=np.array(labels))
        truth["hois"] = np.array([list(h.values()) for h in entry["hoi_annotation"]]) - [0, 0, 1]
        sample = HOIDataSample(metainfo=dict(img_id=i, img_path=f"test2015/{entry['file_name']}", gt_hois=truth))
        tensors = {key: torch.as_tensor(value) for key, value in p.items()}
        sample.pred_pairs = new_pairs(obj_scores=torch.ones(NUM_PAIRS), **tensors)
        samples.append(sample)
    return samples


# ---- all formats give the numbers of the metric


def test_dense_scores_equal_the_metric(entries, pairs, ann_file, expected):
    metric = load_evaluation_set("hico", ann_file).metric
    metric.process({}, samples_of(entries, pairs))
    assert metric.evaluate(NUM_IMAGES) == expected
    assert 0 < expected["hico/full"] < 1 and expected["hico/ko_full"] >= expected["hico/full"]


def test_one_verb_per_entry(entries, pairs, write, evaluate, expected):
    """The best 100 of the allowed combinations are all that the protocol uses."""
    info = load_evaluation_set("hico", write("empty.json", [])).metric.dataset_meta
    masked = [prediction_entry(e["file_name"], p, info, top_k=100) for e, p in zip(entries, pairs, strict=True)]
    assert all(len(e["hoi_prediction"]) == 100 and "category_id" in e["hoi_prediction"][0] for e in masked)
    assert evaluate(write("best.json", masked)).metrics == pytest.approx(expected, abs=1e-12)


def test_entries_in_any_order_and_compressed(write, evaluate, dense, expected):
    assert evaluate(write("a.json.gz", dense[::-1])).metrics == expected


def qpic_entry(pairs):
    boxes = np.concatenate([pairs["sub_bboxes"], pairs["obj_bboxes"]])
    labels = np.concatenate([np.zeros(NUM_PAIRS, int), pairs["obj_labels"]])
    sub_ids, obj_ids = np.arange(2 * NUM_PAIRS).reshape(2, -1)
    return dict(boxes=boxes, labels=labels, verb_scores=pairs["verb_scores"], sub_ids=sub_ids, obj_ids=obj_ids)


def test_qpic_list(pairs, write, evaluate, expected):
    found = [qpic_entry(p) for p in pairs]
    for entry in found:
        entry |= {key: torch.tensor(entry[key]) for key in ("boxes", "labels", "sub_ids")}
    assert evaluate(write("qpic.pkl", found)).metrics == expected
    with pytest.raises(PredictionError, match=r"qpic\.pkl: 5 entries for 6 images"):
        evaluate(write("qpic.pkl", found[:-1]))
    with pytest.raises(PredictionError, match=r"entry 6 \(6\): the annotations have no such image"):
        evaluate(write("qpic.pkl", [*found, found[0]]))


def test_dump_results(entries, pairs, tmp_path, evaluate, expected):
    dump = DumpResults(str(tmp_path / "dump.pkl"))
    dump.process({}, [sample.to_dict() for sample in samples_of(entries, pairs)])
    dump.evaluate(NUM_IMAGES)
    assert evaluate(tmp_path / "dump.pkl").metrics == expected


@pytest.mark.parametrize("top_k", [None, 100])
def test_writer_round_trip(entries, pairs, tmp_path, top_k):
    writer = DumpHOIPredictions(str(tmp_path / "out.json"), top_k)
    writer.dataset_meta = HICO
    samples = samples_of(entries, pairs)
    samples[1].pred_pairs.obj_labels[0] = 80  # no object
    samples[1].pred_pairs.obj_bboxes[0] = 0
    writer.process({}, samples[:4])
    writer.process({}, [*samples[4:], samples[0]])
    assert writer.evaluate(NUM_IMAGES + 1) == {}
    read = list(read_predictions(tmp_path / "out.json", HICO))
    assert [p.image for p in read] == [e["file_name"] for e in entries]
    for prediction, sample in zip(read, samples, strict=True):
        ours, theirs = prediction.sample["pred_pairs"], sample.pred_pairs
        if top_k is None:
            for key in ("sub_bboxes", "obj_bboxes", "obj_labels", "verb_scores"):
                np.testing.assert_array_equal(ours[key], theirs[key].numpy())
        else:
            given = np.sort(ours["verb_scores"][~np.isnan(ours["verb_scores"])])
            np.testing.assert_array_equal(given, np.sort(theirs.verb_scores.numpy().ravel())[-top_k:])


def test_writer_refuses_other_names_and_scores(entries, pairs, tmp_path):
    with pytest.raises(ValueError, match=r"must end in \.json"):
        DumpHOIPredictions("out.pkl")
    writer = DumpHOIPredictions(str(tmp_path / "out.json"))
    writer.dataset_meta = HICO
    samples = samples_of(entries, pairs)
    samples[0].pred_pairs.verb_scores[2, 3] = float("nan")
    with pytest.raises(ValueError, match="HICO_test2015_00000000.jpg.*pair 2, verb 3"):
        writer.process({}, samples)


def test_toy_split(tmp_path):
    make_toy_hoi(tmp_path, ToySettings(num_train=40, num_test=20), False)
    annotations = str(tmp_path / "annotations" / "test_toy.json")
    plain, split = (load_evaluation_set("toy", annotations, zero_shot=name) for name in (None, "unseen_combination"))
    assert plain.metric.vocabulary.unseen_classes is None and len(split.metric.vocabulary.unseen_classes) == 6


def test_options(write, evaluate, dense, expected):
    path = write("dense.json", dense)
    assert evaluate(path, protocol="matlab").metrics != expected
    assert evaluate(path, pair_nms={}).metrics.keys() == expected.keys()
    unseen = evaluate(path, zero_shot="rare_first")
    assert {"hico/seen", "hico/unseen", "hico/ko_unseen"} <= set(unseen.metrics)
    assert "unseen" in unseen.table
    low = evaluate(path, bootstrap=20).metrics["hico/full_low"]
    assert low <= expected["hico/full"]


def test_hoia(write):
    annotation = dict(
        file_name="test_000000.png",
        annotations=[dict(bbox=[0, 0, 50, 90], category_id="1"), dict(bbox=[30, 20, 80, 60], category_id="3")],
        hoi_annotation=[dict(subject_id=0, object_id=1, category_id=1)],
    )
    prediction = dict(
        file_name="test_000000.png",
        predictions=[dict(bbox=[0, 0, 50, 90], category_id=1), dict(bbox=[30, 20, 80, 60], category_id="3")],
        hoi_prediction=[dict(subject_id=0, object_id=1, category_id=1, score=0.9)],
    )
    images = load_evaluation_set("hoia", write("ann.json", [annotation]))
    result = evaluate_file(write("pred.json", [prediction]), images)
    assert result.metrics == pytest.approx({"hoia/mAP": 0.1, "hoia/max_recall": 0.1})
    with pytest.raises(ValueError, match="HOI-A has one protocol"):
        load_evaluation_set("hoia", write("ann.json", [annotation]), protocol="qpic")


@pytest.fixture
def vcoco(write):
    images, detections = random_case(5)
    images = [dict(image, persons=image["persons"] or {"0": {}}) for image in images]
    labels, instances = official_files(images)
    ann_file, coco_file = write("vcoco_test.json", labels), write("instances.json", instances)
    return load_evaluation_set("vcoco", str(ann_file), str(coco_file)), detections


def test_official_vcoco_detections(vcoco, write, evaluate):
    images, detections = vcoco
    present = sorted({d["image_id"] for d in detections})
    first = [d for d in detections if d["image_id"] != present[0]]
    result = evaluate_file(write("vcoco.pkl", first), images)
    assert f"COCO_val2014_{present[0]:012d}.jpg" in result.missing
    assert len(result.missing) == 4 - len(present) + 1
    arrays = [{k: np.array(v, np.float32) if k != "image_id" else v for k, v in d.items()} for d in detections]
    whole = evaluate_file(write("vcoco.pkl", detections), images).metrics
    assert evaluate_file(write("arrays.pkl", arrays), images).metrics == whole
    assert 0 < whole["vcoco/role_s1"] <= whole["vcoco/role_s2"] < 1
    assert result.metrics["vcoco/agent"] < whole["vcoco/agent"]
    with pytest.raises(PredictionError, match="on V-COCO only"):
        evaluate(write("vcoco.pkl", [dict(detections[0], image_id=0)]))
    with pytest.raises(PredictionError, match=r"entry 1 .*: no key 'image_id'"):
        evaluate_file(write("vcoco.pkl", [first[0], {k: v for k, v in first[1].items() if k != "image_id"}]), images)
    del first[0]["cut_obj"]
    with pytest.raises(PredictionError, match=r"entry \d+ \(image_id \d+\): no key 'cut_obj'"):
        evaluate_file(write("vcoco.pkl", first), images)


def test_vcoco_pairs_equal_their_official_detections(vcoco, write):
    """The JSON format's pairs, and the same written as QPIC's exporter does, without object in every third one."""
    images, _ = vcoco
    info = images.metric.dataset_meta
    rng = np.random.default_rng(2)
    entries, official = [], []
    for i, name in enumerate(images.file_names):
        persons = images.metric.ground_truth().persons
        near = persons.boxes[persons.image == i]
        boxes = [near[rng.integers(0, len(near), 5)], random_boxes(rng, 5)]
        labels = np.array([56, 80, 0, 56, 80])
        scores = rng.random((5, 29)).astype(np.float32)
        p = dict(sub_bboxes=boxes[0], obj_bboxes=boxes[1], obj_labels=labels, verb_scores=scores)
        entries.append(prediction_entry(name, p, info))
        rows = []
        for sub, obj, label, row in zip(*boxes, labels, scores, strict=True):
            obj = obj.tolist() if label != 80 else [None] * 4
            found = {v: [*obj, s] for v, s in zip(VERBS, row.tolist(), strict=True) if v.endswith(("_obj", "_instr"))}
            for verb, s in zip(VERBS, row.tolist(), strict=True):
                action = verb.rsplit("_", 1)[0] if verb in found else verb
                found[f"{action}_agent"] = max(s, found.get(f"{action}_agent", 0))
            rows.append(dict(image=i, person_box=sub.tolist(), scores=found))
        official += official_pickle(rows)
    ours = evaluate_file(write("pairs.json", entries), images).metrics
    assert ours == evaluate_file(write("official.pkl", official), images).metrics
    assert ours["vcoco/agent"] > 0


@pytest.mark.parametrize("option", [dict(protocol="official_masked"), dict(pair_nms={})])
def test_masks_and_pair_nms_need_object_labels(vcoco, write, tmp_path, option):
    _, detections = vcoco
    files = str(tmp_path / "vcoco_test.json"), str(tmp_path / "instances.json")
    with pytest.raises(PredictionError, match="no object labels"):
        evaluate_file(write("vcoco.pkl", detections), load_evaluation_set("vcoco", *files, **option))


# ---- images


def test_missing_images_count_as_not_found(write, evaluate, dense, expected):
    result = evaluate(write("part.json", dense[:1]))
    assert result.missing == tuple(entry["file_name"] for entry in dense[1:])
    assert result.metrics["hico/max_recall"] < expected["hico/max_recall"]
    empty = evaluate(write("none.json", []))
    assert len(empty.missing) == NUM_IMAGES and empty.metrics["hico/full"] == empty.metrics["hico/max_recall"] == 0


def test_unknown_and_repeated_images_are_refused(write, evaluate, dense):
    stranger = dict(dense[0], file_name="other.jpg")
    with pytest.raises(PredictionError, match=r"p\.json: entry 6 \(other\.jpg\): .* no such image; they have 6"):
        evaluate(write("p.json", [*dense, stranger]))
    with pytest.raises(PredictionError, match=r"entry 6 .*already in entry 2"):
        evaluate(write("p.json", [*dense, dense[2]]))


def test_images_in_folders(write, evaluate, dense, expected):
    moved = [dict(entry, file_name=f"/data/test2015/{entry['file_name']}") for entry in dense]
    assert evaluate(write("p.json", moved)).metrics == expected


# ---- bad files


def spoil(entry, path, value):
    entry = json.loads(json.dumps(entry))
    place = entry
    for key in path[:-1]:
        place = place[key]
    place[path[-1]] = value
    return entry


@pytest.mark.parametrize(
    ("path", "value", "message"),
    [
        (("predictions", 3, "category_id"), 12, "category_id of a box: unknown id 12"),
        (("predictions", 3), {}, "no key 'bbox'"),
        (("predictions", 3, "bbox"), [1, 2, 3], "inhomogeneous"),
        (
            ("predictions",),
            [dict(bbox=[0, 0, 9, 9, 0.5], category_id=1)] * 24,
            r"must be x1, y1, x2, y2, got .*\(24, 5\)",
        ),
        (("predictions", 3, "bbox", 1), float("nan"), "coordinates must be finite"),
        (("hoi_prediction", 2, "subject_id"), 24, r"\(24, 14\), but there are 24 boxes"),
        (("hoi_prediction", 2, "object_id"), -2, r"\(2, -2\), but"),
        (("hoi_prediction", 2, "object_id"), 0.5, r"\(2, 0.5\), but"),
        (("hoi_prediction", 2, "subject_id"), None, r"\(nan, 14\), but"),
        (("hoi_prediction", 2, "score"), 0.5, "must be a list of 117 numbers"),
        (("hoi_prediction", 2, "score", 8), float("nan"), "score nan in the list of pair 2"),
        (("hoi_prediction", 2, "score", 8), float("inf"), "score inf for pair 2, verb 8"),
        (("hoi_prediction", 2, "category_id"), 118, "verb category_id: unknown id 118"),
        (("hoi_prediction",), None, "not iterable"),
    ],
)
def test_unfit_entries_are_named(write, evaluate, dense, path, value, message):
    file = write("p.json", [dense[0], spoil(dense[1], path, value)])
    with pytest.raises(PredictionError, match=rf"p\.json: entry 1 \(HICO_test2015_00000001\.jpg\).*({message})"):
        evaluate(file)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda e: dict(e, sub_ids=e["sub_ids"] - 1), r"\(-1, "),
        (lambda e: dict(e, obj_ids=np.full_like(e["obj_ids"], -1)), "obj_ids holds -1"),
        (lambda e: dict(e, obj_ids=e["obj_ids"][1:]), "12 subjects with 11 objects"),
        (lambda e: dict(e, labels=e["labels"][1:]), "24 boxes with 23 labels"),
        (lambda e: dict(e, boxes=np.zeros((24, 5), np.float32)), r"\(24, 5\)"),
    ],
)
def test_unfit_qpic_entries_are_named(pairs, write, evaluate, change, message):
    entries = [qpic_entry(p) for p in pairs]
    with pytest.raises(PredictionError, match=rf"p\.pkl: entry 1 .*{message}"):
        evaluate(write("p.pkl", [entries[0], change(entries[1]), *entries[2:]]))


def test_verb_score_that_is_not_finite(write, evaluate, dense):
    row = dict(subject_id=0, object_id=1, category_id=77, score=float("nan"))
    with pytest.raises(PredictionError, match=r"entry 0 .*: score nan of verb 77"):
        evaluate(write("p.json", [dict(dense[0], hoi_prediction=[row])]))


def test_a_verb_said_twice_is_two_candidates(write):
    box = dict(bbox=[0, 0, 9, 9], category_id=1)
    rows = [dict(subject_id=0, object_id=1, category_id=v, score=s) for v, s in ((1, 0.9), (2, 0.8), (1, 0.7))]
    raw = dict(file_name="a", predictions=[box, box], hoi_prediction=rows)
    info = dict(category_ids=[1], verb_ids=[1, 2])
    [prediction] = read_predictions(write("p.json", [raw]), info)
    pairs = prediction.sample["pred_pairs"]
    assert prediction.sample["partial_scores"] and pairs["verb_scores"][0].tolist() == pytest.approx([0.9, 0.8])
    assert pairs["verb_scores"][1][0] == pytest.approx(0.7) and np.isnan(pairs["verb_scores"][1][1])


@pytest.mark.parametrize(
    ("name", "data", "message"),
    [
        ("p.json", b"{}", "no readable JSON list"),
        ("p.json", b"[", "no readable JSON list"),
        ("p.json", b"[3]", "entry 0"),
        ("p.json", b"[] []", "more behind the end"),
        ("p.json.gz", b"\x1f\x8b\x08" + bytes(7) + b"\xff" * 9, "no readable JSON list .*invalid block type"),
        ("p.json", b"\xff\xfe", "no readable JSON list"),
        ("p.txt", b"", "must end in .json"),
        ("p.pkl", pickle.dumps({"a": 1}), "holds dict, expected a list of dicts"),
        ("p.pkl", pickle.dumps([{"a": 1}]), "has the keys"),
    ],
)
def test_unknown_formats(tmp_path, evaluate, name, data, message):
    (tmp_path / name).write_bytes(data)
    with pytest.raises(PredictionError, match=message):
        evaluate(tmp_path / name)


class Code:
    def __reduce__(self):
        return sys.exit, (3,)


def test_pickles_run_no_code(write, evaluate):
    with pytest.raises(CheckpointError, match=r"p\.pkl was not read: .*could run code"):
        evaluate(write("p.pkl", [Code()]))


def test_missing_file(evaluate):
    with pytest.raises(FileNotFoundError, match="absent.json does not exist"):
        evaluate("absent.json")


def test_annotations_must_fit(write, ann_file, entries):
    with pytest.raises(ValueError, match="unknown data set 'coco'"):
        load_evaluation_set("coco", ann_file)
    with pytest.raises(ValueError, match="official V-COCO labels go with dataset 'vcoco'"):
        load_evaluation_set("vcoco", ann_file, ann_file)
    with pytest.raises(ValueError, match="belong to HICO-DET"):
        load_evaluation_set("vcoco", ann_file, zero_shot="rare_first")
    with pytest.raises(ValueError, match="unknown protocol"):
        load_evaluation_set("hico", ann_file, protocol="voc")
    with pytest.raises(ValueError, match=r"00000000\.jpg occurs more than once"):
        load_evaluation_set("hico", str(write("twice.json", [entries[0], entries[0]])))


@pytest.mark.parametrize("text", ["[]", " [ ] ", "[1]", "[[]]", '[1 , {"a": [2, "]"]}\n]', "[[1],[2]]"])
def test_json_stream_equals_json(text):
    assert list(iterate_json_list(text)) == json.loads(text)


@pytest.mark.parametrize("text", ["", "1", "[1", "[1 2]", "[1,]", "{}", "[] 1", "[1][2]", "[1]]"])
def test_json_stream_refuses_what_is_no_list(text):
    with pytest.raises(json.JSONDecodeError):
        list(iterate_json_list(text))


# ---- packaged tables


@pytest.mark.parity
def test_packaged_hico_tables_equal_what_training_annotations_say(data_dir):
    """All that the tool packages, so that it needs no training annotations: 600 classes, 138 of them rare."""
    entries = read_json(data_dir / "hico_det" / "trainval_hico.json.gz")
    parser = EntryParser(HICO["category_ids"], HICO["verb_ids"], ProblemReport("trainval"), training=True)
    counts = count_triplets([parser.read(n, raw) for n, raw in enumerate(entries)], 117, 80)
    valid, rare = HOIVocabulary.derive_tables(counts, np.load(data_dir / "hico_det" / "corre_hico.npy") > 0)
    hico_like = load_evaluation_set("hico", str(data_dir / "hico_det" / "test_hico.json.gz")).metric.dataset_meta
    np.testing.assert_array_equal(hico_like["valid_pairs"], valid)
    assert set(hico_like["rare_triplets"]) == rare and len(rare) == 138 and not hico_like["unseen"]
    assert len(unseen_triplets("rare_first")) == 120


@pytest.mark.parity
def test_official_cases_through_files(reference_dir, write):
    for case in read_json(reference_dir / "evaluation" / "edge_cases_hoia.json")["cases"]:
        images = load_evaluation_set("hoia", str(write("ann.json", case["gt"])))
        metrics = evaluate_file(write("pred.json", case["pred"]), images).metrics
        assert metrics["hoia/mAP"] == pytest.approx(case["answer"]["mAP"], abs=1e-9), case["name"]
    for case in read_json(reference_dir / "evaluation" / "edge_cases_vcoco.json")["cases"]:
        answer = case["answers"]["official"]
        if "error" in answer:
            continue
        labels, instances = official_files(case["images"])
        files = str(write("vcoco.json", labels)), str(write("instances.json", instances))
        path = write("pred.pkl", official_pickle(case["detections"]))
        metrics = evaluate_file(path, load_evaluation_set("vcoco", *files)).metrics
        for key, scenario in (("role_s1_25", "scenario_1"), ("role_s2_25", "scenario_2")):
            expected = answer[f"{scenario}_mean_all_25_roles"]
            assert metrics[f"vcoco/{key}"] == pytest.approx(expected, abs=1e-6), case["name"]


@pytest.mark.parity
def test_reference_numbers_through_files(reference_dir, data_dir, tmp_path):
    """A subset of the reference set, written as JSON with one verb per entry: PPDM's number."""
    reference = read_json(reference_dir / "evaluation" / "hico_subset500.json")
    simulator, info = load_simulator(data_dir), HICO
    annotated = read_json(data_dir / "hico_det" / "test_hico.json.gz")
    simulated = reference_predictions(simulator, annotated, "hico", reference["meta"])
    (tmp_path / "ann.json").write_text(json.dumps([annotated[i] for i, _ in simulated]))
    mask = load_evaluation_set("hico", str(tmp_path / "ann.json")).metric.vocabulary.verb_mask
    entries = []
    for i, p in simulated:
        sub, obj = p["sub_ids"], p["obj_ids"]
        scores = p["verb_scores"] * mask[p["labels"][obj]]
        found = dict(zip(("sub_bboxes", "obj_bboxes"), (p["boxes"][sub], p["boxes"][obj]), strict=True))
        found |= dict(obj_labels=p["labels"][obj], verb_scores=scores)
        entries.append(prediction_entry(annotated[i]["file_name"], found, info, top_k=100))
    (tmp_path / "pred.json").write_text(json.dumps(entries))
    for protocol, key in (("qpic", "qpic"), ("ppdm", "ppdm")):
        images = load_evaluation_set("hico", str(tmp_path / "ann.json"), protocol=protocol)
        answer = reference["results"][key]
        metrics = evaluate_file(tmp_path / "pred.json", images).metrics
        expected = {"hico/full": answer["mAP"], "hico/rare": answer["mAP rare"]}
        assert {k: metrics[k] for k in expected} == pytest.approx(expected, abs=1e-9 if key == "qpic" else 1e-6)
