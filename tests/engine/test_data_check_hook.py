"""No HOI to train on is an error, none to measure a warning."""

from types import SimpleNamespace

import numpy as np
import pytest
from torch.utils.data import ConcatDataset

import hqm_mmdet.engine.hooks.data_check_hook as module
from hqm_mmdet.datasets import AnnotationError
from hqm_mmdet.engine import DataCheckHook


@pytest.fixture
def logged(monkeypatch):
    messages = []
    monkeypatch.setattr(module, "print_log", lambda message, **options: messages.append(message))
    return messages


class Counted:
    def __init__(self, file, hois):
        self.ann_file, self.class_counts = file, dict(verbs=np.array([hois, 0]))

    def __len__(self):
        return 1


def runner(train, val=None):
    val_loop = None if val is None else SimpleNamespace(dataloader=SimpleNamespace(dataset=val))
    return SimpleNamespace(train_dataloader=SimpleNamespace(dataset=train), val_loop=val_loop, test_loop=val_loop)


FULL, EMPTY = Counted("full.json", 3), Counted("empty.json", 0)


def test_training_data(logged):
    hook = DataCheckHook()
    for train in (FULL, ConcatDataset([EMPTY, FULL]), SimpleNamespace()):
        hook.before_train(runner(train))
    for train in (EMPTY, ConcatDataset([EMPTY, EMPTY])):
        with pytest.raises(
            AnnotationError, match=r"empty\.json.*: no image has an HOI, so there is nothing to train on"
        ):
            hook.before_train(runner(train))
    assert not logged


def test_validation_and_test_data(logged):
    DataCheckHook().before_train(runner(FULL, FULL))
    assert not logged
    DataCheckHook().before_train(runner(FULL, EMPTY))
    DataCheckHook().before_test(runner(FULL, EMPTY))
    assert ["best checkpoint" in message for message in logged] == [True, False]
    assert all("empty.json: no image has an HOI. Metrics are nan" in message for message in logged)
