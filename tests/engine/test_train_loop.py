"""The loop and the sampler, within one process."""

import contextlib

import pytest
import torch
from mmengine.dataset import DefaultSampler
from mmengine.runner import Runner

from hqm_mmdet.engine import ResumableSampler
from hqm_mmdet.engine.hooks.random_state_hook import base_datasets, seed_everything
from hqm_mmdet.errors import ConfigError
from hqm_mmdet.registry import DATASETS
from hqm_mmdet.utils import find_latest_checkpoint
from tests.engine.small_training import NoisyDataset, build_config


@pytest.fixture
def warnings_of_mmengine(monkeypatch):
    """Messages given to print_log in the train loop."""
    seen = []
    monkeypatch.setattr("hqm_mmdet.engine.runner.train_loop.print_log", lambda text, **kw: seen.append(text))
    return seen


class Stop(Exception):
    """Stands for a crash."""


def train_until(config, iteration):
    runner = Runner.from_cfg(config)
    trained = []

    def after_train_iter(runner, batch_idx, data_batch=None, outputs=None):
        trained.append((runner.iter, outputs["loss"].item()))
        if runner.iter + 1 == iteration:
            raise Stop

    runner.hooks[-1].after_train_iter = after_train_iter  # TraceHook comes before the checkpoint hook
    with contextlib.suppress(Stop):
        runner.train()
    return trained


@pytest.mark.parametrize("num_samples", [0, 3, 14, 20])
def test_sampler_leaves_out_the_first_samples_once(num_samples):
    data = list(range(14))
    sampler, plain = ResumableSampler(data, seed=5), DefaultSampler(data, seed=5)
    sampler.skip(num_samples)
    assert list(sampler) == list(plain)[num_samples:]
    assert list(sampler) == list(plain)
    assert len(sampler) == 14


def test_any_other_sampler_loads_and_discards(tmp_path, warnings_of_mmengine):
    options = dict(epochs=2, sampler="DefaultSampler", iter_interval=3)
    whole = train_until(build_config(tmp_path / "whole", **options), None)
    train_until(build_config(tmp_path / "cut", **options), 4)
    latest = find_latest_checkpoint(tmp_path / "cut")
    assert latest.endswith("iter_3.pth")
    rest = train_until(build_config(tmp_path / "cut", load_from=latest, resume=True, **options), None)
    assert rest == whole[3:]
    assert "3 batches are loaded and discarded" in warnings_of_mmengine[0]


def test_checkpoint_after_the_last_batch_of_an_epoch_finishes_that_epoch(tmp_path):
    """As ``by_epoch=False`` writes it: the epoch's own checkpoint, schedule and validation are still to come."""
    whole = train_until(build_config(tmp_path / "whole", epochs=4), None)
    config = build_config(tmp_path / "cut", epochs=4)
    config.default_hooks.checkpoint.update(by_epoch=False, interval=5)
    train_until(config, 11)
    assert (tmp_path / "cut" / "last_checkpoint").read_text().endswith("iter_10.pth")
    config.merge_from_dict(dict(load_from=str(tmp_path / "cut" / "iter_10.pth"), resume=True, experiment_name="rest"))
    assert train_until(config, None) == whole[10:]


def test_epoch_of_another_length_is_refused(tmp_path):
    train_until(build_config(tmp_path, iter_interval=3), 4)
    config = build_config(tmp_path, load_from=find_latest_checkpoint(tmp_path), resume=True)
    config.train_dataloader.batch_size = 7
    with pytest.raises(ValueError, match="inside an epoch of 5 batches; now an epoch has 2"):
        Runner.from_cfg(config).train()


def test_seeds_differ_by_rank_and_iteration():
    draws = set()
    for position in [(0, 0, 0), (0, 1, 0), (0, 0, 1), (1, 0, 0)]:
        seed_everything(*position)
        draws.add(torch.rand(()).item())
    assert len(draws) == 4


def test_data_sets_below_wrappers_are_found():
    one, two = NoisyDataset(), NoisyDataset()
    wrapped = torch.utils.data.ConcatDataset([one, torch.utils.data.Subset(two, [0])])
    assert list(base_datasets(wrapped)) == [one, two]
    assert list(base_datasets(one)) == [one]


def test_run_without_fixed_seed_shuffles_as_before_after_resume(tmp_path):
    """mmengine gives the sampler a new seed before it reads the old one from the checkpoint."""
    options = dict(epochs=2, seed=None)
    whole = train_until(build_config(tmp_path, **options), None)
    config = build_config(tmp_path, load_from=str(tmp_path / "epoch_1.pth"), resume=True, **options)
    assert train_until(config, None) == whole[5:]


def test_different_seeds_per_rank_are_refused(tmp_path):
    config = build_config(tmp_path)
    config.randomness.diff_rank_seed = True
    with pytest.raises(ValueError, match="diff_rank_seed=False"):
        Runner.from_cfg(config).train()


@pytest.mark.parametrize(
    "changes, message",
    (
        ({"train_dataloader.batch_size": 15, "train_dataloader.drop_last": True}, "14 images.*drop_last=False"),
        ({"train_cfg.max_epochs": 0}, "max_epochs is 0: nothing would be trained"),
        ({"train_dataloader.dataset.type": "EmptyDataset"}, "no image left: nothing would be trained.*check-data"),
    ),
    ids=("fewer images than a batch", "no epoch", "no image"),
)
def test_a_training_without_iteration_is_refused_before_it_starts(tmp_path, changes, message):
    config = build_config(tmp_path)
    config.merge_from_dict(changes)
    runner = Runner.from_cfg(config)
    with pytest.raises(ConfigError, match=message):
        runner.train()
    assert not list(tmp_path.glob("*.pth"))


@DATASETS.register_module(force=True)
class EmptyDataset(NoisyDataset):
    def __len__(self):
        return 0
