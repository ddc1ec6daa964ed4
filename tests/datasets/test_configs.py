"""The data set configs, built as the runner builds them, on tiny data."""

import pytest
import torch
from mmengine.config import Config
from mmengine.evaluator import Evaluator
from mmengine.registry import DefaultScope
from mmengine.runner import Runner

from hqm_mmdet.datasets.toy import ToySettings, make_toy_hoi
from hqm_mmdet.structures import HOIDataSample, new_pairs
from tests.conftest import REPOSITORY
from tests.datasets.tiny_hoi import write_hico_layout


@pytest.fixture
def toy_root(tmp_path):
    return make_toy_hoi(tmp_path / "toy_hoi", ToySettings(num_train=16, num_test=8), progress=False)


@pytest.fixture
def hico_root(tmp_path, data_dir):
    return write_hico_layout(tmp_path / "hico_20160224_det", data_dir, num_images=4)


@pytest.fixture(params=["toy_hoi", "hico_det"])
def config(request):
    """A config whose data lie in a temporary folder; no worker processes."""
    root = request.getfixturevalue({"toy_hoi": "toy_root", "hico_det": "hico_root"}[request.param])
    config = Config.fromfile(REPOSITORY / f"configs/_base_/datasets/{request.param}.py")
    for loader in (config.train_dataloader, config.val_dataloader, config.test_dataloader):
        loader.dataset.data_root = str(root)
        loader.update(num_workers=0, persistent_workers=False)
    return config


def build(loader):
    with DefaultScope.overwrite_default_scope("hqm_mmdet"):
        return Runner.build_dataloader(loader, seed=0)


def test_training_batches(config):
    loader = build(config.train_dataloader)
    for batch in loader:
        for image, sample in zip(batch["inputs"], batch["data_samples"], strict=True):
            assert image.dtype == torch.uint8 and image.shape == (3, *sample.img_shape)
            assert min(sample.img_shape) >= 96 and max(sample.img_shape) <= 1333
            height, width = sample.img_shape
            for boxes in (sample.gt_pairs.sub_bboxes, sample.gt_pairs.obj_bboxes):
                assert (boxes >= 0).all() and (boxes <= torch.tensor([width, height, width, height])).all()
    assert len(loader) == len(loader.dataset) // config.train_dataloader.batch_size


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


@pytest.mark.parametrize("split", ["val", "test"])
def test_perfect_predictions_score_one(config, split):
    loader = build(config[f"{split}_dataloader"])
    with DefaultScope.overwrite_default_scope("hqm_mmdet"):
        evaluator = Evaluator(config[f"{split}_evaluator"])
    evaluator.dataset_meta = loader.dataset.metainfo
    sizes = [len(loader.dataset.metainfo[key]) for key in ("classes", "verbs")]
    for batch in loader:
        evaluator.process([perfect(sample, *sizes) for sample in batch["data_samples"]], batch)
    metrics = evaluator.evaluate(len(loader.dataset))
    assert metrics["hico/full"] == pytest.approx(1)


def test_ground_truth_of_the_test_pipeline_is_in_the_frame_of_the_original_image(config):
    dataset = build(config.test_dataloader).dataset
    for packed in dataset:
        sample = packed["data_samples"]
        shorter, longer = min(sample.img_shape), max(sample.img_shape)
        assert shorter == dataset.pipeline.transforms[1].scale[0] or longer == dataset.pipeline.transforms[1].scale[1]
        height, width = sample.ori_shape
        boxes = torch.from_numpy(sample.gt_hois["boxes"]).float()
        limit = torch.tensor([width, height, width, height])
        torch.testing.assert_close(sample.gt_instances.bboxes.tensor, boxes.clamp(min=0).minimum(limit))


def test_strict_can_be_set_from_the_command_line(config):
    config.merge_from_dict({"train_dataloader.dataset.strict": True})
    assert build(config.train_dataloader).dataset.strict is True
