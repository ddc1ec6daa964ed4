"""Suppression in a host: QPIC on random images."""

from pathlib import Path

import pytest
import torch
from mmengine.config import Config
from mmengine.structures import InstanceData

from hqm_mmdet.apis import build_model
from hqm_mmdet.checkpoints.files import write_checkpoint
from hqm_mmdet.models.interactiveness import NonInteractionSuppression, SuppressionError, own_size, raw_images
from hqm_mmdet.structures import new_pairs, poses_of_boxes
from tests.models.tiny import random_batch
from tests.models.tiny_text import CONFIGS as TEXT_CONFIGS
from tests.models.two_stage.test_tin import batch as annotated_batch

CONFIGS = Path(__file__).parents[3] / "configs"
HOSTS = ("qpic_toy", "cdn_s_toy", "conditional_toy", "hotr_toy", "genvlkt", "hoiclip", "tin_toy")


def built(name):
    torch.manual_seed(0)
    cfg = TEXT_CONFIGS[name]() if name in TEXT_CONFIGS else Config.fromfile(CONFIGS / f"{name}.py")
    return build_model(cfg).eval()


def images_of(name):
    """Two images; TIN's come with annotations, whose boxes it pairs."""
    return annotated_batch() if name == "tin_toy" else random_batch([1, 1])


@pytest.fixture(scope="module")
def checkpoint(tmp_path_factory):
    """An untrained interactiveness network that holds its config."""
    path = tmp_path_factory.mktemp("interactiveness") / "interactiveness.pth"
    network = built("interactiveness_toy")
    torch.nn.init.normal_(network.bbox_head.score.weight, std=3.0)
    write_checkpoint(path, network.state_dict(), dict(cfg=network.cfg.pretty_text))
    return path


def predictions(host, inputs_and_samples, suppression=None):
    host.suppression = suppression
    with torch.no_grad():
        return [sample.pred_pairs for sample in host(*inputs_and_samples, mode="predict")]


@pytest.mark.parametrize("name", HOSTS)
def test_thresholds_of_one_leave_a_host_bit_by_bit(name, checkpoint):
    host = built(name)
    nis = NonInteractionSuppression(checkpoint, thresholds=dict(above=1.0, below=1.0))
    before, after = (predictions(host, images_of(name), s) for s in (None, nis))
    for plain, changed in zip(before, after, strict=True):
        # TIN says itself which pairs interact; the network's answer stands in the same place.
        own = {key: value for key, value in plain.items() if key != "interactiveness"}
        assert len(plain) and all(torch.equal(value, changed[key]) for key, value in own.items())
        assert not changed.suppressed.any() and changed.interactiveness.shape == (len(plain), 2)


def test_one_config_line_gives_it_to_a_host_without_touching_its_weights(checkpoint):
    cfg = Config.fromfile(CONFIGS / "qpic_toy.py")
    plain = set(build_model(cfg).state_dict())
    cfg.model.suppression = dict(type="NonInteractionSuppression", checkpoint=str(checkpoint), mode="multiply")
    assert set(build_model(cfg).state_dict()) == plain


def test_suppressed_pairs_lose_their_verbs_and_nothing_else(checkpoint):
    host = built("qpic_toy")
    nis = NonInteractionSuppression(checkpoint, thresholds=dict(above=0.0, below=1.0), kept_verbs=[3])
    before, after = (predictions(host, random_batch([1]), s)[0] for s in (None, nis))
    present = (after.obj_bboxes[:, 2:] > after.obj_bboxes[:, :2]).all(1)
    assert torch.equal(after.suppressed, present) and present.any()
    lost = [v for v in range(11) if v != 3]
    assert (after.verb_scores[present][:, lost] == 0).all()
    assert torch.equal(after.verb_scores[:, 3], before.verb_scores[:, 3])
    assert torch.equal(after.obj_scores, before.obj_scores)


@pytest.mark.parametrize("name", ["genvlkt", "hoiclip"])
def test_hosts_that_score_hoi_classes(name, checkpoint):
    host, everything = built(name), dict(above=0.0, below=1.0)
    kept_verb = host.bbox_head.hois.verbs[0]
    kept = torch.tensor([verb == kept_verb for verb in host.bbox_head.hois.verbs])
    suppress = NonInteractionSuppression(checkpoint, thresholds=everything, kept_verbs=[kept_verb])
    multiply = NonInteractionSuppression(checkpoint, mode="multiply")
    before, dropped, scaled = (predictions(host, images_of(name), s)[0] for s in (None, suppress, multiply))
    for key in ("hoi_scores", "hoi_probs"):
        assert (before[key] > 0).all() and (dropped[key][:, ~kept] == 0).all()
        assert torch.equal(dropped[key][:, kept], before[key][:, kept])
        torch.testing.assert_close(scaled[key], before[key] * scaled.interactiveness[:, :1])
    with pytest.raises(SuppressionError, match="this model scores HOI classes"):
        predictions(host, images_of(name), NonInteractionSuppression(checkpoint, after_choice=True))


