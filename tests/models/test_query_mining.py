"""Mining: what is masked, who stands for whom, and that inference is the plain detector."""

import pytest
import torch

from hqm_mmdet.errors import ConfigError
from hqm_mmdet.models.query_mining import AMMQueryGenerator, LearnablePass, MaskRule, draw_drop_mask
from hqm_mmdet_cli.errors import is_user_error
from tests.models.tiny import (
    NUM_QUERIES,
    assert_every_parameter_takes_part,
    assert_inference_is_plain,
    assert_mining_leaves_learnable_losses,
    random_batch,
    tiny_model,
)

GBS = dict(type="GBSQueryGenerator", embed_dims=32)
AMM = dict(type="AMMQueryGenerator", top_k=20)
STRATEGIES = dict(gbs=[["gbs"]], amm=[["amm"]], ajl=[["gbs"], ["amm"]], pjl=[["gbs", "amm"]], cjl=[[["gbs", "amm"]]])


def mining(strategy="ajl", gbs=None, amm=None, **options):
    miners = dict(gbs=dict(GBS, **(gbs or {})), amm=dict(AMM, **(amm or {})))
    return dict(type="JointLearning", miners=miners, rounds=STRATEGIES[strategy], **options)


def trainable(strategy="ajl", iteration=0, **options):
    model = tiny_model(query_mining=mining(strategy, **options)).train()
    model.query_mining.take_round(iteration)
    return model


def logits(batch=2, heads=3, queries=4, tokens=50, valid=(50, 30)):
    torch.manual_seed(0)
    values = torch.randn(batch, heads, queries, tokens)
    for image, count in zip(values, valid, strict=True):
        image[..., count:] = float("-inf")
    return values


class TestDropMask:
    def test_exact_share_of_the_largest(self):
        values = logits()
        dropped = draw_drop_mask(values, top_k=20, gamma=0.4)
        assert (dropped.sum(-1) == 8).all()
        smallest_candidate = values.topk(20).values[..., -1:]
        assert (values[dropped] >= smallest_candidate.expand_as(values)[dropped]).all()

    @pytest.mark.parametrize("top_k,gamma", ((100, 0.4), (100, 0.99), (1, 0.5), (40, 0.9)))
    def test_small_maps_and_padding_keep_something(self, top_k, gamma):
        values = logits(valid=(50, 3))
        dropped = draw_drop_mask(values, top_k, gamma)
        valid = torch.isfinite(values)
        assert not (dropped & ~valid).any()
        assert ((valid & ~dropped).sum(-1) > 0).all()
        expected = (gamma * valid.sum(-1).clamp(max=top_k) + 1e-6).long()
        assert (dropped.sum(-1) == expected).all()

    def test_heads_and_queries_draw_independently(self):
        values = torch.arange(40.0).expand(1, 8, 6, 40)
        dropped = draw_drop_mask(values, 20, 0.5).flatten(0, 2)
        assert len(torch.unique(dropped, dim=0)) > 40

    def test_shared_draw_uses_the_same_ranks_everywhere(self):
        values = logits(valid=(50, 50))
        dropped = draw_drop_mask(values, 20, 0.4, shared=True)
        ranks = dropped.gather(-1, values.topk(20).indices)
        assert (ranks == ranks[:1, :1, :1]).all() and ranks[0, 0, 0].sum() == 8

    def test_every_candidate_is_dropped_equally_often(self):
        values = torch.arange(10.0).expand(1, 1, 20000, 10)
        share = draw_drop_mask(values, 5, 0.4).float().mean(2)[0, 0]
        torch.testing.assert_close(share, torch.tensor([0.0] * 5 + [0.4] * 5), atol=0.02, rtol=0)


@pytest.mark.parametrize("strategy", STRATEGIES)
@pytest.mark.parametrize("counts", ([2, 3], [0, 4], [0, 0], [NUM_QUERIES + 2, 1]))
def test_losses_are_finite_and_every_parameter_takes_part(strategy, counts):
    for iteration in range(2):
        assert_every_parameter_takes_part(trainable(strategy, iteration), random_batch(counts, absent=1))


