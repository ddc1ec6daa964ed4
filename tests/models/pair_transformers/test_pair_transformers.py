"""What must hold for UPT and PViC on any detector, and what bad input comes to."""

import pytest
import torch
from mmengine.structures import InstanceData

from hqm_mmdet.errors import ClassMismatchError, ConfigError
from hqm_mmdet.models.pair_transformers import InstanceSelection, pair_up
from hqm_mmdet.models.pair_transformers.spatial import pairwise_numbers
from hqm_mmdet.models.two_stage import InstanceError, Scene
from tests.models.pair_transformers.small import NUM_VERBS, USUAL, batch, detections, small_model

METHODS = ("upt", "pvic")


@pytest.fixture(scope="module", params=METHODS)
def method(request):
    return request.param


@pytest.fixture(scope="module")
def model(method):
    return small_model(method).eval()


def predicted(model, *images, **options):
    with torch.no_grad():
        return [sample.pred_pairs for sample in model(*batch(*images, **options), mode="predict")]


def same(ours, theirs):
    assert len(ours) == len(theirs)
    for name in ("sub_bboxes", "obj_bboxes", "verb_scores", "sub_scores", "obj_scores"):
        torch.testing.assert_close(ours[name], theirs[name], rtol=1e-4, atol=1e-4)
    assert torch.equal(ours.obj_labels, theirs.obj_labels)


def train(model, inputs, samples):
    """Loss and gradients; both must be finite."""
    model.train().zero_grad()
    losses = model(inputs, samples, mode="loss")
    loss, _ = model.parse_losses(losses)
    loss.backward()
    assert loss.isfinite()
    assert all(p.grad is not None and p.grad.isfinite().all() for p in model.bbox_head.parameters())
    model.eval()
    return loss.item()


def test_pairs_are_persons_with_every_other_instance(model):
    (pairs,) = predicted(model, USUAL)
    assert len(pairs) == 6  # 2 persons, 4 instances
    assert pairs.sub_ids.tolist() == [0, 0, 0, 1, 1, 1] and pairs.obj_ids.tolist() == [1, 2, 3, 0, 2, 3]
    assert pairs.verb_scores.shape == (6, NUM_VERBS) and pairs.verb_scores.isfinite().all()
    assert torch.equal(pairs.verb_scores > 0, model.bbox_head.valid[pairs.obj_labels])  # what a toy object can have


def test_a_batch_changes_no_result(model):
    images = [USUAL, USUAL[[0]], USUAL[[1, 3]], USUAL[[0, 1]]]
    sizes = [(64, 80), (48, 56), (64, 64), (64, 80)]
    together = predicted(model, *images, sizes=sizes)
    inputs, samples = batch(*images, sizes=sizes)
    for i, (height, width) in enumerate(sizes):
        with torch.no_grad():
            (alone,) = model(inputs[i : i + 1, :, :height, :width], samples[i : i + 1], mode="predict")
        same(together[i], alone.pred_pairs)


def test_the_order_of_instances_does_not_matter(model):
    (pairs,), (turned,) = predicted(model, USUAL), predicted(model, USUAL[[2, 3, 1, 0]])
    same(pairs, turned)


def test_it_learns(method):
    model = small_model(method)
    data = batch(USUAL, USUAL)
    optimizer = torch.optim.AdamW(model.parameters(), lr=3e-3)
    history = []
    for _ in range(15):
        history.append(train(model, *data))
        optimizer.step()
    assert history[-1] < 0.6 * history[0]


def test_boxes_come_back_in_the_original_frame(model):
    inputs, samples = batch(USUAL)
    samples[0].set_metainfo(dict(ori_shape=(128, 160)))
    with torch.no_grad():
        (sample,) = model(inputs, samples, mode="predict")
    torch.testing.assert_close(sample.pred_pairs.sub_bboxes[0], torch.tensor([8.0, 12, 68, 116]))


NOTHING = detections([], [], [])
BAD = {
    "no instance": NOTHING,
    "no person": USUAL[[1, 3]],
    "one instance": USUAL[[0]],
    "a side of zero": detections([[4, 6, 34, 58], [30, 30, 30, 60], [5, 9, 40, 9]], [0, 1, 2]),
    "a point": detections([[4, 6, 4, 6], [30, 30, 30, 30]], [0, 1]),
    "outside of the image": detections([[4, 6, 34, 58], [200, 200, 300, 300], [-90, -50, -10, -5]], [0, 1, 2]),
    "scores of one": detections([[4, 6, 34, 58], [20, 30, 50, 60]], [0, 1], [1.0, 1.0]),
    "scores of zero": detections([[4, 6, 34, 58], [20, 30, 50, 60]], [0, 1], [0.0, 0.0]),
}