def test_a_two_stage_host_suppresses_by_its_own_scores_or_by_a_network(checkpoint):
    host, everything = built("tin_toy"), dict(above=0.0, below=1.0)
    own = predictions(host, images_of("tin_toy"), NonInteractionSuppression(host_scores=True, mode="multiply"))[0]
    other = predictions(host, images_of("tin_toy"), NonInteractionSuppression(checkpoint, thresholds=everything))[0]
    before = predictions(host, images_of("tin_toy"))[0]
    present = before.obj_labels < 8
    torch.testing.assert_close(
        own.verb_scores[present], before.verb_scores[present] * before.interactiveness[present, :1]
    )
    assert torch.equal(own.verb_scores[~present], before.verb_scores[~present]) and (~present).any()
    assert (other.verb_scores[present] == 0).all() and torch.equal(other.suppressed, present)


@pytest.mark.parametrize("name", ["qpic_toy", "tin_toy"])
def test_the_network_sees_poses_of_the_sample_whatever_the_host(name, checkpoint):
    host, nis = built(name), NonInteractionSuppression(checkpoint)
    seen = []
    nis.network.judge = lambda image, pairs: seen.append(pairs) or torch.zeros(len(pairs), 2)
    inputs, samples = images_of(name)
    pose = torch.tensor([[10.0, 10, 1]] * 16 + [[40, 50, 1]])
    for sample in samples:
        sample.poses = InstanceData(keypoints=pose[None])
    for pairs, sample in zip(predictions(host, (inputs, samples), nis), samples, strict=True):
        assert "keypoints" not in pairs
        scale = torch.tensor([96 / sample.img_shape[1], 96 / sample.img_shape[0]])  # to the network's own image size
        expected = poses_of_boxes(pairs.sub_bboxes, pose[None])[..., :2] * scale
        torch.testing.assert_close(seen.pop(0).keypoints, expected, equal_nan=True)


def test_multiply_is_equation_6(checkpoint):
    host, nis = built("qpic_toy"), NonInteractionSuppression(checkpoint, mode="multiply")
    before, after = (predictions(host, random_batch([1]), s)[0] for s in (None, nis))
    torch.testing.assert_close(after.verb_scores, before.verb_scores * after.interactiveness[:, :1])


def test_the_network_gets_the_raw_image(checkpoint):
    host = built("qpic_toy")
    image = torch.randint(0, 256, (3, 48, 64), dtype=torch.uint8)
    inputs = host.data_preprocessor(dict(inputs=[image]))["inputs"]
    raw = raw_images(inputs, host.data_preprocessor)[0]
    torch.testing.assert_close(raw, image.float(), rtol=0, atol=1e-3)


def test_pairs_without_object_are_left_alone(checkpoint):
    nis = NonInteractionSuppression(checkpoint, thresholds=dict(above=0.0, below=1.0))
    pairs = new_pairs(
        torch.tensor([[0.0, 0, 9, 9]] * 2),
        torch.tensor([[5.0, 5, 9, 9], [0, 0, 0, 0]]),
        torch.tensor([1, 8]),
        verb_scores=torch.ones(2, 3),
    )
    changed = nis.apply(pairs, torch.tensor([[0.5, 0.5]] * 2))
    assert changed.verb_scores.tolist() == [[0, 0, 0], [1, 1, 1]] and changed.suppressed.tolist() == [True, False]


def test_lis_multiplies_by_what_the_host_has(checkpoint):
    nis = NonInteractionSuppression(checkpoint, thresholds=dict(above=1.0), lis=dict(a=6.0, b=6.0, c=7.0))
    box = torch.tensor([[0.0, 0, 9, 9]])
    pairs = new_pairs(box, box, torch.tensor([1]), verb_scores=torch.ones(1, 2), obj_scores=torch.ones(1))
    scores = nis.apply(pairs, torch.tensor([[0.5, 0.5]])).verb_scores
    torch.testing.assert_close(scores, torch.full((1, 2), 4.386351))


