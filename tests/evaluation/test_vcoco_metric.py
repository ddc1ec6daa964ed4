import json

import numpy as np
import pytest
import torch

from hqm_mmdet.datasets import VCOCODataset
from hqm_mmdet.evaluation import VCOCOMetric
from hqm_mmdet.evaluation.functional import rank_vcoco
from hqm_mmdet.evaluation.metrics import base, vcoco_metric
from hqm_mmdet.registry import METRICS
from hqm_mmdet.structures import HOIDataSample, new_pairs
from tests.evaluation import oracle_vcoco
from tests.evaluation.samples import run
from tests.evaluation.test_vcoco import random_case
from tests.evaluation.vcoco_cases import ACTIONS, ROLES, SIZE, VERBS, official_files, oracle_images

META = dict(VCOCODataset.METAINFO, valid_pairs=VCOCODataset.VALID_PAIRS)
KEYS = {f"vcoco/{k}" for k in ("role_s1", "role_s2", "agent", "role_s1_25", "role_s2_25")}


def official_images(seed, num_images=5):
    images, _ = random_case(seed, num_images)
    return [dict(image, persons=image["persons"] or {"0": {}}) for image in images]


def predicted_pairs(rng, image, number):
    """Pairs near the boxes of an image; a part has no object."""
    near = np.array([[x, y, x + w, y + h] for _, (x, y, w, h) in image["boxes"]], float)
    sub, obj = (near[rng.integers(0, len(near), number)] + rng.integers(-6, 7, (number, 4)) for _ in range(2))
    labels = rng.choice([0, 41, 56, 80], number)
    return sub, obj, labels, rng.permutation(number * 29).reshape(number, 29) / (number * 29 + 1)


def make_sample(i, pairs, truth=None):
    info = dict(img_id=i, img_path=f"val2014/COCO_val2014_{i + 1:012d}.jpg", ori_shape=(SIZE["height"], SIZE["width"]))
    sample = HOIDataSample(metainfo=dict(info, gt_hois=truth) if truth else info)
    sub, obj, labels, scores = (torch.as_tensor(column) for column in pairs)
    sample.pred_pairs = new_pairs(sub.float(), obj.float(), labels, verb_scores=scores.float())
    return sample


def hoia_truth(image):
    boxes = [[x, y, x + w, y + h] for _, (x, y, w, h) in image["boxes"]]
    hois = []
    for person, actions in image["persons"].items():
        for action, roles in actions.items():
            names = {f"{action}_{role}": target for role, target in roles.items()} or {action: None}
            hois += [[int(person), -1 if o is None else o, VERBS.index(name)] for name, o in names.items()]
    labels = [{1: 0, 62: 56}[category] for category, _ in image["boxes"]]
    return dict(boxes=np.array(boxes, float), labels=np.array(labels), hois=np.array(hois, int).reshape(-1, 3))


def as_oracle(pairs):
    """Pairs as the official exporter writes them."""
    found = []
    for sub, obj, label, scores in zip(*pairs, strict=True):
        box = [float("nan")] * 4 if label == 80 else obj.tolist()
        roles = {v: (box, scores[VERBS.index(v)]) for v in ROLES.roles}
        agent = {a: max(s for v, s in zip(VERBS, scores, strict=True) if v == a or v in names(a)) for a in ACTIONS}
        found.append(dict(box=sub.tolist(), agent=agent, roles=roles))
    return found


def names(action):
    return [f"{action}_{role}" for role in ACTIONS[action]]


@pytest.fixture
def images():
    return official_images(11)


@pytest.fixture
def pairs(images):
    rng = np.random.default_rng(5)
    return [predicted_pairs(rng, image, int(rng.integers(0, 9))) for image in images]


@pytest.fixture
def files(images, tmp_path):
    labels, instances = official_files(images)
    (tmp_path / "vcoco_test.json").write_text(json.dumps(labels))
    (tmp_path / "instances.json").write_text(json.dumps(instances))
    return dict(ann_file=str(tmp_path / "vcoco_test.json"), coco_file=str(tmp_path / "instances.json"))


def expected(images, pairs):
    tables = oracle_vcoco.evaluate(oracle_images(images), [as_oracle(p) for p in pairs], ACTIONS)
    means = {"vcoco/agent": np.nanmean(list(tables["agent"].values()))}
    for key in ("role_s1", "role_s2"):
        means[f"vcoco/{key}_25"] = np.nanmean(list(tables[key].values()))
        means[f"vcoco/{key}"] = np.nanmean([v for k, v in tables[key].items() if k != "point_instr"])
    return means


