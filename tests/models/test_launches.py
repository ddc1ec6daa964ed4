"""What a training iteration asks of a device: small kernels cost launches, not arithmetic, and waiting costs most."""

import pytest
from mmengine.optim import OptimWrapper
from torch import optim

from benchmarks.launches import as_markdown, count_rounds, counts_of_config
from tests.models.test_query_mining import mining
from tests.models.tiny import random_batch, tiny_model


@pytest.fixture(scope="module")
def qpic():
    """QPIC + HQM at full depth; the size of images changes no count."""
    return counts_of_config("qpic_hqm_hico", (64, 64), batch=2, pairs=6)


def test_mined_iterations_stay_near_the_plain_one(qpic):
    assert 1000 < qpic["plain"].step <= 1900
    assert qpic["gbs"].step <= 1.3 * qpic["plain"].step
    assert qpic["amm"].step <= 1.6 * qpic["plain"].step


@pytest.mark.parametrize("round_", ("plain", "gbs", "amm"))
def test_an_iteration_waits_three_times(qpic, round_):
    """For the matching costs, for the gradient's norm, and for the losses in the log."""
    assert sum(qpic[round_].waits.values()) <= 3, qpic[round_].waits
    assert qpic[round_].optimizer <= 20  # groups of equal settings are one, and so is their kernel


def test_the_table_has_a_row_for_every_kind(qpic):
    assert as_markdown({"QPIC": qpic}).count("| QPIC |") == 3


def counts(num_pairs):
    model = tiny_model(query_mining=mining("ajl"))
    wrapper = OptimWrapper(optim.AdamW(model.parameters()), clip_grad=dict(max_norm=0.1))
    return count_rounds(model, wrapper, random_batch(num_pairs))


def test_more_pairs_are_not_more_operations():
    few, many = counts([2, 3]), counts([6, 7])
    assert [(each.step, each.waits) for each in few.values()] == [(each.step, each.waits) for each in many.values()]
