"""Conditional DETR for pairs: interaction points, mining, and what holds for every detector."""

from pathlib import Path

import pytest
import torch
from mmengine.config import Config

from hqm_mmdet.apis import build_model
from tests.models.test_query_mining import STRATEGIES, mining
from tests.models.tiny import (
    NUM_QUERIES,
    NUM_VERBS,
    assert_batched_equals_single,
    assert_every_parameter_takes_part,
    assert_inference_is_plain,
    random_batch,
    tiny_config,
    tiny_model,
    total,
)
from tests.models.toy_training import train_on_toy_set

CONFIGS = Path(__file__).parents[2] / "configs"


def conditional(encoding=None, **options):
    cfg = tiny_config(type="ConditionalHOI", **options)
    cfg.model.positional_encoding = encoding or cfg.model.positional_encoding
    torch.manual_seed(0)
    return build_model(cfg).train()


def trainable(strategy="ajl", iteration=0, **options):
    model = conditional(query_mining=mining(strategy, **options)).train()
    model.query_mining.take_round(iteration)
    return model


def test_output_format():
    inputs, samples = random_batch([1, 2])
    preds = conditional().eval()(inputs, samples, mode="tensor")
    assert preds["obj_logits"].shape == (2, 2, NUM_QUERIES, 5)
    assert preds["verb_logits"].shape == (2, 2, NUM_QUERIES, NUM_VERBS)
    assert preds["interaction_points"].shape == (2, 2, NUM_QUERIES, 2)
    for name in ("sub_boxes", "obj_boxes", "interaction_points"):
        assert preds[name].min() > 0 and preds[name].max() < 1
    pairs = conditional().eval()(inputs, samples, mode="predict")[0].pred_pairs
    assert len(pairs) == NUM_QUERIES and pairs.verb_scores.shape == (NUM_QUERIES, NUM_VERBS)


def test_boxes_are_relative_to_the_point():
    """Box networks that say nothing put both boxes on the point; moving the point moves the boxes' centres alone."""
    inputs, samples = random_batch([1])
    model = conditional().eval()
    for mlp in (model.bbox_head.sub_box, model.bbox_head.obj_box):
        torch.nn.init.zeros_(mlp.layers[-1].weight)
        torch.nn.init.zeros_(mlp.layers[-1].bias)
    model.decoder.ref_point_head.layers[-1].bias.data = torch.tensor([1.0, -1.0])
    preds = model(inputs, samples, mode="tensor")
    points = model.decoder.interaction_points(model.query_embedding.weight[None]).sigmoid()
    for name in ("sub_boxes", "obj_boxes"):
        torch.testing.assert_close(preds[name][..., :2], preds["interaction_points"])
        torch.testing.assert_close(preds[name][..., 2:], torch.full_like(preds[name][..., 2:], 0.5))
    torch.testing.assert_close(preds["interaction_points"][-1], points)
    assert points[..., 0].mean() > 0.6 and points[..., 1].mean() < 0.4


def test_a_point_is_encoded_as_the_memory_there():
    model = conditional(dict(num_feats=16, normalize=True, temperature=20, scale=3.0)).eval()
    inputs, samples = random_batch([0, 0], sizes=[(64, 80), (96, 48)])
    memory = model.encode(inputs, samples)
    height, width = memory.spatial_shape
    y, x = 2, 0  # of the second image, which fills the height and a part of the width
    valid_width = (~memory.padding_mask[1].view(height, width)[0]).sum()
    points = torch.tensor([[(x + 1) / valid_width, (y + 1) / height]])  # mmdet counts pixels from 1
    seen = {}
    model.decoder._cross_pos = lambda pos, encoded, index, content: seen.update(encoded=encoded) or (pos, encoded)
    queries = model.learnable_queries(memory)
    model.decoder(queries, memory.projected["decoder"], points.logit().expand(2, NUM_QUERIES, 2))
    torch.testing.assert_close(seen["encoded"][1, 0], memory.pos[1, y * width + x], rtol=1e-4, atol=1e-4)
    assert not torch.allclose(seen["encoded"][1, 0], memory.pos[1, y * width + x + 1], atol=1e-2)


@pytest.mark.parametrize("encoding", (dict(num_feats=16), dict(num_feats=16, normalize=True, offset=-0.5)))
def test_encoding_that_does_not_fit_points_is_refused(encoding):
    with pytest.raises(ValueError, match="normalize=True and no offset"):
        conditional(encoding)