def test_official_files(images, pairs, files):
    result = run(VCOCOMetric(**files), [make_sample(i, p) for i, p in enumerate(pairs)], meta=META)
    assert set(result) == KEYS
    assert result == pytest.approx(expected(images, pairs), abs=1e-9)
    assert 0.001 < result["vcoco/role_s1"] < 0.9


def test_hoia_style_truth(images, pairs):
    """Where every person does something, the samples' truth is as good as the official files."""
    images = [dict(i, persons={p: a or {"run": {}} for p, a in i["persons"].items()}) for i in images]
    samples = [make_sample(i, p, hoia_truth(image)) for i, (p, image) in enumerate(zip(pairs, images, strict=True))]
    metric = METRICS.build(dict(type="VCOCOMetric"))
    assert run(metric, samples, meta=META) == pytest.approx(expected(images, pairs), abs=1e-9)


def test_order_of_images_does_not_matter(pairs, files):
    samples = [make_sample(i, p) for i, p in enumerate(pairs)]
    for sample in samples:  # ties between images, whose official order is that of their ids
        sample.pred_pairs.verb_scores = sample.pred_pairs.verb_scores.mul(8).round().div(8)
    forward = run(VCOCOMetric(**files), samples, meta=META)
    assert run(VCOCOMetric(**files), samples[::-1], meta=META) == pytest.approx(forward, abs=1e-12)
    assert run(VCOCOMetric(**files), [*samples, samples[0]], size=5, meta=META) == pytest.approx(forward, abs=1e-12)


def test_masked_protocol(images, pairs, files):
    masked = []
    for sub, obj, labels, scores in pairs:
        allowed = np.concatenate([META["valid_pairs"], np.ones((29, 1), bool)], 1)[:, labels].T
        masked.append((sub, obj, labels, scores * allowed))
    samples = [make_sample(i, p) for i, p in enumerate(pairs)]
    result = run(VCOCOMetric(protocol="official_masked", **files), samples, meta=META)
    assert result == pytest.approx(expected(images, masked), abs=1e-9)
    assert result != pytest.approx(expected(images, pairs), abs=1e-9)


def test_missing_image_counts_as_not_found(images, pairs, files, monkeypatch):
    printed = []
    for module in (vcoco_metric, base):
        monkeypatch.setattr(module, "print_log", lambda text, **kwargs: printed.append(text))
    result = run(VCOCOMetric(**files), [make_sample(i, p) for i, p in enumerate(pairs)][1:], size=5, meta=META)
    assert result == pytest.approx(expected(images, [[[]] * 4, *pairs[1:]]), abs=1e-9)
    assert "1 of the 5 images" in printed[0] and "000000000001.jpg" in printed[0]
    assert not any("have no result; their ground truth is not counted" in text for text in printed)


def test_unknown_image_is_refused(pairs, files):
    with pytest.raises(ValueError, match="000000000009.jpg' is not in the split, which has 5 images"):
        run(VCOCOMetric(**files), [make_sample(8, pairs[0])], meta=META)


def test_no_prediction_at_all(images, files):
    nothing = (np.zeros((0, 4)), np.zeros((0, 4)), np.zeros(0, int), np.zeros((0, 29)))
    result = run(VCOCOMetric(**files), [make_sample(i, nothing) for i in range(len(images))], meta=META)
    assert set(result.values()) == {0.0}


@pytest.mark.parametrize("bad", [float("nan"), float("inf")])
def test_score_that_is_not_finite_names_the_image(pairs, files, bad):
    i = next(i for i, p in enumerate(pairs) if len(p[2]))
    sample = make_sample(i, pairs[i])
    sample.pred_pairs.verb_scores[0, 3] = bad
    with pytest.raises(ValueError, match=rf"{i + 1:012d}\.jpg': score {bad} for pair 0, verb 3"):
        run(VCOCOMetric(**files), [sample], meta=META)


@pytest.mark.parametrize("name", ["sub_bboxes", "obj_bboxes"])
def test_box_that_is_not_finite_names_the_image(pairs, files, name):
    i, row = next((i, list(p[2] < 80).index(True)) for i, p in enumerate(pairs) if (p[2] < 80).any())
    sample = make_sample(i, pairs[i])
    sample.pred_pairs[name][row] = float("nan")
    with pytest.raises(ValueError, match=rf"{i + 1:012d}\.jpg': a box is \[nan, nan, nan, nan\]"):
        run(VCOCOMetric(**files), [sample], meta=META)


