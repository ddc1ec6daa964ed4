"""Re-weighting: the official sequences of weights, and what the queue promises."""

import copy

import numpy as np
import pytest
import torch
import torch.nn.functional as F

from hqm_mmdet.apis import build_model, init_model
from hqm_mmdet.checkpoints.loading import load_weights
from hqm_mmdet.models import DynamicReweighting
from hqm_mmdet.models.losses.dynamic_reweighting import frequency_weights
from hqm_mmdet.safe_loading import CheckpointError, load_untrusted
from tests.models.reference import load_arrays, load_json
from tests.models.reweighted import HQM, reweighted_config, reweighted_model
from tests.models.tiny import NUM_CLASSES, random_batch, tiny_config

K = 4


def reweighting(initial=(5, 1, 3, 40), **options):
    component = DynamicReweighting(len(initial), **options)
    component.set_initial_counts(torch.tensor(initial))
    return component


def random_counts(calls, seed=0):
    return torch.randint(0, 6, (calls, K + 1), generator=torch.Generator().manual_seed(seed))


@pytest.mark.parity
@pytest.mark.parametrize(
    ("name", "which"),
    [
        ("hico_official_queue_4704", "verb"),
        ("hico_official_queue_4704", "obj"),
        ("hico_queue_5", "verb"),
        ("hico_queue_5", "obj"),
        ("vcoco_official_queue_4704", "verb"),
        ("vcoco_queue_5", "verb"),
    ],
)
def test_official_sequences(reference_dir, name, which):
    expected = load_arrays(reference_dir, "cdn", f"reweight_{name}.npz")
    initial = load_json(reference_dir, "cdn", "reweight_init_counts.json")[name.split("_")[0]][f"{which}_counts"]
    component = reweighting(initial[:-1], queue_size=int(name.split("_")[-1]))
    np.testing.assert_allclose(component.initial_weights, expected[f"{which}_weights_init"], rtol=1e-5)
    counts = torch.from_numpy(expected[f"{which}_counts_per_call"].astype(np.int64))
    weights = [component(call[None])[0].numpy() for call in counts]
    ours = np.stack([weights[call] for call in expected["calls_kept"]])
    np.testing.assert_allclose(ours, expected[f"{which}_weights"], rtol=1e-5)
    assert np.abs(ours[0] - ours[-1]).max() > 1e-3


class TestFrequencyWeights:
    def test_formula(self):
        counts = torch.tensor([10, 0, 30, 7])
        raw = np.array([4.0, np.inf, 40 / 30]) ** 0.7
        mean = (raw[0] + raw[2]) / 2
        expected = [raw[0] / mean, 0, raw[2] / mean, (40 / 7) ** 0.7]
        np.testing.assert_allclose(frequency_weights(counts), expected, rtol=1e-6)

    @pytest.mark.parametrize("counts", ([0, 0, 0, 9], [0, 0, 0, 0], [4, 0, 0, 0]))
    def test_finite_whatever_is_missing(self, counts):
        weights = frequency_weights(torch.tensor(counts))
        assert torch.isfinite(weights).all() and (weights >= 0).all()

    def test_scale_does_not_matter(self):
        counts = random_counts(1)[0]
        torch.testing.assert_close(frequency_weights(counts * 8), frequency_weights(counts))


class TestQueue:
    def test_layers_of_one_call_are_calls_of_their_own_last_layer_first(self):
        together, apart = reweighting(), reweighting()
        counts = random_counts(3)
        weights = together(counts)
        for layer in (2, 0, 1):
            torch.testing.assert_close(weights[layer], apart(counts[layer, None])[0])
        assert torch.equal(together.queue, apart.queue)

    def test_forgets_what_left_the_queue(self):
        long, short = reweighting(queue_size=4), reweighting(queue_size=4)
        long(random_counts(7, seed=1))
        long(rest := random_counts(4))
        short(rest)
        torch.testing.assert_close(long.weights(), short.weights())

    def test_mined_queries_and_evaluation_do_not_count(self):
        component = reweighting()
        component(random_counts(2))
        before = copy.deepcopy(component.state_dict())
        weights = component(random_counts(2, seed=1), count=False)
        torch.testing.assert_close(component.eval()(random_counts(2, seed=1)), weights)
        assert all(torch.equal(before[name], value) for name, value in component.state_dict().items())
        torch.testing.assert_close(weights, component.weights().expand(2, -1))

    def test_callers_counts_are_left_alone(self):
        counts = random_counts(2).int()
        reweighting()(given := counts.clone())
        assert torch.equal(given, counts)

    def test_static_weights(self):
        component = reweighting(static=True)
        assert not component.state_dict()
        torch.testing.assert_close(component(random_counts(3)), component.initial_weights.expand(3, -1))

    def test_without_initial_counts_the_hook_is_named(self):
        with pytest.raises(RuntimeError, match="ReweightingHook"):
            DynamicReweighting(K)(random_counts(1))

    def test_counts_of_another_data_set(self):
        with pytest.raises(ValueError, match="3 classes.*num_obj_classes"):
            DynamicReweighting(3).set_initial_counts(torch.ones(4))


