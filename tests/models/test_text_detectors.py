"""GEN-VLKT and HOICLIP: shapes, batches, mining, errors."""

import pytest
import torch

from hqm_mmdet.apis import build_model
from hqm_mmdet.errors import ConfigError
from hqm_mmdet.models.layers import QuerySet, split_pairs
from tests.models.tiny import (
    NUM_CLASSES,
    NUM_QUERIES,
    assert_batched_equals_single,
    assert_every_parameter_takes_part,
    assert_inference_is_plain,
    assert_mining_leaves_learnable_losses,
    losses_of_one_batch,
    random_batch,
)
from tests.models.tiny_text import CONFIGS, DIMS, tiny_genvlkt_config, tiny_hoiclip_config

NUM_HOIS = 7
GBS = dict(type="GBSQueryGenerator", embed_dims=2 * DIMS)
AMM = dict(type="AMMQueryGenerator", top_k=20)
STRATEGIES = dict(gbs=[["gbs"]], amm=[["amm"]], ajl=[["gbs"], ["amm"]], pjl=[["gbs", "amm"]], cjl=[[["gbs", "amm"]]])


def mining(strategy="ajl", **amm):
    return dict(type="JointLearning", miners=dict(gbs=GBS, amm=dict(AMM, **amm)), rounds=STRATEGIES[strategy])


def built(name, seed=0, **options):
    torch.manual_seed(seed)
    return build_model(CONFIGS[name](**options)).train()


@pytest.mark.parametrize("name", CONFIGS)
def test_outputs(name):
    model = built(name).eval()
    inputs, samples = random_batch([1, 2])
    preds = model(inputs, samples, mode="tensor")
    assert preds["hoi_logits"].shape == (2, 2, NUM_QUERIES, NUM_HOIS)
    assert preds["obj_logits"].shape == (2, 2, NUM_QUERIES, NUM_CLASSES + 1)
    for field in ("sub_boxes", "obj_boxes"):
        assert preds[field].shape == (2, 2, NUM_QUERIES, 4)
        assert ((preds[field] >= 0) & (preds[field] <= 1)).all()
    pairs = model(inputs, samples, mode="predict")[0].pred_pairs
    assert pairs.hoi_scores.shape == (NUM_QUERIES, NUM_HOIS) and "verb_scores" not in pairs


@pytest.mark.parametrize("name", CONFIGS)
def test_batched_equals_single(name):
    """HOICLIP too: unlike the official code's, its interaction decoder does not read padding."""
    assert_batched_equals_single(built(name).eval())


def test_released_interaction_decoder_reads_padding():
    model = build_model(tiny_hoiclip_config()).eval()
    model.interaction_decoder.mask_padding = False
    with pytest.raises(AssertionError):
        assert_batched_equals_single(model)


@pytest.mark.parametrize("name", CONFIGS)
@pytest.mark.parametrize("strategy", STRATEGIES)
@pytest.mark.parametrize("counts", ([2, 3], [0, 4], [0, 0], [NUM_QUERIES + 2, 1]))
def test_losses_are_finite_and_every_parameter_takes_part(name, strategy, counts):
    for iteration in range(len(STRATEGIES[strategy])):
        model = built(name, query_mining=mining(strategy))
        model.query_mining.take_round(iteration)
        assert_every_parameter_takes_part(model, random_batch(counts))


@pytest.mark.parametrize("name", CONFIGS)
@pytest.mark.parametrize("renormalise", (True, False))
def test_masking_after_the_softmax_and_without_norm(name, renormalise):
    model = built(name, query_mining=mining("amm", renormalise=renormalise, post_norm=False))
    model.query_mining.take_round(0)
    assert_every_parameter_takes_part(model, random_batch([2, 1]))


@pytest.mark.parametrize("name", CONFIGS)
def test_mining_leaves_learnable_losses(name):
    plain, mined = built(name), built(name, query_mining=mining("pjl"))
    assert_mining_leaves_learnable_losses(plain, mined, random_batch([2, 1]))


