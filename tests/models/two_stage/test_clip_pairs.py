"""Interactions without HOI training: crops, prompts, priors, and one checkpoint out of a CLIP file."""

import importlib.util

import pytest
import torch
from mmengine.config import Config
from mmengine.dataset import pseudo_collate
from mmengine.registry import DefaultScope

from hqm_mmdet.apis import build_model, init_model
from hqm_mmdet.apis.inference.interactions import look_for
from hqm_mmdet.checkpoints import write_checkpoint
from hqm_mmdet.datasets.toy import ToySettings, make_toy_hoi
from hqm_mmdet.errors import ConfigError
from hqm_mmdet.models.clip import CLIP, load_phrases, text_classifier
from hqm_mmdet.models.two_stage import CLIPCrops, CLIPPairHead
from hqm_mmdet.models.two_stage.clip_crops import CropFeatures
from hqm_mmdet.registry import DATASETS, METRICS
from hqm_mmdet.structures import load_hoi_classes, new_pairs
from tests.conftest import REPOSITORY
from tests.models.clip.small_clip import SIZE, small_clip
from tests.models.pair_transformers.small import batch
from tests.models.reference import CONFIGS


@pytest.fixture(scope="module")
def clip_file(tmp_path_factory):
    file = tmp_path_factory.mktemp("clip") / "clip.pth"
    torch.save(small_clip().state_dict(), file)
    return str(file)


def config(clip_file):
    cfg = Config.fromfile(CONFIGS / "clip_pairs_toy.py")
    cfg.model.pair_encoder.clip = dict(size=dict(vars(SIZE)), weights=clip_file)
    cfg.model.bbox_head.update(clip=clip_file, clip_dims=32, neutral="a photo of a person and {}")
    return cfg


@pytest.fixture(scope="module")
def model(clip_file):
    return init_model(config(clip_file))


def annotated():
    inputs, samples = batch(None)
    truth = dict(boxes=torch.tensor([[4.0, 6, 34, 58], [20, 30, 50, 60]]).numpy(), labels=torch.tensor([0, 1]).numpy())
    samples[0].set_metainfo(dict(gt_hois=truth))
    del samples[0].detections
    return (inputs * 50 + 100).clamp(0, 255), samples


def pairs_of(labels, scores=None):
    n = len(labels)
    boxes = torch.rand(n, 2) * 20
    boxes = torch.cat([boxes, boxes + 10], 1)
    scores = torch.ones(n) if scores is None else torch.tensor(scores)
    return new_pairs(boxes, boxes, torch.tensor(labels), sub_scores=scores, obj_scores=torch.ones(n))


def test_prompts_of_an_object_share_its_probability(model):
    hois = load_hoi_classes("toy_hoi")
    with torch.no_grad():
        (sample,) = model(*annotated(), mode="predict")
    pairs = sample.pred_pairs
    assert pairs.hoi_scores.shape == (len(pairs), len(hois)) and pairs.hois == hois
    for row, label in enumerate(pairs.obj_labels.tolist()):
        own = torch.tensor([obj == label for obj in hois.objects])
        assert not pairs.hoi_scores[row, ~own].any()
        assert pairs.hoi_scores[row, own].sum() < 1  # the neutral prompt has the rest


def test_the_pair_that_looks_like_a_prompt_gets_it():
    head = CLIPPairHead(8, 11, "toy_hoi", clip_dims=32, neutral=None)
    hois = load_hoi_classes("toy_hoi")
    chosen = [i for i, obj in enumerate(hois.objects) if obj < 8]
    features = CropFeatures(head.rows[chosen], torch.ones(len(chosen), dtype=torch.bool))
    found = head.predict(head(features), pairs_of([hois.objects[i] for i in chosen]))
    assert found.hoi_scores.argmax(1).tolist() == chosen
    half = head.predict(head(features), pairs_of([hois.objects[i] for i in chosen], [0.5] * len(chosen)))
    torch.testing.assert_close(half.hoi_scores, 0.5 * found.hoi_scores)


def test_objects_without_classes_and_no_pairs_give_no_nan():
    head = CLIPPairHead(9, 11, "toy_hoi", clip_dims=32, neutral=None)
    found = head.predict(head(CropFeatures(head.rows[:1], torch.ones(1, dtype=torch.bool))), pairs_of([8]))
    assert found.hoi_scores.isfinite().all()
    empty = CropFeatures(head.rows[:0], torch.ones(0, dtype=torch.bool))
    assert head.predict(head(empty), pairs_of([])).hoi_scores.shape[0] == 0


def test_rows_are_those_of_the_clip_file(model, clip_file):
    hois = load_hoi_classes("toy_hoi")
    rows = text_classifier(clip_file, load_phrases("toy_hoi").hoi_prompts(hois.names()), cache=False)
    torch.testing.assert_close(model.bbox_head.rows.data, rows)
    assert not any(parameter.requires_grad for parameter in model.bbox_head.parameters())


