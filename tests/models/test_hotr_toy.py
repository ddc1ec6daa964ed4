"""HOTR with HQM learns on the toy set, built from its config."""

import itertools
from pathlib import Path
from statistics import mean

import pytest
import torch
from mmengine.config import Config
from mmengine.registry import DefaultScope
from mmengine.runner import Runner

from hqm_mmdet.apis import build_model
from hqm_mmdet.datasets.toy import ToySettings, make_toy_hoi

CONFIG = Path(__file__).parents[2] / "configs" / "hotr_hqm_toy.py"
ITERATIONS = 90  # of the same four images: pointers settle once the instances' matching does


@pytest.fixture
def loader(tmp_path):
    root = make_toy_hoi(tmp_path, ToySettings(num_train=4, num_test=1, min_size=120, max_size=120), progress=False)
    cfg = Config.fromfile(CONFIG).train_dataloader
    cfg.dataset.data_root = str(root)
    cfg.batch_size = 4
    cfg.dataset.seed = 0  # the same flips in every run
    with DefaultScope.overwrite_default_scope("hqm_mmdet"):
        return Runner.build_dataloader(cfg, seed=0)


def test_losses_of_all_query_sets_fall(loader):
    torch.manual_seed(0)
    model = build_model(CONFIG).train()
    optimizer = torch.optim.AdamW(model.parameters(), 4e-4)
    history = []
    for iteration, batch in enumerate(itertools.islice(itertools.cycle(loader), ITERATIONS)):
        model.query_mining.take_round(iteration)
        losses = model(**model.data_preprocessor(batch, True), mode="loss")
        optimizer.zero_grad()
        sum(losses.values()).backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
        history.append({name: value.item() for name, value in losses.items()})
    first, last = history[:4], history[-8:]
    for name, query_set in itertools.product(
        ("loss_sub_pointer", "loss_obj_pointer", "loss_verb"), ("", "gbs.", "amm.")
    ):
        before, after = (
            mean(row[query_set + name] for row in rows if query_set + name in row) for rows in (first, last)
        )
        assert after < 0.5 * before, query_set + name
    assert mean(sum(row.values()) for row in last) < 0.3 * mean(sum(row.values()) for row in first)