@pytest.mark.parametrize(
    "options,message",
    [
        (dict(), "needs a checkpoint"),
        (dict(checkpoint="x.pth", mode="drop"), "mode must be one of"),
        (dict(checkpoint="x.pth", thresholds=dict(above=2.0)), r"two numbers in \[0, 1\]"),
    ],
)
def test_bad_options(options, message):
    with pytest.raises(SuppressionError if "above" not in str(options) else ValueError, match=message):
        NonInteractionSuppression(**options)


def test_another_model_is_refused(tmp_path):
    host = built("qpic_toy")
    write_checkpoint(tmp_path / "qpic.pth", host.state_dict(), dict(cfg=host.cfg.pretty_text))
    with pytest.raises(SuppressionError, match="qpic.pth: a QPIC, not an Interactiveness"):
        NonInteractionSuppression(tmp_path / "qpic.pth")
    with pytest.raises(FileNotFoundError, match="none.pth"):
        NonInteractionSuppression(tmp_path / "none.pth")


def with_branch():
    """QPIC that says itself which of its pairs interact."""
    cfg = Config.fromfile(CONFIGS / "qpic_hqm_toy.py")
    cfg.model.bbox_head.interactiveness = dict()
    torch.manual_seed(0)
    return build_model(cfg)


def test_light_variant_trains_with_the_host_and_its_mined_queries_do_not_teach_it():
    host = with_branch().train()
    host.query_mining.take_round(0)
    losses = host(*toy_batch(), mode="loss")
    names = {name for name in losses if "interactiveness" in name}
    assert "loss_interactiveness" in names and not any(name.startswith(("gbs", "amm")) for name in names)
    sum(losses[name] for name in names).backward()
    assert all(parameter.grad is not None for parameter in host.bbox_head.interactiveness.parameters())


def test_light_variant_suppresses_without_a_network():
    host = with_branch().eval()
    nis = NonInteractionSuppression(host_scores=True, mode="multiply")
    before, after = (predictions(host, random_batch([1]), s)[0] for s in (None, nis))
    torch.testing.assert_close(after.verb_scores, before.verb_scores * before.interactiveness[:, :1])


def test_light_variant_leaves_the_host_s_initial_weights():
    cfg = Config.fromfile(CONFIGS / "qpic_toy.py")
    torch.manual_seed(0)
    plain = build_model(cfg).state_dict()
    torch.manual_seed(0)
    cfg.model.bbox_head.interactiveness = dict()
    extended = build_model(cfg).state_dict()
    assert {name.rsplit(".", 3)[0] for name in set(extended) - set(plain)} == {"bbox_head.interactiveness.score"}
    assert all(torch.equal(value, extended[name]) for name, value in plain.items())


def test_a_host_without_scores_is_told_so():
    with pytest.raises(SuppressionError, match="does not say which pairs interact"):
        predictions(built("qpic_toy"), random_batch([1]), NonInteractionSuppression(host_scores=True))


def toy_batch():
    """A batch with the number of verbs of the toy set."""
    inputs, samples = random_batch([2])
    for sample in samples:
        pairs = sample.gt_pairs
        pairs.verb_labels = torch.nn.functional.pad(pairs.verb_labels, (0, 11 - pairs.verb_labels.shape[1]))
    return inputs, samples


def test_the_network_judges_in_its_own_image_size(checkpoint):
    host, nis = built("qpic_toy"), NonInteractionSuppression(checkpoint)
    inputs, samples = random_batch([1])  # 64 x 80; the toy network was trained on 96 x 96
    seen = []
    nis.network.judge = lambda image, pairs: seen.append((image, pairs)) or torch.zeros(len(pairs), 2)
    (pairs,) = predictions(host, (inputs, samples), nis)
    (image, boxes) = seen[0]
    assert image.shape == (3, 96, 96)
    torch.testing.assert_close(boxes.obj_bboxes, pairs.obj_bboxes * torch.tensor([96 / 80, 96 / 64]).repeat(2))


def test_own_size_of_a_network():
    def cfg(*steps):
        return Config(dict(test_dataloader=dict(dataset=dict(pipeline=list(steps)))))

    assert own_size(Config(), (48, 64)) == own_size(cfg(dict(type="LoadHOIImage")), (48, 64)) == (48, 64)
    assert own_size(cfg(dict(type="Resize", scale=(100, 50), keep_ratio=False)), (48, 64)) == (50, 100)
    assert own_size(cfg(dict(type="mmdet.Resize", scale=(1333, 96), keep_ratio=True)), (48, 64)) == (96, 128)