def test_targets_are_counted_by_class():
    component = reweighting()
    labels = torch.tensor([[0, 0, 3, 4], [4, 4, 4, 4]])
    weights = component.of_labels(labels)
    assert component.queue[:2].tolist() == [[0, 0, 0, 0, 4], [2, 0, 0, 1, 1]]
    assert weights.shape == (2, 4) and weights[0, 0] == weights[0, 1] != weights[0, 2]

    component = reweighting()
    multi_hot = torch.tensor([[[1.0, 0, 1, 0], [0, 0, 0, 0], [1, 0, 0, 0]]])
    weights = component.of_multi_hot(multi_hot)
    assert component.queue[0].tolist() == [2, 0, 1, 0, 1]
    expected = torch.where(multi_hot > 0, component.weights()[:-1], 1.0)
    torch.testing.assert_close(weights, expected)


def train(model, optimizer, iterations):
    """Losses of the given iterations, which see the same batches whenever they run."""
    history = []
    for iteration in iterations:
        inputs, samples = random_batch([2, 1, 0], seed=iteration)
        if model.query_mining is not None:
            model.query_mining.take_round(iteration)
            torch.manual_seed(iteration)
        loss = sum(model(inputs, samples, mode="loss").values())
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        history.append(loss.item())
    return history


def test_losses_are_weighted_as_the_formulas_say():
    """Recomputed from predictions, matches and the weights of the moment."""
    model = reweighted_model()
    inputs, samples = random_batch([3, 1])
    losses = model(inputs, samples, mode="loss")
    preds = model(inputs, samples, mode="tensor")
    head = model.bbox_head
    targets = head.targets(samples)
    assigned = head.assign(preds, targets)
    obj = torch.full(preds["obj_logits"].shape[1:3], NUM_CLASSES)
    verbs = torch.zeros_like(preds["verb_logits"][-1])
    rows = (assigned.image, assigned.query[-1])
    obj[rows] = targets.obj_labels[assigned.image, assigned.target[-1]]
    verbs[rows] = targets.verb_labels[assigned.image, assigned.target[-1]]

    other = reweighted_model().bbox_head
    weights = other.obj_reweighting(F.one_hot(obj.flatten(), NUM_CLASSES + 1).sum(0, keepdim=True))[0]
    expected = F.cross_entropy(preds["obj_logits"][-1].flatten(0, 1), obj.flatten(), weights)
    torch.testing.assert_close(losses["loss_obj_cls"], expected)

    counts = torch.cat([verbs.sum((0, 1)), (verbs.sum(2) == 0).sum()[None]])
    weights = other.verb_reweighting(counts[None])[0, :-1]
    p = preds["verb_logits"][-1].sigmoid()
    terms = verbs * weights * (1 - p) ** 2 * p.log() + (1 - verbs) * p**2 * (1 - p).log()
    torch.testing.assert_close(losses["loss_verb"], -terms.sum() / verbs.sum())


@pytest.mark.parametrize("query_mining", (None, HQM), ids=("plain", "hqm"))
def test_resumed_training_equals_the_uninterrupted_one(tmp_path, query_mining):
    model = reweighted_model(query_mining=query_mining)
    optimizer = torch.optim.AdamW(model.parameters(), 1e-3)
    train(model, optimizer, range(3))
    torch.save(dict(state_dict=model.state_dict(), optimizer=optimizer.state_dict()), tmp_path / "iter_3.pth")
    whole = train(model, optimizer, range(3, 6))
    calls = model.bbox_head.obj_reweighting.num_calls
    assert calls == 12  # two layers, hard queries do not count; the queue of 9 has turned over

    resumed = reweighted_model(seed=1, query_mining=query_mining)
    checkpoint = load_untrusted(tmp_path / "iter_3.pth")
    load_weights(resumed, checkpoint["state_dict"], "iter_3.pth")
    optimizer = torch.optim.AdamW(resumed.parameters(), 1e-3)
    optimizer.load_state_dict(checkpoint["optimizer"])
    assert train(resumed, optimizer, range(3, 6)) == whole
    for name, value in model.state_dict().items():
        assert torch.equal(resumed.state_dict()[name], value), name

    cleared = reweighted_model(query_mining=query_mining)
    load_weights(cleared, checkpoint["state_dict"], "iter_3.pth")
    cleared.bbox_head.obj_reweighting.queue.zero_()
    optimizer = torch.optim.AdamW(cleared.parameters(), 1e-3)
    optimizer.load_state_dict(checkpoint["optimizer"])
    assert train(cleared, optimizer, range(3, 6)) != whole  # the queue decides


def test_first_stage_initialises_and_inference_ignores_the_queue(tmp_path):
    first = build_model(tiny_config())
    torch.save(dict(state_dict=first.state_dict()), tmp_path / "first.pth")
    second = reweighted_model(seed=1)
    load_weights(second, first.state_dict(), "first.pth", partial=True)
    assert torch.equal(second.bbox_head.obj_cls.weight, first.bbox_head.obj_cls.weight)
    assert init_model(reweighted_config(), tmp_path / "first.pth")
    with pytest.raises(CheckpointError, match="reweighting"):
        load_weights(second, first.state_dict(), "first.pth")  # no resume without the queue

    torch.save(dict(state_dict=second.state_dict()), tmp_path / "second.pth")
    plain = init_model(tiny_config(), tmp_path / "second.pth")
    assert not any("reweighting" in name for name in plain.state_dict())


def test_batch_without_pairs():
    model = reweighted_model()
    inputs, samples = random_batch([0, 0])
    losses = model(inputs, samples, mode="loss")
    sum(losses.values()).backward()
    assert all(torch.isfinite(value) for value in losses.values())
    assert model.bbox_head.verb_reweighting.queue[0, -1] == 14
