"""Hard positives for UPT and PViC: shifted boxes and masked attention through the miners of the other detectors."""

import copy

import pytest
import torch

from hqm_mmdet.models.pair_transformers import pair_up
from hqm_mmdet.models.pair_transformers.hard_pairs import UNMATCHED_SCORE, best_candidates, shifted_candidates
from hqm_mmdet.models.query_mining import LearnablePass
from hqm_mmdet.models.task_modules import PairTargets
from tests.models.pair_transformers.small import MINING, USUAL, batch, detections, small_model
from tests.models.two_stage.test_given_boxes import provider_of


@pytest.fixture(scope="module", params=("upt", "pvic"))
def method(request):
    return request.param


def mined_model(method, **changes):
    return small_model(method, **{"model.query_mining": {**copy.deepcopy(MINING), **changes}}).train()


@pytest.fixture(scope="module")
def model(method):
    return mined_model(method)


def losses_of(model, *images, round_=0):
    model.query_mining.take_round(round_)
    model.zero_grad()
    losses = model(*batch(*images), mode="loss")
    total, _ = model.parse_losses(losses)
    total.backward()
    assert all(p.grad is not None and p.grad.isfinite().all() for p in model.bbox_head.parameters())
    assert all(p.grad is not None for p in model.query_mining.parameters())  # or DistributedDataParallel waits
    return {name: value.item() for name, value in losses.items()}


def test_rounds_alternate_and_inference_does_not_know_of_them(model, method):
    plain = small_model(method)
    for round_, name in enumerate(("gbs", "amm")):
        losses = losses_of(model, USUAL, round_=round_)
        assert set(losses) == {"loss_verb", f"{name}.loss_verb"} and losses[f"{name}.loss_verb"] > 0
    plain.load_state_dict(model.state_dict(), strict=False)
    with torch.no_grad():
        ours, theirs = (each.eval()(*batch(USUAL), mode="predict")[0].pred_pairs for each in (model, plain))
    assert torch.equal(ours.verb_scores, theirs.verb_scores)
    model.train()


@pytest.mark.parametrize("rounds", ([["gbs", "amm"]], [[["gbs", "amm"]]]))
def test_parallel_and_cascaded(method, rounds):
    losses = losses_of(mined_model(method, rounds=rounds), USUAL, USUAL[[0, 1]])
    assert len(losses) == 1 + len(rounds[0])


@pytest.mark.parametrize("round_", (0, 1))
def test_images_without_pairs_or_candidates(model, round_):
    model.query_mining.take_round(round_)
    far = detections([[60, 0, 80, 10], [0, 50, 9, 64]], [0, 1])  # overlaps no labelled pair
    for images in ((USUAL[[1]],), (USUAL[[1]], USUAL), (far,), (detections([], [], []),)):
        losses_of(model, *images, round_=round_)
    inputs, samples = batch(USUAL)
    samples[0].gt_pairs = samples[0].gt_pairs[:0]
    losses = model(inputs, samples, mode="loss")
    assert all(value.isfinite() for value in losses.values())


def test_a_pair_without_object_makes_no_hard_pair(model):
    inputs, samples = batch(USUAL)
    samples[0].gt_pairs.obj_bboxes, samples[0].gt_pairs.obj_labels = torch.zeros(1, 4), torch.tensor([8])
    for round_ in (0, 1):
        model.query_mining.take_round(round_)
        losses = model(inputs, samples, mode="loss")
        assert all(value.isfinite() for value in losses.values())
        assert losses[("gbs", "amm")[round_] + ".loss_verb"] == 0


def the_pass(model, *images):
    inputs, samples = batch(*images)
    scenes = model.extract_feat(inputs, samples)
    candidates, memory = pair_up(scenes), model.bbox_head.read_maps(scenes)
    overlaps = model.bbox_head.overlaps(candidates, samples)
    queries = model.bbox_head.encode(candidates, memory)
    matched = best_candidates(overlaps, 1)
    return scenes, candidates, LearnablePass(queries, memory, PairTargets.from_samples(samples), matched)


