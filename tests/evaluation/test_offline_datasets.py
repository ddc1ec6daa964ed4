"""Every data set from its files alone: the numbers of mmengine's test loop."""

import json

import numpy as np
import pytest
import torch
from mmengine.config import Config
from mmengine.model import BaseModel
from mmengine.registry import DefaultScope
from mmengine.runner import Runner

from hqm_mmdet.datasets.problems import AnnotationError
from hqm_mmdet.datasets.toy import ToySettings, make_toy_hoi
from hqm_mmdet.evaluation.offline import evaluate_file, load_evaluation_set
from hqm_mmdet.structures import HOIDataSample, new_pairs
from tests.conftest import REPOSITORY
from tests.datasets.tiny_hoi import write_own_layout

NUM_PAIRS = 6


class NoisyModel(BaseModel):
    """Answers annotated boxes with noise, true or other verbs, and a class that is sometimes wrong."""

    def __init__(self, num_classes, num_verbs):
        super().__init__()
        self.sizes = num_classes, num_verbs

    def forward(self, inputs, data_samples, mode="predict"):
        return [self.answer(sample) for sample in data_samples]

    def answer(self, sample):
        rng = np.random.default_rng(sample.img_id)
        truth, (num_classes, num_verbs) = sample.gt_hois, self.sizes
        rows = truth["hois"][rng.integers(0, len(truth["hois"]), NUM_PAIRS)]
        boxes = np.concatenate([truth["boxes"], np.zeros((1, 4))])
        labels = np.append(truth["labels"], num_classes)[rows[:, 1]]
        labels[rng.random(NUM_PAIRS) < 0.4] = num_classes - 1
        scores = rng.random((NUM_PAIRS, num_verbs)).astype(np.float32) ** 2
        scores[np.arange(NUM_PAIRS), rows[:, 2]] += rng.random(NUM_PAIRS) < 0.5
        sub, obj = (boxes[rows[:, i]] + rng.normal(0, 5, (NUM_PAIRS, 4)) for i in (0, 1))
        found = HOIDataSample(metainfo=sample.metainfo)
        columns = (torch.from_numpy(column.astype(np.float32)) for column in (sub, obj))
        found.pred_pairs = new_pairs(*columns, torch.from_numpy(labels), verb_scores=torch.from_numpy(scores))
        return found


@pytest.fixture(params=["toy", "own"])
def data(request, tmp_path):
    """Name, root, and what the command needs beside the annotations."""
    root = tmp_path / request.param
    if request.param == "toy":
        make_toy_hoi(root, ToySettings(num_train=12, num_test=6, min_size=96, max_size=112), progress=False)
        return "toy", root, root / "annotations" / "test_toy.json", {}
    write_own_layout(root)
    files = dict(names_file=str(root / "names.json"), train_ann_file=str(root / "train.json"))
    return "own", root, root / "test.json", files


def test_equals_the_test_loop(data, tmp_path):
    name, root, ann_file, files = data
    config = Config.fromfile(REPOSITORY / f"configs/_base_/datasets/{name}_hoi.py")
    loader, dump = config.test_dataloader, str(tmp_path / "predictions.json")
    loader.dataset.data_root = str(root)
    loader.update(num_workers=0, persistent_workers=False)
    images = load_evaluation_set(name, str(ann_file), **files)
    model = NoisyModel(*(len(images.metric.dataset_meta[key]) for key in ("classes", "verbs")))
    runner = Runner(
        model=model,
        work_dir=str(tmp_path / "work"),
        test_dataloader=loader,
        test_evaluator=[config.test_evaluator, dict(type="DumpHOIPredictions", out_file=dump)],
        test_cfg=dict(type="TestLoop"),
        default_scope="hqm_mmdet",
        experiment_name=f"offline_{name}",
    )
    expected = runner.test()
    loaded, offline = runner.test_loop.dataloader.dataset.metainfo, images.metric.dataset_meta
    assert set(loaded) == set(offline)
    np.testing.assert_array_equal(loaded["valid_pairs"], offline["valid_pairs"])
    assert loaded["rare_triplets"] == offline["rare_triplets"] and images.dataset == name
    result = evaluate_file(dump, images)
    assert result.metrics == pytest.approx(expected, abs=1e-12, nan_ok=True) and not result.missing
    assert 0.05 < result.metrics["hico/full"] < 0.95


def test_toy_counts_what_no_table_says(tmp_path):
    """Without ``corre_toy.npy`` the training annotations beside the file say what is valid."""
    root = make_toy_hoi(tmp_path, ToySettings(num_train=2, num_test=2, min_size=96, max_size=112), progress=False)
    ann_file = str(root / "annotations" / "test_toy.json")
    whole = load_evaluation_set("toy", ann_file).metric.dataset_meta["valid_pairs"].sum()
    (root / "annotations" / "corre_toy.npy").unlink()
    counted = load_evaluation_set("toy", ann_file).metric.dataset_meta["valid_pairs"].sum()
    assert 0 < counted < whole
    (root / "annotations" / "trainval_toy.json").unlink()
    with pytest.raises(FileNotFoundError, match=r"trainval_toy\.json.*rare set are counted in it"):
        load_evaluation_set("toy", ann_file)


def test_own_data_need_names_and_training_annotations(tmp_path):
    root = write_own_layout(tmp_path)
    ann_file, names = str(root / "test.json"), str(root / "names.json")
    with pytest.raises(ValueError, match="--names-file"):
        load_evaluation_set("own", ann_file)
    with pytest.raises(AnnotationError, match="--train-ann-file"):
        load_evaluation_set("own", ann_file, names_file=names)
    with pytest.raises(FileNotFoundError, match=r"absent\.json"):
        load_evaluation_set("own", ann_file, names_file=names, train_ann_file=str(root / "absent.json"))
    with pytest.raises(ValueError, match="names_file is for own data"):
        load_evaluation_set("hico", ann_file, names_file=names)


def test_another_default_scope_of_the_process_does_not_matter(tmp_path):
    (tmp_path / "ann.json").write_text(json.dumps([dict(file_name="a.jpg", annotations=[], hoi_annotation=[])]))
    with DefaultScope.overwrite_default_scope("mmengine"):
        assert load_evaluation_set("hico", str(tmp_path / "ann.json")).metric.default_prefix == "hico"


def test_other_metric_options(tmp_path):
    root = write_own_layout(tmp_path)
    files = dict(names_file=str(root / "names.json"), train_ann_file=str(root / "train.json"))
    images = load_evaluation_set("own", str(root / "test.json"), protocol="matlab", pair_nms={}, **files)
    assert images.metric.protocol.name == "matlab" and images.metric.pair_nms is not None
    (root / "predictions.json").write_text(json.dumps([]))
    assert evaluate_file(root / "predictions.json", images).metrics["hico/full"] == 0
