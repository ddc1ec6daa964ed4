"""Properties of CDN, plain and with HQM, that hold for any weights."""

import json
import subprocess
import sys
from pathlib import Path

import pytest
import torch

from hqm_mmdet.apis import build_model
from hqm_mmdet.models.layers import AttentionRecorder, QuerySet
from hqm_mmdet.models.query_mining import JitterBoxShift
from hqm_mmdet.models.query_mining.box_shift import aligned_iou
from tests.models.test_query_mining import STRATEGIES, mining
from tests.models.tiny import (
    NUM_QUERIES,
    NUM_VERBS,
    assert_batched_equals_single,
    assert_every_parameter_takes_part,
    assert_inference_is_plain,
    assert_mining_leaves_learnable_losses,
    random_batch,
    tiny_config,
    tiny_model,
    total,
)

ROOT = Path(__file__).parents[2]


def cdn(strategy=None, iteration=0, seed=0, gbs=None, amm=None, **options):
    """A tiny CDN; with a strategy, in the round of an iteration."""
    if strategy:
        options["query_mining"] = mining(strategy, gbs, amm)
    model = tiny_model(seed, type="CDN", **options).train()
    if strategy:
        model.query_mining.take_round(iteration)
    return model


def cross_attentions(model):
    return [layer.cross_attn for decoder in (model.decoder, model.interaction_decoder) for layer in decoder.layers]


@pytest.mark.parametrize("pair_layers,verb_layers,expected", ((2, 2, 2), (1, 3, 1), (3, 2, 2)))
def test_layers_are_paired_from_the_last_one(pair_layers, verb_layers, expected):
    config = tiny_config(type="CDN", interaction_decoder=dict(num_layers=verb_layers))
    config.model.decoder.num_layers = pair_layers
    model = build_model(config).eval()
    inputs, samples = random_batch([1, 2])
    preds = model(inputs, samples, mode="tensor")
    assert preds["verb_logits"].shape == (expected, 2, NUM_QUERIES, NUM_VERBS)
    assert preds["obj_boxes"].shape == (expected, 2, NUM_QUERIES, 4)
    losses = model(inputs, samples, mode="loss")
    assert ("d0.loss_verb" in losses) == (expected > 1) and torch.isfinite(total(losses))
    memory = model.encode(inputs, samples)
    queries = model.learnable_queries(memory)
    pair_states, _ = model.decode(queries, memory)
    torch.testing.assert_close(pair_states, model.decoder(queries, memory.projected["decoder"])[-expected:])


@pytest.mark.parametrize("post_norm", (True, False))
def test_interaction_queries_are_the_normalised_last_pair_states(post_norm, monkeypatch):
    model = cdn().eval()
    memory = model.encode(*random_batch([1]))
    queries = model.learnable_queries(memory)
    expected = model.decoder(queries, memory.projected["decoder"])[-1]
    queries.post_norm = post_norm
    seen = []
    monkeypatch.setattr(model.interaction_decoder, "forward", lambda q, memory: seen.append(q) or q.pos[None])
    model.decode(queries, memory)
    torch.testing.assert_close(seen[0].pos, expected)
    assert (seen[0].content == 0).all() and seen[0].post_norm == post_norm
    assert queries.pos is not seen[0].pos  # the caller's queries stay what they are


def test_memory_is_projected_once_for_all_query_sets(monkeypatch):
    model, projected = cdn("pjl"), []
    for name in model.DECODERS:
        original = getattr(model, name).project
        monkeypatch.setattr(
            getattr(model, name), "project", lambda memory, n=name, o=original: projected.append(n) or o(memory)
        )
    model(*random_batch([2, 1]), mode="loss")
    assert projected == ["decoder", "interaction_decoder"]


def test_verb_loss_teaches_the_pair_decoder():
    model = cdn()
    model(*random_batch([2]), mode="loss")["loss_verb"].backward()
    for module in (model.query_embedding, model.decoder, model.interaction_decoder):
        assert all(p.grad.abs().sum() > 0 for name, p in module.named_parameters() if name.endswith("norms.2.weight"))
    assert model.query_embedding.weight.grad.abs().sum() > 0


