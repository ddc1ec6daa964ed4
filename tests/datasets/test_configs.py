"""The data set configs, built as the runner builds them, on tiny data."""

from collections import defaultdict

import pytest
import torch
from mmengine.config import Config
from mmengine.evaluator import Evaluator
from mmengine.registry import DefaultScope
from mmengine.runner import Runner

from hqm_mmdet.datasets.toy import ToySettings, make_toy_hoi
from hqm_mmdet.structures import HOIDataSample, load_metainfo, new_pairs
from tests.conftest import REPOSITORY
from tests.datasets.tiny_hoi import write_hico_layout, write_hoi_a_layout, write_own_layout
from tests.datasets.tiny_vcoco import write_vcoco_layout

MAIN_METRIC = dict(
    toy_hoi="hico/full", hico_det="hico/full", v_coco="vcoco/role_s1", hoi_a="hoia/mAP", own_hoi="hico/full"
)


@pytest.fixture
def toy_root(tmp_path):
    return make_toy_hoi(tmp_path / "toy_hoi", ToySettings(num_train=16, num_test=8), progress=False)


@pytest.fixture
def hico_root(tmp_path, data_dir):
    return write_hico_layout(tmp_path / "hico_20160224_det", data_dir, num_images=4)


@pytest.fixture
def vcoco_root(tmp_path):
    return write_vcoco_layout(tmp_path / "v-coco")


@pytest.fixture
def hoia_root(tmp_path):
    return write_hoi_a_layout(tmp_path / "hoia")


@pytest.fixture
def own_root(tmp_path):
    return write_own_layout(tmp_path / "own")


ROOTS = dict(toy_hoi="toy_root", hico_det="hico_root", v_coco="vcoco_root", hoi_a="hoia_root", own_hoi="own_root")


@pytest.fixture(params=ROOTS)
def config(request):
    """A config whose data lie in a temporary folder; no worker processes."""
    root = request.getfixturevalue(ROOTS[request.param])
    config = Config.fromfile(REPOSITORY / f"configs/_base_/datasets/{request.param}.py")
    for loader in (config.train_dataloader, config.val_dataloader, config.test_dataloader):
        loader.dataset.data_root = str(root)
        loader.update(num_workers=0, persistent_workers=False)
    for evaluator in (config.val_evaluator, config.test_evaluator):
        for key in {"ann_file", "coco_file"} & evaluator.keys():
            evaluator[key] = evaluator[key].replace(config.data_root, f"{root}/")
    config.main_metric = MAIN_METRIC[request.param]
    return config


def build(loader):
    with DefaultScope.overwrite_default_scope("hqm_mmdet"):
        return Runner.build_dataloader(loader, seed=0)


def test_training_batches(config):
    """Of data without defect, so that strictness, set as on the command line, changes nothing."""
    config.merge_from_dict({"train_dataloader.dataset.strict": True})
    loader = build(config.train_dataloader)
    assert loader.dataset.strict
    for batch in loader:
        for image, sample in zip(batch["inputs"], batch["data_samples"], strict=True):
            assert image.dtype == torch.uint8 and image.shape == (3, *sample.img_shape)
            assert min(sample.img_shape) >= 96 and max(sample.img_shape) <= 1333
            height, width = sample.img_shape
            for boxes in (sample.gt_pairs.sub_bboxes, sample.gt_pairs.obj_bboxes):
                assert (boxes >= 0).all() and (boxes <= torch.tensor([width, height, width, height])).all()
    assert len(loader) == len(loader.dataset) // config.train_dataloader.batch_size > 0


def perfect(sample, num_classes, num_verbs):
    """What a perfect model would answer: the annotated HOIs, in the frame of the original image."""
    truth = sample.gt_hois
    boxes, hois = torch.from_numpy(truth["boxes"]).float(), torch.from_numpy(truth["hois"])
    subject, obj, verb = hois.unbind(1)
    scores = torch.zeros(len(hois), num_verbs)
    scores[torch.arange(len(hois)), verb] = 1
    # index -1, no object, finds what is appended: a zero box with the label after the last class
    boxes = torch.cat([boxes, torch.zeros(1, 4)])
    labels = torch.cat([torch.from_numpy(truth["labels"]), torch.tensor([num_classes])])
    predicted = HOIDataSample(metainfo=sample.metainfo)
    predicted.pred_pairs = new_pairs(boxes[subject], boxes[obj], labels[obj], verb_scores=scores)
    return predicted.to_dict()


def evaluate_perfect(config, split):
    """Metrics of perfect predictions on a split."""
    loader = build(config[f"{split}_dataloader"])
    with DefaultScope.overwrite_default_scope("hqm_mmdet"):
        evaluator = Evaluator(config[f"{split}_evaluator"])
    evaluator.dataset_meta = loader.dataset.metainfo
    sizes = [len(loader.dataset.metainfo[key]) for key in ("classes", "verbs")]
    for batch in loader:
        evaluator.process([perfect(sample, *sizes) for sample in batch["data_samples"]], batch)
    return evaluator.evaluate(len(loader.dataset))


@pytest.mark.parametrize("split", ["val", "test"])
def test_perfect_predictions_score_one(config, split):
    assert evaluate_perfect(config, split)[config.main_metric] == pytest.approx(1)


def test_the_truth_of_the_test_pipeline_travels_once(config):
    """As annotated, in the frame of the original image; not a second time as tensors, which nobody reads."""
    dataset = build(config.test_dataloader).dataset
    for i, packed in enumerate(dataset):
        sample, info = packed["data_samples"], dataset.get_data_info(i)
        shorter, longer = min(sample.img_shape), max(sample.img_shape)
        assert shorter == dataset.pipeline.transforms[1].scale[0] or longer == dataset.pipeline.transforms[1].scale[1]
        assert sample.gt_hois["boxes"].tolist() == [instance["bbox"] for instance in info["instances"]]
        assert len(sample.gt_hois["hois"]) >= len(info["pairs"])
        assert "gt_pairs" not in sample and not len(sample.gt_instances)


ZERO_SHOT = sorted(REPOSITORY.glob("configs/zero_shot/*.py"))


def test_zero_shot_configs_differ_in_the_split_only_and_every_split_has_one():
    found = defaultdict(list)
    for path in ZERO_SHOT:
        model = path.stem.partition("_hico_")[0]
        plain = Config.fromfile(REPOSITORY / f"configs/{model}_hico.py").to_dict()
        config = Config.fromfile(path).to_dict()
        splits = {config[f"{name}_dataloader"]["dataset"].pop("zero_shot") for name in ("train", "val", "test")}
        assert config == plain and len(splits) == 1, path.name
        found[model] += splits
    assert set(found) == {"qpic", "upt_r50", "pvic_r50"}
    for splits in found.values():
        assert sorted(splits) == sorted(load_metainfo("hico_det_zero_shot"))


def test_seen_and_unseen_combinations_have_their_own_means(hico_root):
    """The test images show combinations of both kinds."""
    config = Config.fromfile(REPOSITORY / "configs/_base_/datasets/hico_det.py")
    config.val_dataloader.update(num_workers=0, persistent_workers=False)
    config.val_dataloader.dataset.update(data_root=str(hico_root), zero_shot="uc0")
    metrics = evaluate_perfect(config, "val")
    assert metrics["hico/seen"] == pytest.approx(1) and metrics["hico/unseen"] == pytest.approx(1)