def test_crops_lie_in_the_image_and_are_square_where_they_can_be():
    crops = CLIPCrops(dict(size=dict(vars(SIZE))), margin=0.1)
    boxes = torch.tensor([[10.0, 10, 30, 20], [0, 0, 80, 60], [79.5, 59.5, 80, 60], [-5, -5, 5, 5], [40, 30, 40, 30]])
    found = crops.regions(boxes, (60, 80))
    assert (found[:, :2] >= 0).all() and (found[:, 2] <= 80).all() and (found[:, 3] <= 60).all()
    assert (found[:, 2:] > found[:, :2]).all()
    assert (found[0, 2:] - found[0, :2]).tolist() == [24, 24]
    with pytest.raises(ConfigError, match="weights must be of"):
        CLIPCrops(dict(size=dict(vars(SIZE))), weights=dict(both=1.0))


def test_an_embedding_is_the_sum_of_its_crops(clip_file):
    parts = {}
    image = torch.rand(3, 60, 80) * 255
    pairs = new_pairs(torch.tensor([[5.0, 5, 40, 50]]), torch.tensor([[30.0, 20, 70, 55]]), torch.tensor([1]))
    for weights in (dict(union=1.0), dict(sub=1.0), dict(union=1.0, sub=2.0)):
        torch.manual_seed(0)
        crops = CLIPCrops(dict(size=dict(vars(SIZE))), weights=weights).eval()
        parts[tuple(weights)] = crops([image], [pairs]).embeds
    both = parts["union",] + 2 * parts["sub",]
    torch.testing.assert_close(parts["union", "sub"], both / both.norm())


def test_interactions_in_a_user_s_words(clip_file):
    model = init_model(config(clip_file))
    meta = look_for(model, ["a person kicking a ball", "a person riding a ball"], clip_file, cache=False)
    assert "ride" in meta["verbs"]
    with torch.no_grad():
        (sample,) = model(*annotated(), mode="predict")
    scores = sample.pred_pairs.hoi_scores[sample.pred_pairs.obj_labels == 1]
    assert scores.shape[1] == 2 and (scores > 0).all() and (scores.sum(1) < 1).all()


def test_a_checkpoint_needs_no_other_file(model, clip_file, tmp_path):
    cfg = config(clip_file)
    cfg.model.pair_encoder.clip.weights = cfg.model.bbox_head.clip = str(tmp_path / "nowhere.pth")
    write_checkpoint(tmp_path / "pairs.pth", model.state_dict(), dict(cfg=cfg.pretty_text))
    alone = init_model(None, tmp_path / "pairs.pth")
    with torch.no_grad():
        ours, theirs = (each(*annotated(), mode="predict")[0].pred_pairs for each in (alone, model))
    torch.testing.assert_close(ours.hoi_scores, theirs.hoi_scores)


def tool(name):
    spec = importlib.util.spec_from_file_location(name, REPOSITORY / "tools" / "clip" / f"{name}.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_one_command_makes_the_checkpoint(clip_file, tmp_path):
    module = tool("make_clip_pairs")
    cfg = config(clip_file)
    cfg.model.pair_encoder.clip.weights = cfg.model.bbox_head.clip = "nowhere.pth"
    cfg.dump(tmp_path / "config.py")
    options = ["--config", str(tmp_path / "config.py"), "--clip", clip_file]
    module.main(module.parse_args([str(tmp_path / "pairs.pth"), *options]))
    made = init_model(None, tmp_path / "pairs.pth")
    assert made.dataset_meta["classes"][0] == "person" and len(made.dataset_meta["verbs"]) == 11
    rows = text_classifier(clip_file, load_phrases("toy_hoi").hoi_prompts(made.bbox_head.hois.names()), cache=False)
    torch.testing.assert_close(made.bbox_head.rows.data, rows)


def test_it_is_not_trained(clip_file):
    inputs, samples = annotated()
    with pytest.raises(ConfigError, match="is not trained"):
        build_model(config(clip_file))(inputs, samples, mode="loss")


def average_precision(cfg, clip, root):
    """Of the toy test set, annotated boxes, with a CLIP file."""
    cfg.model.pair_encoder.clip.weights = cfg.model.bbox_head.clip = str(clip)
    with DefaultScope.overwrite_default_scope("hqm_mmdet"):
        dataset = DATASETS.build(dict(cfg.test_dataloader.dataset, data_root=f"{root}/"))
    metric, model = METRICS.build(dict(type="HICODetMetric")), init_model(cfg)
    metric.dataset_meta = dataset.metainfo
    for data in dataset:
        with torch.no_grad():
            metric.process(data, [sample.to_dict() for sample in model.test_step(pseudo_collate([data]))])
    return metric.evaluate(len(dataset))["hico/full"]


@pytest.mark.slow
def test_the_stand_in_for_clip_is_far_above_chance(tmp_path):
    """Chance is the same model with random weights; the stand-in has seen crops and prompts, but no HOI training."""
    root = make_toy_hoi(tmp_path / "toy", ToySettings(num_train=600, num_test=200), progress=False)
    module = tool("train_toy_clip")
    words = [str(tmp_path / "clip.safetensors"), "--data", str(root), "--steps", "600", "--batch-size", "32"]
    module.main(module.parse_args(words))
    torch.manual_seed(0)
    torch.save(CLIP(module.SIZE).state_dict(), tmp_path / "random.pth")
    cfg = Config.fromfile(CONFIGS / "clip_pairs_toy.py")
    trained, chance = (average_precision(cfg, tmp_path / name, root) for name in ("clip.safetensors", "random.pth"))
    assert trained > 0.27 and trained > 1.6 * chance