@pytest.mark.parametrize("case", BAD)
def test_unusual_instances_give_finite_numbers(model, case):
    (pairs,) = predicted(model, BAD[case])
    assert len(pairs) == (0 if case in ("no instance", "no person", "one instance") else len(pairs))
    assert pairs.verb_scores.isfinite().all()
    train(model, *batch(BAD[case]))
    train(model, *batch(BAD[case], USUAL))


def test_300_instances(model):
    generator = torch.Generator().manual_seed(1)
    low = torch.rand(300, 2, generator=generator) * 50
    boxes = torch.cat([low, low + 5 + 10 * torch.rand(300, 2, generator=generator)], 1)
    found = InstanceData(bboxes=boxes, labels=torch.arange(300) % 8, scores=torch.rand(300, generator=generator))
    (pairs,) = predicted(model, found)
    assert len(pairs) == 15 * 29


def test_an_image_of_one_pixel(model):
    found = detections([[0, 0, 1, 1], [0, 0, 1, 1]], [0, 1])
    (pairs,) = predicted(model, found, size=(1, 1))
    assert len(pairs) == 1 and pairs.verb_scores.isfinite().all()
    train(model, *batch(found, USUAL, sizes=[(1, 1), (64, 80)]))


def test_numbers_that_are_not_finite_are_refused(model):
    for name in ("scores", "bboxes"):
        broken = USUAL[:]
        broken[name] = broken[name].clone()
        broken[name][2] = float("nan")
        with pytest.raises(InstanceError, match=rf"0.png: {name} of instance 2 is not finite"):
            predicted(model, broken)


def test_features_that_are_not_finite_are_refused():
    found = USUAL[:]
    found.features = torch.full((len(found), 3), float("inf"))
    with pytest.raises(InstanceError, match="an image: features of instance 0 is not finite"):
        Scene(found, (), (), (9, 9)).checked()


@pytest.mark.parametrize("option", ("in_channels", "map_channels"))
def test_features_that_do_not_fit_are_refused(method, option):
    model = small_model(method, **{f"model.bbox_head.{option}": 24}).eval()
    with pytest.raises(InstanceError, match=rf"bbox_head.{option} is 24. Set model.bbox_head.{option}=(16|32)"):
        predicted(model, USUAL)


def test_labels_that_do_not_fit_are_refused(model):
    inputs, samples = batch(USUAL)
    samples[0].gt_pairs.verb_labels = torch.zeros(1, 5)
    with pytest.raises(ClassMismatchError, match="0.png: pairs are labelled with 5 verbs"):
        model(inputs, samples, mode="loss")
    with pytest.raises(ConfigError, match="hico_det.*has 117 verbs and 80 object classes, the head num_verbs=11"):
        small_model("upt", **{"model.bbox_head.hois": "hico_det"})


def test_selection_has_limits():
    with pytest.raises(ConfigError, match="min_instances=4 exceeds 3"):
        InstanceSelection(min_instances=4, max_instances=3)
    scores = torch.cat([torch.linspace(0.9, 0.5, 20), torch.tensor([0.04, 0.03])])
    boxes = torch.arange(22.0)[:, None] * 10 + torch.tensor([0.0, 0, 8, 8])
    found = InstanceData(bboxes=boxes, labels=torch.tensor([0] * 20 + [1] * 2), scores=scores)
    kept = InstanceSelection()(Scene(found, (), (), (300, 300))).instances
    assert (kept.labels == 0).sum() == 15 and (kept.labels == 1).sum() == 2


def test_spatial_numbers_of_official_definition():
    boxes, sizes = torch.tensor([[[10.0, 20, 50, 100], [30, 10, 90, 40]]]), torch.tensor([[200.0, 100]])
    numbers = pairwise_numbers(boxes, sizes)[0, 0, 1]
    iou = 20 * 20 / (40 * 80 + 60 * 30 - 20 * 20)
    expected = [0.15, 0.6, 0.3, 0.25, 0.2, 0.8, 0.3, 0.3, 0.16, 0.09, 1800 / 3200, 0.5, 2, iou, 0.75, 0, 0, 35 / 80]
    torch.testing.assert_close(numbers[:18], torch.tensor(expected))
    torch.testing.assert_close(numbers[18:], (torch.tensor(expected) + 1e-10).log())


def test_candidates_of_different_width_are_refused():
    scenes = []
    for width in (3, 4):
        found = USUAL[[0]]
        found.features = torch.rand(1, width)
        scenes.append(Scene(found, (), (), (9, 9)))
    with pytest.raises(InstanceError, match=r"\[3, 4\]"):
        pair_up(scenes)