@pytest.mark.parametrize("name", CONFIGS)
def test_inference_is_plain(name, monkeypatch):
    assert_inference_is_plain(built(name).eval(), built(name, query_mining=mining()).eval(), monkeypatch)


@pytest.mark.parametrize("name", CONFIGS)
def test_masking_nothing_copies_the_matched_queries(name):
    """Without a dropped position, the copies alone in the decoder are what N_g queries that see each other give."""
    model = built(name, query_mining=mining("amm", gamma=0.0))
    model.query_mining.take_round(0)
    batch = random_batch([NUM_QUERIES, NUM_QUERIES])  # as many pairs as queries: the copies are a permutation
    losses = model(*batch, mode="loss")
    for term in ("loss_sub_bbox", "loss_obj_iou"):
        torch.testing.assert_close(losses[f"amm.{term}"], losses[term], rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("name", CONFIGS)
def test_mining_in_half_precision(name):
    model = built(name, query_mining=mining("pjl"))
    with torch.autocast("cpu", dtype=torch.bfloat16):
        losses = model(*random_batch([2, 0]), mode="loss")
    assert all(torch.isfinite(value) for value in losses.values())
    sum(losses.values()).backward()


@pytest.mark.parametrize("name", CONFIGS)
def test_learns_one_batch(name):
    history = losses_of_one_batch(built(name), random_batch([2, 1]), lr=2e-3, steps=40)
    assert history[-1] < 0.5 * history[0]


def test_permuting_images_permutes_predictions():
    model = built("hoiclip").eval()
    inputs, samples = random_batch([1, 1, 1])
    order = [2, 0, 1]
    expected = model(inputs, samples, mode="tensor")
    permuted = model(inputs[order], [samples[i] for i in order], mode="tensor")
    for name, value in expected.items():
        torch.testing.assert_close(permuted[name], value[:, order], rtol=1e-4, atol=1e-4)


def test_clip_does_not_learn_and_stays_in_evaluation_mode():
    model = built("hoiclip")
    assert not model.clip.training and not any(p.requires_grad for p in model.clip.parameters())


def test_inference_of_genvlkt_needs_no_clip(monkeypatch):
    model = built("genvlkt").eval()
    monkeypatch.setattr(type(model.mimic_clip), "forward", lambda *args: pytest.fail("CLIP ran in inference"))
    model(*random_batch([1]), mode="predict")


def test_depths_must_agree():
    with pytest.raises(ConfigError, match="decoder has 2, interaction_decoder 3"):
        build_model(tiny_genvlkt_config(interaction_decoder=dict(num_layers=3)))


def test_miner_of_a_detector_with_one_query_per_pair():
    narrow = dict(mining("gbs"), miners=dict(gbs=dict(GBS, embed_dims=DIMS)))
    model = built("genvlkt", query_mining=narrow)
    model.query_mining.take_round(0)
    with pytest.raises(ConfigError, match=r"64 channels.*queries have 32.*ajl_two_roles"):
        model(*random_batch([1]), mode="loss")


def test_a_rule_sees_pairs():
    """What it drops for a pair's two maps, the subject's heads before the object's, reaches the right queries."""
    batch, heads, pairs, positions, width = 2, 3, 4, 5, 8
    queries = torch.randn(batch, heads, 2 * pairs, width)
    keys = torch.randn(batch, heads, positions, width)

    class Largest:
        renormalise = True

        def __call__(self, attention, queries, keys, mask):
            assert queries.shape == (batch, 2 * heads, pairs, width)
            logits = queries @ keys.transpose(-2, -1)
            return logits == logits.amax(-1, keepdim=True)

    content = torch.zeros(batch, pairs, 2 * width)
    split = split_pairs(QuerySet(content, content, rule=Largest()))
    logits = queries @ keys.transpose(-2, -1)
    assert torch.equal(split.rule(None, queries, keys, None), logits == logits.amax(-1, keepdim=True))


def test_options_about_verbs_are_refused():
    cfg = tiny_hoiclip_config()
    cfg.model.bbox_head.verb_prior = 0.02
    with pytest.raises(ConfigError, match="bbox_head.verb_prior is for heads that score verbs"):
        build_model(cfg)