def test_model_of_another_data_set(pairs, files):
    sub, obj, labels, scores = max(pairs, key=lambda p: len(p[2]))
    with pytest.raises(ValueError, match=r"expected P, P, P and \(P, 29\)"):
        run(VCOCOMetric(**files), [make_sample(0, (sub, obj, labels, scores[:, :7]))], meta=META)
    with pytest.raises(ValueError, match=r"allowed are 0\.\.80"):
        run(VCOCOMetric(**files), [make_sample(0, (sub, obj, labels + 9, scores))], meta=META)


def test_arguments_are_checked(files, tmp_path):
    with pytest.raises(ValueError, match="unknown protocol"):
        VCOCOMetric(protocol="thesis")
    with pytest.raises(ValueError, match="needs both"):
        VCOCOMetric(ann_file=files["ann_file"])
    with pytest.raises(FileNotFoundError, match=r"absent\.json does not exist.*s-gupta"):
        VCOCOMetric(ann_file=files["ann_file"], coco_file=str(tmp_path / "absent.json"))
    with pytest.raises(ValueError, match=r"metainfo lacks \['classes'"):
        VCOCOMetric(**files).process({}, [make_sample(0, [torch.zeros(0)] * 4)])


def test_bootstrap_and_table(pairs, files):
    metric = VCOCOMetric(bootstrap=20, **files)
    result = run(metric, [make_sample(i, p) for i, p in enumerate(pairs)], meta=META)
    assert set(result) == KEYS | {f"{k}_{end}" for k in KEYS for end in ("low", "high")}
    records = [metric.make_record(make_sample(i, p).to_dict()) for i, p in enumerate(pairs)]
    table = metric.rank(records).table()
    assert all(name in table for name in (*ROLES.roles, "walk", "mean (24 roles)"))


def test_files_that_do_not_fit(images, files, tmp_path):
    labels, instances = official_files(images)
    (tmp_path / "other.json").write_text(json.dumps(dict(instances, images=instances["images"][1:])))
    metric = VCOCOMetric(**dict(files, coco_file=str(tmp_path / "other.json")))
    metric.dataset_meta = META
    with pytest.raises(ValueError, match=r"other\.json.*1 of the 5 images .* are missing, first id 1"):
        metric.ground_truth()
    (tmp_path / "hoia.json").write_text("[]")
    metric = VCOCOMetric(**dict(files, ann_file=str(tmp_path / "hoia.json")))
    metric.dataset_meta = META
    with pytest.raises(ValueError, match=r"hoia\.json: no official V-COCO label file"):
        metric.ground_truth()
    labels[3]["role_object_id"] = labels[3]["role_object_id"][:-1]
    (tmp_path / "short.json").write_text(json.dumps(labels))
    metric = VCOCOMetric(**dict(files, ann_file=str(tmp_path / "short.json")))
    metric.dataset_meta = META
    with pytest.raises(ValueError, match=r"short\.json: entry 3: role_object_id is not persons x roles"):
        metric.ground_truth()


def test_several_coco_files(images, pairs, files, tmp_path):
    _, instances = official_files(images)
    parts = []
    for part in (0, 1):
        ids = {im["id"] for im in instances["images"] if im["id"] % 2 == part}
        content = dict(
            images=[im for im in instances["images"] if im["id"] in ids],
            annotations=[a for a in instances["annotations"] if a["image_id"] in ids],
        )
        parts.append(str(tmp_path / f"part{part}.json"))
        (tmp_path / f"part{part}.json").write_text(json.dumps(content))
    metrics = [VCOCOMetric(**files), VCOCOMetric(files["ann_file"], parts)]
    for metric in metrics:
        metric.dataset_meta = META
    one, two = (metric.ground_truth().persons for metric in metrics)
    for name in ("image", "boxes", "labelled", "actions"):
        np.testing.assert_array_equal(getattr(one, name), getattr(two, name))
    np.testing.assert_array_equal(one.role_boxes, two.role_boxes)
    assert rank_vcoco(metrics[0].make_record(make_sample(0, pairs[0]).to_dict()).agents, one, ROLES).agent
