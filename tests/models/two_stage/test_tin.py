"""TIN on random images: training, inference, and what must not change a result."""

import subprocess
import sys
from pathlib import Path

import pytest
import torch
from mmengine.config import Config
from mmengine.structures import InstanceData

from hqm_mmdet.apis import build_model
from hqm_mmdet.checkpoints.loading import load_weights
from hqm_mmdet.errors import ConfigError
from hqm_mmdet.models.two_stage import MissingDetections, TINHead
from tests.models.tiny import assert_every_parameter_takes_part, losses_of_one_batch, random_batch

ROOT = Path(__file__).parents[3]
CONFIGS = ROOT / "configs"


def tiny(name="tin_toy.py", **changes):
    cfg = Config.fromfile(CONFIGS / name)
    cfg.merge_from_dict({"model.pair_encoder.context_dropout": 0.0, **changes})
    torch.manual_seed(0)
    return build_model(cfg)


def batch(counts=(2, 1), sizes=None, num_verbs=11):
    """Annotated samples with the verbs of the toy set."""
    inputs, samples = random_batch(list(counts), sizes=sizes)
    for sample in samples:
        pairs = sample.gt_pairs
        pairs.verb_labels = torch.nn.functional.pad(pairs.verb_labels, (0, num_verbs - pairs.verb_labels.shape[1]))
        truth = dict(boxes=sample.gt_instances.bboxes.numpy(), labels=sample.gt_instances.labels.numpy())
        sample.set_metainfo(dict(gt_hois=truth))
    return inputs, samples


def predict(model, inputs, samples):
    return [sample.pred_pairs for sample in model.eval()(inputs, samples, mode="predict")]


@pytest.mark.parametrize("skip", [False, True])
def test_every_parameter_takes_part(skip):
    assert_every_parameter_takes_part(tiny(**{"model.skip_negative_objects": skip}).train(), batch())


@pytest.mark.parametrize("counts", [(0, 0), (0, 1), (1,)])
def test_images_without_pairs_train(counts):
    losses = tiny().train()(*batch(counts), mode="loss")
    assert all(torch.isfinite(value) for value in losses.values())
    sum(losses.values()).backward()


@pytest.mark.parametrize("name", ["tin_toy.py", "interactiveness_toy.py"])
def test_one_batch_is_learned(name):
    history = losses_of_one_batch(tiny(name).train(), batch(), 2e-3, steps=25)
    assert history[-1] < 0.5 * history[0]


def test_padding_and_other_images_of_the_batch_do_not_matter():
    model, sizes = tiny(), [(64, 80), (96, 48)]
    inputs, samples = batch((2, 3), sizes)
    together = predict(model, inputs, samples)
    for i, (height, width) in enumerate(sizes):
        _, again = batch((2, 3), sizes)
        (alone,) = predict(model, inputs[i : i + 1, :, :height, :width], again[i : i + 1])
        assert len(alone) and len(alone) == len(together[i])
        for name in ("sub_bboxes", "obj_bboxes", "verb_scores", "interactiveness"):
            torch.testing.assert_close(together[i][name], alone[name], rtol=1e-4, atol=1e-5)


def test_predictions_are_in_the_frame_of_the_original_image():
    model = tiny()
    inputs, samples = batch((2,))
    for sample in samples:
        sample.set_metainfo(dict(ori_shape=(128, 160)))
        sample.gt_hois["boxes"] = sample.gt_hois["boxes"] * 2
    (pairs,) = predict(model, inputs, samples)
    known = torch.from_numpy(samples[0].gt_hois["boxes"])
    assert all((known - box).abs().amax(1).min() < 1e-3 for box in pairs.sub_bboxes)


def detected(samples, count, labels=None):
    """Random boxes of a detector."""
    generator = torch.Generator().manual_seed(1)
    for sample in samples:
        height, width = sample.img_shape
        corner = torch.rand(count, 2, generator=generator) * torch.tensor([width / 2, height / 2])
        boxes = torch.cat([corner, corner + 4 + torch.rand(count, 2, generator=generator) * 20], 1)
        labels = torch.tensor([0] * count if labels is None else labels, dtype=torch.long)
        sample.detections = InstanceData(bboxes=boxes, labels=labels, scores=torch.full((count,), 0.9))
    return samples


@pytest.mark.parametrize("labels", [[], [0], [1, 2], [0, 1]])
def test_few_boxes(labels):
    model = tiny(**{"model.instances.type": "StoredInstances"})
    inputs, samples = batch((1,))
    (pairs,) = predict(model, inputs, detected(samples, len(labels), labels))
    assert len(pairs) == (2 if labels == [0, 1] else 0)  # the pair, and the person alone
    assert pairs.verb_scores.shape[1] == 11 if len(pairs) else True


