"""The class frequencies of the training annotations reach the head."""

from types import SimpleNamespace

import numpy as np
import pytest
import torch

from hqm_mmdet.apis import build_model
from hqm_mmdet.engine import ReweightingHook
from hqm_mmdet.models import DynamicReweighting
from tests.models.tiny import NUM_CLASSES, NUM_VERBS, tiny_config

VERBS = np.arange(1, NUM_VERBS + 1)


def runner(datasets, **reweighting):
    config = tiny_config()
    config.model.bbox_head.update({f"{name}_reweighting": dict(type="DynamicReweighting") for name in reweighting})
    dataset = SimpleNamespace(datasets=datasets)  # as mmengine's ConcatDataset
    return SimpleNamespace(model=build_model(config), train_dataloader=SimpleNamespace(dataset=dataset))


def dataset(objects, verbs=VERBS):
    return SimpleNamespace(class_counts=dict(objects=np.array(objects), verbs=verbs))


def weights_of(counts):
    component = DynamicReweighting(len(counts))
    component.set_initial_counts(torch.as_tensor(counts))
    return component.initial_weights


def test_counts_of_all_data_sets_are_summed():
    run = runner([dataset([1, 2, 3, 4, 0]), dataset([5, 0, 0, 1, 0])], obj=True, verb=True)
    ReweightingHook().before_train(run)
    head = run.model.bbox_head
    assert torch.equal(head.obj_reweighting.initial_weights, weights_of([6, 2, 3, 5]))
    assert torch.equal(head.verb_reweighting.initial_weights, weights_of(2 * VERBS))


def test_verbs_alone_whatever_the_objects_are():
    run = runner([dataset([1] * 9)], verb=True)
    ReweightingHook().before_train(run)
    assert run.model.bbox_head.obj_reweighting is None
    assert torch.equal(run.model.bbox_head.verb_reweighting.initial_weights, weights_of(VERBS))


def test_pairs_without_object_are_a_class():
    run = runner([dataset([1, 2, 3, 4])], obj=True)  # three classes and "no object", for the head four
    ReweightingHook().before_train(run)
    assert torch.equal(run.model.bbox_head.obj_reweighting.initial_weights, weights_of([1, 2, 3, 4]))
    run = runner([dataset([1, 2, 3, 4, 5])], obj=True)
    with pytest.raises(ValueError, match=f"{NUM_CLASSES} classes.*5.*num_obj_classes"):
        ReweightingHook().before_train(run)


def test_what_is_missing_is_named():
    with pytest.raises(ValueError, match="obj_reweighting"):
        ReweightingHook().before_train(runner([dataset([1])]))
    with pytest.raises(ValueError, match="SimpleNamespace has no class_counts"):
        ReweightingHook().before_train(runner([SimpleNamespace()], verb=True))