def test_shifted_pairs_have_the_wanted_overlap_and_the_scores_of_what_was_found(model):
    far = detections([[60, 0, 80, 10], [0, 50, 9, 64]], [0, 1])
    scenes, candidates, learnable = the_pass(model, USUAL, far)
    assert learnable.assigned.image.tolist() == [0] and learnable.assigned.query.tolist() == [[1]]
    hard = model.query_mining.miners["gbs"](learnable)
    pairs = shifted_candidates(hard, learnable.targets, scenes, candidates, learnable.assigned)
    assert pairs.boxes.shape == (2, 2, 4) and not pairs.padding_mask.any()
    torch.testing.assert_close(pairs.scores[0], USUAL.scores[[0, 1]])
    assert (pairs.scores[1] == UNMATCHED_SCORE).all()
    torch.testing.assert_close(pairs.features[1], scenes[1].pool(pairs.boxes[1], pairs.labels[1]))
    assert pairs.obj_labels.tolist() == [[1], [1]]


def test_a_detector_without_pooling_keeps_the_states_of_what_it_found(model):
    far = detections([[60, 0, 80, 10], [0, 50, 9, 64]], [0, 1])
    scenes, candidates, learnable = the_pass(model, USUAL, far)
    for scene in scenes:
        object.__setattr__(scene, "pool", None)
    hard = model.query_mining.miners["gbs"](learnable)
    pairs = shifted_candidates(hard, learnable.targets, scenes, candidates, learnable.assigned)
    torch.testing.assert_close(pairs.features[0], scenes[0].instances.features[[0, 2]])  # persons first
    assert pairs.padding_mask.tolist() == [[False], [True]]


def test_a_query_detector_decodes_shifted_boxes():
    channels = {"model.bbox_head.in_channels": 256, "model.bbox_head.map_channels": 64}
    model = small_model("upt", **{"model.query_mining": copy.deepcopy(MINING)}, **channels).train()
    model.instances = provider_of("dab")
    scenes, candidates, learnable = the_pass(model, USUAL)
    hard = model.query_mining.miners["gbs"](learnable)
    given = (learnable.targets, scenes, candidates, learnable.assigned)
    pairs = shifted_candidates(hard, *given)
    assert not pairs.padding_mask.any()  # whatever the detector found
    torch.testing.assert_close(pairs.features[0], scenes[0].pool(pairs.boxes[0], pairs.labels[0]))
    losses = losses_of(model, USUAL)
    assert losses["gbs.loss_verb"] > 0


def test_masked_copies_do_not_see_what_their_originals_saw_most(model, method):
    scenes, candidates, learnable = the_pass(model, USUAL)
    learnable.queries = model.query_mining.prepare(learnable.queries)
    model.query_mining.take_round(1)
    learnable.queries = model.query_mining.prepare(learnable.queries)
    model.bbox_head.decode(learnable.queries, learnable.memory)
    (hard,) = model.query_mining(learnable)
    seen = []
    rule = hard.rule

    class Watching:
        renormalise = rule.renormalise

        def __call__(self, attention, queries, keys, mask):
            dropped = rule(attention, queries, keys, mask)
            if dropped.is_floating_point():
                seen.append(dropped.isinf() if mask is None else dropped.isinf() & mask)
            else:
                seen.append(dropped)
            return dropped

    hard.rule = Watching()
    states = model.bbox_head.decode(hard, learnable.memory, learnable.queries)
    assert states.shape[2] == 1 and len(seen) == len(states)
    assert all(dropped.shape[2] == 1 and dropped.sum(-1).unique().tolist() == [1] for dropped in seen)  # 0.4 of 4


@pytest.mark.parametrize("half", (torch.float16, torch.bfloat16))
def test_half_precision_is_finite(model, half):
    for round_ in (0, 1):
        model.query_mining.take_round(round_)
        with torch.autocast("cpu", dtype=half):
            losses = model(*batch(USUAL, USUAL[[0]]), mode="loss")
        assert all(value.isfinite() and value.dtype == torch.float32 for value in losses.values())
