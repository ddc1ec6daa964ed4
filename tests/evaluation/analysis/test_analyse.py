"""The analysis says what the metrics say, for every data set and protocol."""

import json
import pickle

import numpy as np
import pytest

from hqm_mmdet.datasets.problems import AnnotationError
from hqm_mmdet.evaluation.analysis import analyse_file, read_run
from hqm_mmdet.evaluation.functional import break_down
from hqm_mmdet.evaluation.functional.average_precision import interpolated_ap
from hqm_mmdet.evaluation.offline import evaluate_file, load_evaluation_set, prediction_entry
from tests.evaluation.analysis.small_sets import DATASETS, SmallSet, official_vcoco
from tests.evaluation.reference_data import load_simulator, read_json, reference_predictions

VARIANTS = [
    *(pytest.param(name, {}, id=name) for name in DATASETS),
    *(pytest.param("hico", dict(protocol=name), id=f"hico-{name}") for name in ("ppdm", "matlab", "pocket")),
    pytest.param("hico", dict(pair_nms={}), id="hico-nms"),
    pytest.param("hico", dict(zero_shot="unseen_verb"), id="hico-unseen"),
    pytest.param("toy", dict(protocol="pocket", known_object=False), id="toy-pocket"),
    pytest.param("vcoco", dict(protocol="official_masked", pair_nms={}), id="vcoco-masked"),
]


@pytest.fixture(scope="module")
def sets(tmp_path_factory):
    """Function that makes a data set once."""
    made = {}

    def get(name, **options) -> SmallSet:
        key = name, json.dumps(options)
        if key not in made:
            made[key] = SmallSet(name, tmp_path_factory.mktemp(name), **options)
        return made[key]

    return get


def values(analysis):
    return {metric.key: metric.value for metric in analysis.metrics}


def area_or_points(row, thresholds):
    column = np.zeros(len(row.recall), int)
    return interpolated_ap(row.recall, row.precision, column, 1, thresholds)[0]


def same(first, second):
    """Whether two analyses say the same, arrays and NaN included."""
    return repr(first) == repr(second)


@pytest.mark.parametrize(("name", "options"), VARIANTS)
def test_equals_the_metric(sets, name, options):
    small = sets(name, **options)
    analysis = analyse_file(small.path, small.images, resamples=0)
    expected = evaluate_file(small.path, small.images).metrics
    assert values(analysis) == pytest.approx(expected, abs=1e-12, nan_ok=True)
    assert analysis.dataset == name and analysis.num_images == 12 and not analysis.missing
    assert 0.05 < expected[analysis.headline] < 0.95
    protocol = getattr(small.images.metric, "protocol", None)  # V-COCO's is a name, HOI-A has none: the area
    thresholds = getattr(protocol, "recall_thresholds", None)
    counted = [row for row in analysis.classes if row.verb != "point_instr"]
    assert np.mean([row.ap for row in counted]) == pytest.approx(expected[analysis.headline], abs=1e-12)
    for row in analysis.classes:
        assert row.ap == pytest.approx(area_or_points(row, thresholds), abs=1e-12)
        assert row.max_recall == (row.recall[-1] if len(row.recall) else 0)
        assert (np.diff(row.recall) > 0).all() and ((row.precision > 0) & (row.precision <= 1)).all()
        assert len(row.recall) == round(row.max_recall * row.num_gt)


@pytest.mark.parametrize("name", DATASETS)
def test_errors_are_those_of_the_breakdown(sets, name):
    small = sets(name)
    analysis = analyse_file(small.path, small.images, resamples=0)
    run = read_run(small.path, small.images)
    expected = break_down(run.judged)
    for kinds, rows in ((analysis.errors, expected.rows), (analysis.limits, expected.limits)):
        assert [(e.name, e.count, e.gain) for e in kinds] == [(e.name, e.count, e.gain) for e in rows]
    counts = {e.name: e.count for e in (*analysis.errors, *analysis.limits)}
    wrong = sum(e.count for e in analysis.errors if e.name != "missed")
    assert wrong == counts["false positives"] == (~run.judged.is_tp).sum() > 0
    verdicts = {t.verdict for case in (*analysis.best, *analysis.worst) for t in case.predicted}
    assert "right" in verdicts and verdicts - {"right"} <= set(counts) and len(verdicts) > 3