def test_box_loss_does_not_reach_the_interaction_decoder():
    model = cdn()
    model(*random_batch([2]), mode="loss")["loss_sub_bbox"].backward()
    assert all(p.grad is None or not p.grad.any() for p in model.interaction_decoder.parameters())


def test_both_decoders_are_initialised_alike():
    model = cdn()
    for name, tensor in model.decoder.state_dict().items():
        other = model.interaction_decoder.state_dict()[name]
        assert tensor.shape == other.shape
        if tensor.dim() > 1:  # xavier: uniform, not copied
            torch.testing.assert_close(tensor.std(), other.std(), rtol=0.15, atol=0)
            assert not torch.equal(tensor, other)


def test_batched_equals_single_in_spite_of_padding():
    assert_batched_equals_single(cdn().eval())


def test_order_of_queries_and_pairs_does_not_matter():
    inputs, samples = random_batch([4])
    model = cdn().eval()
    loss = total(model(inputs, samples, mode="loss"))
    model.query_embedding.weight.data = model.query_embedding.weight.data.flip(0)
    samples[0].gt_pairs = samples[0].gt_pairs[torch.tensor([2, 0, 3, 1])]
    torch.testing.assert_close(total(model(inputs, samples, mode="loss")), loss, rtol=1e-4, atol=1e-5)


def test_hard_sets_are_the_same_batched_and_alone():
    """Neither the padding of images nor that of pairs leaks into hard queries, through both decoders."""
    sizes = [(64, 80), (96, 48)]
    inputs, samples = random_batch([1, 4], sizes=sizes)
    for strategy, options in (("gbs", dict(gbs=dict(shift=None))), ("amm", dict(amm=dict(gamma=0.0)))):
        model = cdn(strategy, **options).eval()
        batched = model.bbox_head(model.decode(*hard_set(model, inputs, samples)))
        for i, (height, width) in enumerate(sizes):
            alone = hard_set(model, inputs[i : i + 1, :, :height, :width], samples[i : i + 1])
            count = len(samples[i].gt_pairs)
            for name, value in model.bbox_head(model.decode(*alone)).items():
                torch.testing.assert_close(batched[name][:, i, :count], value[:, 0], rtol=1e-4, atol=1e-4)


def hard_set(model, inputs, samples):
    """The hard queries that a training step would decode, and their memory."""
    for sample in samples:
        sample.set_metainfo(dict(batch_input_shape=tuple(inputs.shape[-2:])))
    caught = []
    original = model.decode
    model.decode = lambda queries, memory: caught.append((queries, memory)) or original(queries, memory)
    with torch.no_grad():
        model(inputs, samples, mode="loss")
    model.decode = original
    queries, memory = caught[-1]
    if not queries.groups:
        assert len(caught) == 2
        return queries, memory
    first = slice(queries.groups[0], None)  # decoded beside the learnable ones
    padding = None if queries.padding_mask is None else queries.padding_mask[:, first]
    return QuerySet(queries.content[:, first], queries.pos[:, first], padding), memory


@pytest.mark.parametrize("strategy", (None, *STRATEGIES))
@pytest.mark.parametrize("counts", ([2, 3], [0, 4], [0, 0], [NUM_QUERIES + 2, 1]))
def test_losses_are_finite_and_every_parameter_takes_part(strategy, counts):
    for iteration in range(2 if strategy == "ajl" else 1):
        assert_every_parameter_takes_part(cdn(strategy, iteration), random_batch(counts, absent=1))


def test_masks_come_from_the_learnable_pass_of_the_same_layer_of_the_same_decoder(monkeypatch):
    model, drawn = cdn("amm"), []

    def record(logits, *args, **kwargs):
        drawn.extend(logits)  # of all layers of all decoders at once
        return torch.zeros_like(logits, dtype=torch.bool)

    monkeypatch.setattr("hqm_mmdet.models.query_mining.amm.draw_drop_mask", record)
    inputs, samples = random_batch([2, 2])
    model(inputs, samples, mode="loss")
    memory = model.encode(inputs, samples)
    queries = model.learnable_queries(memory)
    queries.recorder = AttentionRecorder()
    preds = model.bbox_head(model.decode(queries, memory))
    assigned = model.bbox_head.assign(preds, model.bbox_head.targets(samples))
    keys = [keys for decoder in memory.projected.values() for keys, _ in decoder.keys_values]
    attentions = cross_attentions(model)
    assert list(queries.recorder.queries) == attentions and len(drawn) == len(attentions)
    for attention, key, logits in zip(attentions, keys, drawn, strict=True):
        expected = attention.logits(queries.recorder.queries[attention], key)
        for image in range(2):
            query, target = (rows[-1, assigned.image == image] for rows in (assigned.query, assigned.target))
            torch.testing.assert_close(logits[image], expected[image][:, query[target.argsort()]])