@pytest.mark.parametrize(
    "strategy,prefixes", (("gbs", {"gbs"}), ("amm", {"amm"}), ("pjl", {"gbs", "amm"}), ("cjl", {"gbs_amm"}))
)
def test_losses_are_named_after_their_chain(strategy, prefixes):
    losses = trainable(strategy)(*random_batch([2]), mode="loss")
    hard = {name.split(".")[0] for name in losses if name.split(".")[0] not in ("d0",) and "." in name}
    assert hard == prefixes


def test_rounds_alternate():
    model = trainable("ajl")
    for iteration, miner in enumerate(("gbs", "amm", "gbs", "amm")):
        model.query_mining.take_round(iteration)
        assert any(name.startswith(miner) for name in model(*random_batch([1]), mode="loss"))


def test_alternating_model_without_hook_is_an_error():
    model = tiny_model(query_mining=mining("ajl"))
    with pytest.raises(RuntimeError, match="AJLHook") as raised:
        model(*random_batch([1]), mode="loss")
    assert is_user_error(raised.value)  # tools tell it in one message


def test_learnable_losses_do_not_depend_on_mining():
    for strategy in STRATEGIES:
        assert_mining_leaves_learnable_losses(tiny_model(), trainable(strategy), random_batch([2, 1]))


def test_hard_loss_weight_scales_hard_losses_only():
    batch = random_batch([3])
    full = trainable("gbs", gbs=dict(shift=None))(*batch, mode="loss")
    half = trainable("gbs", gbs=dict(shift=None, loss_weight=0.5))(*batch, mode="loss")
    for name, value in full.items():
        torch.testing.assert_close(half[name], value * (0.5 if name.startswith("gbs") else 1.0))


def test_unmasked_copies_of_all_queries_repeat_the_learnable_pass():
    """With nothing dropped, AMM over all queries gives the learnable losses, less background."""
    losses = trainable("amm", amm=dict(copies="all", gamma=0.0))(*random_batch([2, 1]), mode="loss")
    for name in ("loss_sub_bbox", "loss_obj_iou", "d0.loss_sub_iou"):
        torch.testing.assert_close(losses[f"amm.{name}"], losses[name])


@pytest.mark.parametrize("renormalise", (True, False))
def test_masked_positions_get_no_attention(renormalise):
    model = trainable("amm")
    memory = model.encode(*random_batch([1]))
    queries = model.learnable_queries(memory)
    layer = model.decoder.layers[0].cross_attn
    keys, values = memory.projected["decoder"].keys_values[0]
    drop = torch.zeros(1, layer.num_heads, NUM_QUERIES, keys.shape[2], dtype=torch.bool)
    drop[..., ::3] = True

    class Rule:
        def __init__(self):
            self.renormalise = renormalise

        def __call__(self, *args):
            return drop

    changed = values.clone()
    changed[:, :, ::3] = 1e3
    args = (queries.content, queries.pos, None, Rule())
    expected = layer(args[0], (keys, values), *args[1:])
    torch.testing.assert_close(layer(args[0], (keys, changed), *args[1:]), expected)
    weights = layer.weights(layer.queries(*args[:2]), keys)
    kept = weights.masked_fill(drop, 0)
    kept = kept / kept.sum(-1, keepdim=True) if renormalise else kept
    torch.testing.assert_close(expected, layer._add(args[0], kept @ values), atol=1e-5, rtol=1e-4)


@pytest.fixture
def calls(monkeypatch):
    """What mask rules were asked and answered, (rule, attention, queries, keys, mask, dropped) each."""
    seen, original = [], MaskRule.__call__

    def watch(rule, *args):
        answer = original(rule, *args)
        # as a kernel takes it, it holds the padding, too
        dropped = answer
        if answer.is_floating_point():
            dropped = answer.isneginf() if args[-1] is None else answer.isneginf() & args[-1]
        seen.append((rule, *args, dropped))
        return answer

    monkeypatch.setattr(MaskRule, "__call__", watch)
    return seen