def test_groups_and_other_aps_have_the_metrics_means(sets):
    small = sets("hico", zero_shot="unseen_verb")
    analysis = analyse_file(small.path, small.images, resamples=0)
    metrics = values(analysis)

    def mean(get, rows):
        return np.mean([get(row) for row in rows])

    for group, key in (("rare", "rare"), ("non-rare", "non_rare")):
        rows = [row for row in analysis.classes if row.group == group]
        assert rows and mean(lambda row: row.ap, rows) == pytest.approx(metrics[f"hico/{key}"])
        assert mean(lambda row: row.other["known object"], rows) == pytest.approx(metrics[f"hico/ko_{key}"])
    for unseen, key in ((True, "unseen"), (False, "seen")):
        rows = [row for row in analysis.classes if row.unseen == unseen]
        assert rows and mean(lambda row: row.ap, rows) == pytest.approx(metrics[f"hico/{key}"])
    small = sets("vcoco")
    analysis = analyse_file(small.path, small.images, resamples=0)
    assert all(row.group is None and row.object is None for row in analysis.classes)
    rows = [row for row in analysis.classes if row.verb != "point_instr"]
    assert mean(lambda row: row.other["scenario 2"], rows) == pytest.approx(values(analysis)["vcoco/role_s2"])


def test_agent_ap_is_that_of_the_action(tmp_path):
    """Both roles of an action have its agent AP; with the actions without role they give the mean."""
    images, detections = official_vcoco(tmp_path)
    path = tmp_path / "official.pkl"
    path.write_bytes(pickle.dumps(detections))
    analysis = analyse_file(path, images, resamples=0)
    assert values(analysis) == pytest.approx(evaluate_file(path, images).metrics, nan_ok=True)
    aps, counts = {}, {}
    for row in analysis.classes:
        action = row.verb.rsplit("_", 1)[0]
        aps.setdefault(action, set()).add(row.other["agent"])
        counts.setdefault(action, []).append(row.num_gt)
    assert all(len(each) == 1 for each in aps.values())
    assert len(counts["cut"]) == 2 and len(set(counts["cut"])) == 1  # both roles share their positives


def test_intervals_are_those_of_the_metric(sets):
    small = sets("hoia")
    images = load_evaluation_set("hoia", str(small.folder / "test.json"), bootstrap=25)
    analysis = analyse_file(small.path, small.images, resamples=25)
    expected = evaluate_file(small.path, images).metrics
    for metric in analysis.metrics:
        assert (metric.low, metric.high) == (expected[f"{metric.key}_low"], expected[f"{metric.key}_high"])
        assert metric.low <= metric.value <= metric.high
    none = analyse_file(small.path, small.images, resamples=0)
    assert all(metric.low is None and metric.high is None for metric in none.metrics)


@pytest.mark.parametrize("name", DATASETS)
def test_order_of_entries_does_not_matter(sets, name):
    small = sets(name)
    shuffled = small.save(small.found[::-1], "shuffled.json")
    first, again = (analyse_file(small.path, small.images, resamples=3) for _ in range(2))
    other = analyse_file(shuffled, small.images, resamples=3)
    assert same(first, again)
    assert same(first.metrics, other.metrics) and same(first.classes, other.classes)
    assert same(first.best, other.best) and same(first.worst, other.worst)
    assert first.errors == other.errors and first.limits == other.limits


@pytest.mark.parametrize("name", DATASETS)
def test_partial_and_empty_files(sets, name):
    small = sets(name)
    absent = [entry["file_name"] for entry in small.entries[:5]]
    part = analyse_file(small.save(small.found[5:], "part.json"), small.images, resamples=2)
    assert list(part.missing) == absent
    assert values(part) == pytest.approx(
        evaluate_file(small.folder / "part.json", small.images).metrics, abs=1e-12, nan_ok=True
    )
    assert not {case.file_name for case in part.worst} & set(absent)
    empty = analyse_file(small.save([], "empty.json"), small.images, resamples=2)
    assert len(empty.missing) == 12 and not empty.best and not empty.worst
    assert values(empty)[empty.headline] == 0 and all(row.ap == row.max_recall == 0 for row in empty.classes)


@pytest.mark.parametrize("name", DATASETS)
def test_no_ground_truth(sets, name, tmp_path):
    small = sets(name)
    entries = [dict(entry, hoi_annotation=[]) for entry in small.entries]
    ann_file = small.folder / "none.json"
    ann_file.write_text(json.dumps(entries))
    own = dict(names_file=str(small.folder / "names.json"), train_ann_file=str(small.folder / "train.json"))
    images = load_evaluation_set(name, str(ann_file), **(own if name == "own" else {}))
    analysis = analyse_file(small.path, images, resamples=2)
    assert not analysis.best and not analysis.worst
    assert values(analysis) == pytest.approx(evaluate_file(small.path, images).metrics, nan_ok=True)
    if name == "hoia":
        assert len(analysis.classes) == 10 and values(analysis)["hoia/mAP"] == 0
        assert any("counts such classes as 0" in note for note in analysis.notes)
    else:
        assert not analysis.classes and np.isnan(values(analysis)[analysis.headline])
        assert all(metric.low is None for metric in analysis.metrics)