def test_masked_pair_states_are_the_positions_of_masked_interaction_queries(monkeypatch):
    model, passes = cdn("amm", amm=dict(gamma=0.9)), []
    original = model.interaction_decoder.forward
    monkeypatch.setattr(model.interaction_decoder, "forward", lambda q, m: passes.append(q) or original(q, m))
    model(*random_batch([NUM_QUERIES]), mode="loss")
    learnable, masked = passes
    assert masked.rule is not learnable.rule and masked.padding_mask is None
    distance = (masked.pos[0, :, None] - learnable.pos[0]).norm(dim=-1)
    assert distance.min() > 1e-4  # not positions of the learnable pass


def test_unmasked_copies_of_all_queries_repeat_the_learnable_pass():
    losses = cdn("amm", amm=dict(copies="all", gamma=0.0))(*random_batch([2, 1]), mode="loss")
    for name in ("loss_sub_bbox", "loss_obj_iou", "d0.loss_sub_iou"):
        torch.testing.assert_close(losses[f"amm.{name}"], losses[name])


def test_learnable_losses_do_not_depend_on_mining():
    for strategy in STRATEGIES:
        assert_mining_leaves_learnable_losses(cdn(), cdn(strategy), random_batch([2, 1]))


def test_inference_is_the_plain_detector(monkeypatch):
    assert_inference_is_plain(cdn().eval(), cdn("ajl", seed=1).eval(), monkeypatch)


def test_verb_weight_scales_verb_losses_of_hard_queries_only():
    batch = random_batch([3])
    options = dict(shift=None, loss_weight=0.5)
    once = cdn("gbs", gbs=options)(*batch, mode="loss")
    twice = cdn("gbs", gbs=dict(options, verb_weight=2.0))(*batch, mode="loss")
    for name, value in once.items():
        factor = 2 if name in ("gbs.loss_verb", "gbs.d0.loss_verb") else 1
        torch.testing.assert_close(twice[name], factor * value)


def test_jitter_stays_close_and_absent_boxes_stay_absent():
    torch.manual_seed(0)
    boxes = torch.cat([0.4 + 0.2 * torch.rand(2, 50, 2), 0.1 + 0.2 * torch.rand(2, 50, 2)], -1)
    boxes[:, 0] = 0
    moved, _ = JitterBoxShift()(boxes, boxes, torch.ones(2, 4))
    assert (moved[:, 0] == 0).all()
    iou = aligned_iou(boxes[:, 1:], moved[:, 1:])
    assert iou.min() >= 0.64 - 1e-6 and iou.max() < 1


@pytest.mark.parametrize("strategy", (None, "ajl"))
def test_loss_falls_when_trained_on_one_batch(strategy):
    batch, model, history = random_batch([2, 1]), cdn(strategy), []
    optimizer = torch.optim.AdamW(model.parameters(), 1e-3)
    for iteration in range(60):
        if strategy:
            model.query_mining.take_round(iteration)
        losses = model(*batch, mode="loss")
        optimizer.zero_grad()
        total(losses).backward()
        optimizer.step()
        history.append(total(losses).item())
    assert sum(history[-2:]) < 0.5 * sum(history[:2])


def test_two_processes_compute_what_one_does_in_spite_of_a_rank_without_pairs():
    """DistributedDataParallel without find_unused_parameters, alternate joint learning, gloo."""
    command = [sys.executable, "-m", "tests.models.one_and_two_processes", "CDN"]
    run = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=300)
    assert run.returncode == 0, run.stderr
    report = json.loads(run.stdout.splitlines()[-1])
    assert report["rounds"] == ["gbs", "amm", "gbs", "amm"]
    for single, double in zip(report["single"], report["double"], strict=True):
        assert double == pytest.approx(single, rel=1e-3)
    assert len({norm for norm, _ in report["single"]}) == 4  # the weights do change