class TestReferences:
    """Whose attention decides what is dropped; the second image is padded."""

    BATCH = random_batch([2, 3], sizes=[(64, 80), (96, 48)])
    TOP_K, GAMMA = 10, 0.5

    def train(self, reference, strategy="amm"):
        model = trainable(strategy, amm=dict(reference=reference, top_k=self.TOP_K, gamma=self.GAMMA))
        losses = model(*self.BATCH, mode="loss")
        assert torch.isfinite(sum(losses.values()))

    @pytest.mark.parametrize("strategy", ("amm", "cjl"))
    def test_own_drops_among_the_positions_that_the_hard_query_itself_looks_at_most(self, calls, strategy):
        self.train("own", strategy)
        assert len(calls) == 2  # decoder layers
        for _, attention, queries, keys, mask, dropped in calls:
            logits = attention.logits(queries, keys, mask)
            largest = torch.zeros_like(dropped).scatter_(-1, logits.topk(self.TOP_K).indices, True)
            assert (dropped.sum(-1) == self.GAMMA * self.TOP_K).all() and not (dropped & ~largest).any()

    @pytest.mark.parametrize("strategy", ("amm", "cjl"))
    def test_learnable_drops_among_the_positions_of_the_query_matched_to_the_pair(self, calls, strategy):
        self.train("learnable", strategy)
        outside = 0
        for rule, attention, queries, keys, mask, dropped in calls:
            source = rule.source[:, None, :, None].expand(-1, queries.shape[1], -1, queries.shape[3])
            logits = attention.logits(rule.recorder.queries[attention].gather(2, source), keys, mask)
            largest = torch.zeros_like(dropped).scatter_(-1, logits.topk(self.TOP_K).indices, True)
            assert (dropped.sum(-1) == self.GAMMA * self.TOP_K).all() and not (dropped & ~largest).any()
            own = attention.logits(queries, keys, mask).topk(self.TOP_K).indices
            outside += (dropped & ~torch.zeros_like(dropped).scatter_(-1, own, True)).sum()
        assert outside > 0 or strategy == "amm"  # a shifted query looks elsewhere itself

    def test_random_drops_the_share_of_all_valid_positions_wherever_a_query_looks(self, calls):
        self.train("random")
        for _, attention, queries, keys, mask, dropped in calls:
            valid = mask.expand_as(dropped)
            assert not (dropped & ~valid).any()
            assert torch.equal(dropped.sum(-1), (self.GAMMA * valid.sum(-1) + 1e-6).long())
            logits = attention.logits(queries, keys, mask)
            largest = torch.zeros_like(dropped).scatter_(-1, logits.topk(self.TOP_K).indices, True)
            assert (dropped & largest)[valid & largest].float().mean() == pytest.approx(self.GAMMA, abs=0.1)


class TestMinersLeaveTheirInputsAlone:
    def test_the_second_of_a_chain_makes_a_new_set(self):
        model = trainable("cjl", amm=dict(loss_weight=0.3, post_norm=False), gbs=dict(verb_weight=2.0))
        learnable = learnable_pass(model, random_batch([2, 1]))
        gbs, amm = model.query_mining.miners.values()
        first = gbs(learnable)
        before = dict(vars(first))
        second = amm(learnable, first)
        assert vars(first) == before and second is not first
        assert first.rule is None and first.post_norm and first.loss_weight == 1.0
        assert second.rule is not None and not second.post_norm and second.loss_weight == 0.3
        assert second.pos is first.pos and second.verb_weight == 2.0

    def test_the_learnable_queries_are_not_watched_unless_asked(self):
        for strategy, recorded in (("gbs", False), ("amm", True)):
            model = trainable(strategy)
            queries = model.learnable_queries(model.encode(*random_batch([1])))
            prepared = model.query_mining.prepare(queries)
            assert queries.recorder is None and (prepared.recorder is not None) == recorded and prepared.rule is None

    def test_ranking_what_was_not_recorded_is_an_error(self):
        model = trainable("amm")
        learnable = learnable_pass(model, random_batch([1]))
        learnable.queries.recorder = None
        with pytest.raises(ValueError, match="AttentionRecorder"):
            model.query_mining(learnable)


def learnable_pass(model, batch):
    """As a training step makes it."""
    memory = model.encode(*batch)
    queries = model.query_mining.prepare(model.learnable_queries(memory))
    preds = model.bbox_head(model.decode(queries, memory))
    targets = model.bbox_head.targets(batch[1])
    return LearnablePass(queries, memory, targets, model.bbox_head.assign(preds, targets))