@pytest.mark.parametrize("kept", ("bbox", "verb"))
def test_gradients_reach_the_points(kept):
    """Box losses move the points directly; verb losses through the cross-attention alone."""
    model = conditional()
    losses = model(*random_batch([2, 1]), mode="loss")
    sum(value for name, value in losses.items() if kept in name).backward()
    for parameter in (*model.decoder.ref_point_head.parameters(), model.query_embedding.weight):
        assert torch.isfinite(parameter.grad).all() and parameter.grad.abs().sum() > 0


def test_batched_equals_single_in_spite_of_padding():
    assert_batched_equals_single(conditional().eval())


def test_order_of_queries_does_not_matter():
    inputs, samples = random_batch([3])
    model = conditional().eval()
    before, loss = model(inputs, samples, mode="tensor"), total(model(inputs, samples, mode="loss"))
    order = torch.randperm(NUM_QUERIES)
    model.query_embedding.weight.data = model.query_embedding.weight.data[order]
    after = model(inputs, samples, mode="tensor")
    for name, value in before.items():
        torch.testing.assert_close(after[name], value[:, :, order], rtol=1e-4, atol=1e-5)
    torch.testing.assert_close(total(model(inputs, samples, mode="loss")), loss, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("strategy", STRATEGIES)
@pytest.mark.parametrize("counts", ([2, 3], [0, 4], [0, 0], [NUM_QUERIES + 2, 1]))
def test_losses_are_finite_and_every_parameter_takes_part(strategy, counts):
    for iteration in range(len(STRATEGIES[strategy])):
        assert_every_parameter_takes_part(trainable(strategy, iteration), random_batch(counts, absent=1))


def test_shifted_boxes_choose_their_point(monkeypatch):
    """GBS knows nothing of points: a mined query's point is the decoder's function of the query, one per pair."""
    model = trainable("gbs", gbs=dict(shift=None))
    inputs, samples = random_batch([3, 2])
    queries = []
    forward = model.decoder.forward
    monkeypatch.setattr(model.decoder, "forward", lambda q, m, p: queries.append((q, p)) or forward(q, m, p))
    model(inputs, samples, mode="loss")
    ((joined, points),) = queries
    assert joined.groups == (NUM_QUERIES, 3)
    torch.testing.assert_close(points, model.decoder.ref_point_head(joined.pos))
    assert (torch.pdist(points[0, NUM_QUERIES:]) > 0).all()


def test_masking_nothing_repeats_the_learnable_pass():
    losses = trainable("amm", amm=dict(copies="all", gamma=0.0))(*random_batch([2, 1]), mode="loss")
    for name in ("loss_sub_bbox", "loss_obj_iou", "d0.loss_sub_iou"):
        torch.testing.assert_close(losses[f"amm.{name}"], losses[name])
    masked = trainable("amm", amm=dict(copies="all", gamma=0.9))(*random_batch([2, 1]), mode="loss")
    assert (masked["amm.loss_verb"] - losses["amm.loss_verb"]).abs() > 1e-6


def test_inference_with_mining_is_the_plain_detector(monkeypatch):
    assert_inference_is_plain(conditional().eval(), trainable("ajl").eval(), monkeypatch)


@pytest.mark.parametrize("dataset", ("hico", "vcoco", "hoia", "toy"))
def test_config_differs_from_qpic_in_type_and_from_hqm_in_the_fragment(dataset):
    plain, hqm = (Config.fromfile(CONFIGS / f"conditional{hqm}_{dataset}.py").to_dict() for hqm in ("", "_hqm"))
    assert hqm["model"].pop("query_mining") == hqm["query_mining"]
    assert {key for key in hqm if hqm[key] != plain.get(key)} == {"query_mining", "custom_hooks"}
    qpic = Config.fromfile(CONFIGS / f"qpic_{dataset}.py").to_dict()["model"]
    assert plain["model"].pop("type") == "ConditionalHOI" and qpic.pop("type") == "QPIC"
    assert plain["model"]["bbox_head"].pop("type") == "ConditionalHOIHead"
    qpic["bbox_head"].pop("type")
    assert plain["model"] == qpic


def test_only_the_decoder_has_other_parameters_than_qpic():
    own, qpic = conditional(), tiny_model()
    names = {name for name, _ in own.named_parameters()} ^ {name for name, _ in qpic.named_parameters()}
    assert names and all(name.startswith("decoder.") for name in names)


def test_learns_the_toy_set(tmp_path):
    """The HQM config, for some iterations: losses of learnable and of hard queries fall clearly."""
    for losses in train_on_toy_set(Config.fromfile(CONFIGS / "conditional_hqm_toy.py"), tmp_path):
        assert losses[-6:].mean() < 0.7 * losses[:6].mean()