# A TIN whose layers hardly cost anything, so that many pairs pass in seconds.
THIN = {
    "model.instances.type": "StoredInstances",
    "model.pair_encoder.map_channels": (2, 2),
    "model.pair_encoder.region_planes": 2,
    "model.pair_encoder.attention_channels": 4,
    "model.pair_encoder.chunk_size": 64,
    "model.bbox_head.region_channels": 8,
    "model.bbox_head.layout_channels": 338,
    "model.bbox_head.hidden_channels": 4,
    "model.bbox_head.interactiveness.hidden_channels": 4,
    "model.bbox_head.interactiveness.pose_channels": (2, 2),
}
CHILD = """
import resource, sys
import torch
from tests.models.two_stage.test_tin import THIN, batch, detected, predict, tiny

torch.set_num_threads(1)
model = tiny(**THIN)
with torch.no_grad():
    predict(model, *(lambda i, s: (i, detected(s, 2)))(*batch((1,))))  # loads kernels
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    inputs, samples = batch((1,))
    (pairs,) = predict(model, inputs, detected(samples, 200))
print(len(pairs), (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) / 1024)
"""


def test_200_persons_take_bounded_memory():
    """A process of its own, since its largest size so far is what the system tells."""
    done = subprocess.run([sys.executable, "-c", CHILD], cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    count, megabytes = map(float, done.stdout.split())
    assert count == 200 * 199 + 200
    assert megabytes < 150  # their maps alone would be 39,800 x 3 x 64 x 64 x 4 bytes: 1,900


def test_chunks_change_nothing():
    inputs, samples = batch((1,))
    whole, parts = (tiny(**THIN | {"model.pair_encoder.chunk_size": size}) for size in (10_000, 64))
    largest = []
    parts.bbox_head.register_forward_hook(lambda _, args, output: largest.append(len(args[0].layout)))
    with torch.no_grad():
        (expected,) = predict(whole, inputs, detected(samples, 20))
        (found,) = predict(parts, inputs, detected(samples, 20))
    assert len(found) == 20 * 19 + 20 and max(largest) == 64
    for name in ("sub_bboxes", "verb_scores", "interactiveness"):
        torch.testing.assert_close(found[name], expected[name])


def test_missing_detections_say_what_to_do():
    model = tiny(**{"model.instances.type": "StoredInstances"})
    with pytest.raises(MissingDetections, match="image_0.jpg: no detections. Set dataset.detections"):
        predict(model, *batch((1,)))


def test_images_without_annotation_say_what_to_do():
    inputs, samples = random_batch([1])
    with pytest.raises(MissingDetections, match="image_0.jpg: no annotations.*DetectorInstances"):
        predict(tiny(), inputs, samples)


def test_hoi_classes_become_verbs_of_the_object():
    head = TINHead(
        3, 4, triplets=[(2, 0), (1, 3), (1, 0)], region_channels=8, context_channels=8, layout_channels=8,
        hidden_channels=8, no_interaction=3,
    )  # fmt: skip
    pairs = InstanceData(
        obj_labels=torch.tensor([1, 2, 1]),
        verb_labels=torch.tensor([[1.0, 1, 0, 0], [1, 0, 0, 0], [0, 0, 0, 0]]),
        interactive=torch.tensor([True, True, False]),
    )
    assert head.labels(pairs).tolist() == [[0, 0, 1], [1, 0, 0], [0, 1, 0]]
    logits = torch.tensor([[1.0, 2, 3]]).repeat(3, 1)
    preds = dict(sub_logits=logits, obj_logits=logits, layout_logits=logits)
    pairs.sub_scores = pairs.obj_scores = torch.ones(3)
    scores = head.predict(preds, pairs).verb_scores
    fused = TINHead.fuse(preds)[0]
    assert torch.equal(scores[0], torch.stack([fused[2], fused[0] * 0, fused[0] * 0, fused[1]]))
    assert torch.equal(scores[1], torch.stack([fused[0], *[fused[0] * 0] * 3]))


def test_verbs_without_object_go_to_the_person_alone():
    model = tiny()
    inputs, samples = batch((1,))
    (pairs,) = predict(model, inputs, samples)
    alone = pairs.obj_labels == 8
    assert alone.sum() == len(torch.unique(pairs.sub_bboxes, dim=0))
    assert (pairs.verb_scores[~alone, 10] == 0).all() and (pairs.verb_scores[alone, 10] > 0).all()
    assert (pairs.verb_scores[alone, :10] == 0).all() and (pairs.obj_bboxes[alone] == 0).all()


def test_the_second_stage_starts_from_the_first():
    first, second = tiny("tin_hoi_toy.py"), tiny("tin_joint_toy.py")
    names, more = set(first.state_dict()), set(second.state_dict())
    assert names < more and all(name.startswith("bbox_head.interactiveness.") for name in more - names)
    load_weights(second, first.state_dict(), "first stage", partial=True)
    assert all(torch.equal(second.state_dict()[name], value) for name, value in first.state_dict().items())


def test_head_refuses_what_does_not_fit():
    with pytest.raises(ConfigError, match="no registered function is called 'hicos'"):
        TINHead(2, 2, triplets="hicos")
    with pytest.raises(ConfigError, match="unknown streams"):
        TINHead(2, 2, loss_weights=dict(human=2.0))
    with pytest.raises(ConfigError, match="3 numbers for 2 classes"):
        TINHead(2, 2, logit_weights=dict(sub=[1.0, 2, 3]))