@pytest.mark.parametrize("reference", ("own", "random"))
def test_masked_learnable_queries_go_with_ordinary_rounds(calls, reference):
    """The learnable pass is masked in every round, and recorded for the miner that ranks its attention."""
    miners = dict(gbs=GBS, amm=AMM, mask=dict(AMM, reference=reference))
    options = dict(type="JointLearning", miners=miners, rounds=[["gbs"], ["amm"]], mask_learnable="mask")
    model, batch = tiny_model(query_mining=options), random_batch([2, 1])
    plain = tiny_model()
    plain.load_state_dict(model.state_dict(), strict=False)
    expected = plain(*batch, mode="loss")
    for iteration, (name, rules) in enumerate((("gbs", ["mask"] * 2), ("amm", ["mask"] * 2 + ["amm"] * 2))):
        calls.clear()
        model.query_mining.take_round(iteration)
        losses = model(*batch, mode="loss")
        assert [call[0].settings for call in calls] == [model.query_mining.miners[rule] for rule in rules]
        assert {key.split(".")[0] for key in losses if key not in expected} == {name}
        assert all(losses[key] != expected[key] for key in ("loss_verb", "loss_sub_bbox"))
        assert_every_parameter_takes_part(model, batch)


@pytest.mark.parametrize("detector", ("QPIC", "CDN", "ConditionalHOI"))
def test_queries_that_go_through_the_decoder_together_get_what_each_gets_alone(detector):
    """Shifted boxes are decoded beside the learnable queries; a detector that can't decodes them by themselves."""
    model, batch = tiny_model(type=detector, query_mining=mining("gbs")), random_batch([2, 3], absent=1)
    passes, decode = [], model.decode
    model.decode = lambda queries, memory: passes.append(queries.groups) or decode(queries, memory)
    losses = []
    for model.JOINS_QUERIES in (True, False):
        torch.manual_seed(0)  # how boxes are shifted
        losses.append(model(*batch, mode="loss"))
    assert passes == [(NUM_QUERIES, 3), (), ()]
    for name, value in losses[1].items():
        torch.testing.assert_close(losses[0][name], value, msg=name)


def test_masking_the_learnable_queries_themselves_needs_no_hard_set():
    options = dict(mining("ajl", amm=dict(reference="own")), rounds=[[]], mask_learnable="amm")
    model = tiny_model(query_mining=options).train()
    batch = random_batch([2])
    losses = model(*batch, mode="loss")
    assert not any(name.startswith(("gbs", "amm")) for name in losses)
    plain = tiny_model()
    plain.load_state_dict(model.state_dict(), strict=False)
    assert sum(losses.values()) != sum(plain(*batch, mode="loss").values())


def test_inference_is_the_plain_detector(monkeypatch):
    assert_inference_is_plain(tiny_model().eval(), trainable("ajl").eval(), monkeypatch)


@pytest.mark.parametrize(
    "options", (dict(gamma=1.0), dict(gamma=-0.1), dict(top_k=0), dict(copies="none"), dict(reference="other"))
)
def test_bad_options_are_refused(options):
    with pytest.raises(ConfigError, match="AMM's"):
        AMMQueryGenerator(**options)


@pytest.mark.parametrize(
    "options,message",
    (
        (dict(rounds=[["other"]]), r"no miner 'other'; miners are \['amm', 'gbs'\]"),
        (dict(mask_learnable="other"), r"no miner 'other'; miners are \['amm', 'gbs'\]"),
        (dict(rounds=[]), "rounds is empty"),
        (dict(rounds=[[["amm", "gbs"]]]), "first miner"),
        (dict(rounds=[[[]]]), "empty"),
        (dict(rounds=[["gbs", "gbs"]]), "same name"),
        (dict(mask_learnable="gbs"), "reference='own'"),
        (dict(mask_learnable="amm"), "reference='own'"),
    ),
)
def test_what_cannot_be_mined_is_refused_when_built(options, message):
    with pytest.raises(ConfigError, match=message):
        tiny_model(query_mining=dict(mining("gbs"), **options))