def test_no_image(tmp_path):
    (tmp_path / "test.json").write_text("[]")
    with pytest.raises(AnnotationError, match=r"test\.json: no image"):
        analyse_file("absent.json", load_evaluation_set("hico", str(tmp_path / "test.json")))


def test_progress_is_shown_when_asked_for(sets, capsys):
    small = sets("hoia")
    analyse_file(small.path, small.images, resamples=2)
    assert not capsys.readouterr().out
    analyse_file(small.path, small.images, resamples=2, progress=True)
    printed = capsys.readouterr().out
    for step in ("reading predictions.json", "matching 12 images", "2 resamples of the images", "judging images"):
        assert step in printed


@pytest.mark.parity
@pytest.mark.parametrize(
    ("name", "dataset", "files"),
    [
        ("hoi_a/test_hoia", "hoia", {}),
        ("v_coco/vcoco_train_recovered_hoia", "vcoco", {}),
        (
            "v_coco/vcoco_train_recovered_hoia",
            "vcoco",
            dict(ann_file="v_coco/vcoco_train_recovered", coco_file="v_coco/instances_vcoco_recovered"),
        ),
    ],
    ids=["hoia", "vcoco", "vcoco-official"],
)
def test_real_subsets_equal_the_metric(data_dir, tmp_path, name, dataset, files):
    """Official V-COCO files list all images of the split: those left out count as not found."""
    annotated = read_json(data_dir / f"{name}.json.gz")
    simulator = load_simulator(data_dir)
    indices = simulator.select(len(annotated), 15, 60)
    ann_file = tmp_path / "annotations.json"
    ann_file.write_text(json.dumps([annotated[i] for i in indices]))
    files = dict(ann_file=ann_file) | {key: data_dir / f"{file}.json" for key, file in files.items()}
    images = load_evaluation_set(dataset, **{key: str(file) for key, file in files.items()})
    found = []
    for i, p in simulator.simulate(annotated, dataset, 0, None, indices):
        sub, obj = p["sub_ids"], p["obj_ids"]
        boxes = dict(sub_bboxes=p["boxes"][sub], obj_bboxes=p["boxes"][obj], obj_labels=p["labels"][obj])
        found.append(dict(img_path=annotated[i]["file_name"], pred_pairs=boxes | dict(verb_scores=p["verb_scores"])))
    path = tmp_path / "found.pkl"
    path.write_bytes(pickle.dumps(found))
    analysis = analyse_file(path, images, resamples=0)
    expected = evaluate_file(path, images)
    assert values(analysis) == pytest.approx(expected.metrics, abs=1e-12) and analysis.missing == expected.missing
    assert 0.001 < expected.metrics[analysis.headline] < 0.9
    rows = [row.ap for row in analysis.classes if row.verb != "point_instr"]
    assert np.mean(rows) == pytest.approx(expected.metrics[analysis.headline])
    counts = {e.name: e.count for e in (*analysis.errors, *analysis.limits)}
    assert sum(e.count for e in analysis.errors if e.name != "missed") == counts["false positives"]


@pytest.mark.parity
def test_real_annotations(reference_dir, data_dir, tmp_path):
    """The reference subset of HICO-DET: the official number, names and rare set."""
    reference = read_json(reference_dir / "evaluation" / "hico_subset500.json")
    simulator, meta = load_simulator(data_dir), reference["meta"]
    annotated = read_json(data_dir / "hico_det" / "test_hico.json.gz")
    simulated = reference_predictions(simulator, annotated, "hico", meta)
    (tmp_path / "test_hico.json").write_text(json.dumps([annotated[i] for i, _ in simulated]))
    images = load_evaluation_set("hico", str(tmp_path / "test_hico.json"))
    found = []
    for i, p in simulated:
        sub, obj = p["sub_ids"], p["obj_ids"]
        boxes = dict(sub_bboxes=p["boxes"][sub], obj_bboxes=p["boxes"][obj], obj_labels=p["labels"][obj])
        pairs = boxes | dict(verb_scores=p["verb_scores"])
        found.append(prediction_entry(annotated[i]["file_name"], pairs, images.metric.dataset_meta, top_k=100))
    (tmp_path / "found.json").write_text(json.dumps(found))
    analysis = analyse_file(tmp_path / "found.json", images, resamples=0)
    assert values(analysis)["hico/full"] == pytest.approx(reference["results"]["qpic"]["mAP"], abs=1e-9)
    hois = {(h["verb"], h["object"]): h for h in read_json(data_dir / "hico_det" / "hoi_list.json")}
    assert len(analysis.classes) == meta["classes_with_gt"]
    for row in analysis.classes:
        assert row.group == ("rare" if hois[row.verb, row.object]["rare"] else "non-rare")
