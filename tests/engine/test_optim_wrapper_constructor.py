"""One line about frozen parameters, whatever their number; everything else is as mmengine's."""

import logging

import pytest
from mmengine.logging import MMLogger
from mmengine.optim import DefaultOptimWrapperConstructor
from torch import nn

from hqm_mmdet.engine import SummaryOptimWrapperConstructor
from hqm_mmdet.registry import OPTIM_WRAPPER_CONSTRUCTORS

WRAPPER = dict(type="OptimWrapper", optimizer=dict(type="SGD", lr=0.5))
PARTS = dict(custom_keys={"0": dict(lr_mult=0.1)})


@pytest.fixture
def lines():
    """What is logged."""
    found, logger = [], MMLogger.get_current_instance()
    handler = logging.Handler()
    handler.emit = lambda record: found.append(record.getMessage())
    logger.addHandler(handler)
    yield found
    logger.removeHandler(handler)


def model():
    layers = nn.Sequential(*(nn.Linear(2, 2) for _ in range(30)))
    layers[5:].requires_grad_(False)
    return layers


def test_frozen_parameters_are_one_line(lines):
    wrapper = SummaryOptimWrapperConstructor(WRAPPER, PARTS)(model())
    about = [line for line in lines if "requires_grad" in line or "do not learn" in line]
    assert about == ["50 parameters do not learn, first 5.weight."]
    lines.clear()
    expected = DefaultOptimWrapperConstructor(WRAPPER, PARTS)(model())
    assert sum("requires_grad" in line for line in lines) == 50  # the filter is gone, and this is what it spares
    assert settings_by_shape(wrapper) == settings_by_shape(expected)


def settings_by_shape(wrapper):
    """Learning rate of each parameter, in the order of the optimizer."""
    return [
        (group["lr"], len(parameter.shape)) for group in wrapper.optimizer.param_groups for parameter in group["params"]
    ]


def test_parameters_with_equal_settings_share_a_group():
    wrapper = SummaryOptimWrapperConstructor(WRAPPER, PARTS)(model())
    assert [(group["lr"], len(group["params"])) for group in wrapper.optimizer.param_groups] == [(0.05, 2), (0.5, 8)]


def test_nothing_frozen_is_no_line(lines):
    SummaryOptimWrapperConstructor(WRAPPER, PARTS)(nn.Linear(2, 2))
    assert not [line for line in lines if "do not learn" in line]


def test_configs_get_it_by_default():
    assert OPTIM_WRAPPER_CONSTRUCTORS.get("DefaultOptimWrapperConstructor") is SummaryOptimWrapperConstructor
