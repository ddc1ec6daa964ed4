"""Every private name of OpenMMLab that the project relies on is there, and is listed."""

import importlib
import inspect
import pkgutil
from types import SimpleNamespace

import pytest
import torch
from mmdet.registry import MODELS
from mmengine.dataset import DefaultSampler
from mmengine.model import BaseModel, ImgDataPreprocessor
from mmengine.optim import OptimWrapper, OptimWrapperDict
from mmengine.runner import EpochBasedTrainLoop, Runner
from torch import nn
from torch.utils.data import DataLoader

import hqm_mmdet
from hqm_mmdet import internals

NEED_EXTRAS = ("hqm_mmdet.demo.page", "hqm_mmdet.demo.serving")


def found(name: str) -> type:
    module, _, attribute = name.rpartition(".")
    return getattr(importlib.import_module(module), attribute)


@pytest.mark.parametrize("base", internals.OVERRIDDEN)
def test_overridden_methods_exist(base):
    for method in internals.OVERRIDDEN[base]:
        assert inspect.isfunction(getattr(found(base), method)), f"this {base} has no {method}"


def test_all_overridden_methods_are_listed():
    listed = {(found(base), name) for base, names in internals.OVERRIDDEN.items() for name in names}
    for module in pkgutil.walk_packages(hqm_mmdet.__path__, "hqm_mmdet."):
        if module.name in NEED_EXTRAS:
            continue
        for _, ours in inspect.getmembers(importlib.import_module(module.name), inspect.isclass):
            if ours.__module__.startswith("hqm_mmdet."):
                for name in private_overrides(ours):
                    assert any((base, name) in listed for base in ours.__mro__), f"{ours}: {name} is not in OVERRIDDEN"


def private_overrides(ours: type) -> set[str]:
    """Private methods of a class that some class of OpenMMLab above it has as well."""
    theirs = [base for base in ours.__mro__ if base.__module__.split(".")[0] in ("mmdet", "mmengine", "mmcv")]
    own = {name for name, value in vars(ours).items() if inspect.isfunction(value)}
    return {name for name in own if name[0] == "_" != name[1] and any(name in vars(base) for base in theirs)}


class Plain(BaseModel):
    def __init__(self):
        super().__init__()
        self.layer = nn.Linear(1, 1)

    def forward(self, inputs, data_samples=None, mode="tensor"):
        return self.layer(torch.as_tensor(inputs).float())


@pytest.fixture
def runner(tmp_path):
    """mmengine's runner as it is, before anything ran."""
    data = DataLoader([dict(inputs=1.0)] * 2, sampler=DefaultSampler([0, 1]))
    optimizer = dict(optimizer=dict(type="SGD", lr=0.1), accumulative_counts=3)
    return Runner(
        Plain(), str(tmp_path), data, optim_wrapper=optimizer, train_cfg=dict(by_epoch=True, max_epochs=1),
        load_from="there.pth", resume=True, experiment_name=tmp_path.name,
    )  # fmt: skip


def test_fields_of_the_runner(runner):
    assert internals.loaded_from(runner) == "there.pth" and internals.is_resuming(runner) is True
    assert not internals.is_training(runner)
    loop = runner.train_loop  # builds it
    assert isinstance(loop, EpochBasedTrainLoop) and internals.is_training(runner)
    assert all(hasattr(loop, name) for name in internals.OF_THE_LOOP)


def test_batches_per_update():
    model = nn.Linear(1, 1)
    wrapper = OptimWrapper(torch.optim.SGD(model.parameters(), 0.1), accumulative_counts=3)
    assert internals.batches_per_update(wrapper) == 3
    assert internals.batches_per_update(OptimWrapperDict(one=wrapper)) == 1
    with pytest.raises(AttributeError):  # no silent 1 where a version renames it
        internals.batches_per_update(SimpleNamespace())


@pytest.mark.parametrize("yes", (True, False))
def test_fields_of_the_preprocessor(yes):
    numbers = dict(mean=[0] * 3, std=[1] * 3) if yes else {}
    preprocessor = ImgDataPreprocessor(bgr_to_rgb=yes, **numbers)
    assert internals.swaps_channels(preprocessor) is yes and internals.normalises(preprocessor) is yes


def test_locations_of_registries():
    assert internals.registry_locations(MODELS) and all(
        map(importlib.import_module, internals.registry_locations(MODELS))
    )
