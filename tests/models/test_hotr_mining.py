"""HQM on HOTR: the same miners work on its interaction branch."""

from pathlib import Path

import pytest
import torch
from mmengine.config import Config

from hqm_mmdet.models.query_mining import LearnablePass
from tests.models.test_query_mining import STRATEGIES, mining
from tests.models.tiny import (
    NUM_QUERIES,
    assert_every_parameter_takes_part,
    assert_inference_is_plain,
    assert_mining_leaves_learnable_losses,
    random_batch,
)
from tests.models.tiny_hotr import tiny_hotr

CONFIGS = Path(__file__).parents[2] / "configs"
HARD_TERMS = {
    f"{layer}{name}" for layer in ("", "d0.") for name in ("loss_sub_pointer", "loss_obj_pointer", "loss_verb")
}


def trainable(strategy="ajl", iteration=0, freeze_instances=True, head=None, **options):
    model = tiny_hotr(freeze_instances=freeze_instances, head=head, query_mining=mining(strategy, **options))
    model.query_mining.take_round(iteration)
    return model


@pytest.mark.parametrize("strategy", STRATEGIES)
@pytest.mark.parametrize("counts", ([2, 3], [0, 4], [0, 0], [NUM_QUERIES + 2, 1]))
@pytest.mark.parametrize("freeze", (True, False))
def test_losses_are_finite_and_every_parameter_takes_part(strategy, counts, freeze):
    for iteration in range(2 if strategy == "ajl" else 1):
        assert_every_parameter_takes_part(trainable(strategy, iteration, freeze), random_batch(counts, absent=1))


@pytest.mark.parametrize("strategy,prefix", (("gbs", "gbs."), ("amm", "amm."), ("cjl", "gbs_amm.")))
def test_hard_queries_learn_pointers_and_verbs(strategy, prefix):
    losses = trainable(strategy, freeze_instances=False)(*random_batch([2]), mode="loss")
    assert {name.removeprefix(prefix) for name in losses if name.startswith(prefix)} == HARD_TERMS


@pytest.mark.parametrize("strategy", STRATEGIES)
def test_learnable_losses_do_not_depend_on_mining(strategy):
    assert_mining_leaves_learnable_losses(tiny_hotr(freeze_instances=True), trainable(strategy), random_batch([2, 1]))


def test_unmasked_copies_of_all_queries_repeat_the_learnable_pass():
    losses = trainable("amm", amm=dict(copies="all", gamma=0.0))(*random_batch([2, 1]), mode="loss")
    for name in HARD_TERMS:
        if "pointer" in name:
            torch.testing.assert_close(losses[f"amm.{name}"], losses[name])


def test_shifted_queries_have_the_pointers_of_their_pairs():
    model, batch = trainable("gbs", head=dict(ignored_verbs=[0, 1, 2])), random_batch([3, 2])
    for sample in batch[1]:
        sample.gt_pairs.verb_labels[:] = 0
        sample.gt_pairs.verb_labels[1:, 3:] = 1  # the first pair of each image is not trained
    memory = model.encode(*batch)
    queries = model.learnable_queries(memory)
    preds = model.bbox_head(model.decode(queries, memory))
    targets = model.bbox_head.targets(batch[1])
    assigned = model.bbox_head.assign(preds, targets)
    (hard,) = model.query_mining(LearnablePass(queries, memory, targets, assigned))
    assert hard.padding_mask.tolist() == [[False, False], [False, True]]
    assert hard.pos.shape == (2, 2, 32)
    for layer in range(2):
        pointers = hard.assigned.of_targets(hard.assigned.pairs, "sub_pointers")[layer]
        expected = assigned.pairs.sub_pointers
        assert pointers.tolist() == [*expected[0].tolist(), expected[1, 0].item()]


def test_every_query_set_reads_the_same_instances():
    """The instance branch runs once, however many query sets follow."""
    model, calls = trainable("pjl"), []
    for part in (model.encoder, model.instance_decoder, model.bbox_head.instance_head):
        part.register_forward_hook(lambda *args: calls.append(1))
    model.decoder.register_forward_hook(lambda *args: calls.append(100))
    model(*random_batch([2, 1]), mode="loss")
    assert sum(calls) == 303


def test_inference_is_the_plain_detector(monkeypatch):
    assert_inference_is_plain(tiny_hotr(freeze_instances=True).eval(), trainable().eval(), monkeypatch)


@pytest.mark.parametrize("dataset", ("hico", "vcoco", "toy"))
def test_configs_differ_by_the_fragment_alone(dataset):
    plain, mined = (Config.fromfile(CONFIGS / f"hotr{name}_{dataset}.py").to_dict() for name in ("", "_hqm"))
    fragment = Config.fromfile(CONFIGS / f"_base_/query_mining/ajl{'_small' if dataset == 'toy' else ''}.py").to_dict()
    assert mined["model"].pop("query_mining") == fragment["query_mining"]
    for name, value in fragment.items():
        assert mined.pop(name) == value
    assert mined == plain
