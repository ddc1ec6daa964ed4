"""Some iterations of a config on a small toy set."""

import torch
from mmengine.config import Config
from mmengine.registry import DefaultScope
from mmengine.runner import Runner
from torch import Tensor

from hqm_mmdet.apis import build_model
from hqm_mmdet.datasets.toy import ToySettings, make_toy_hoi


def train_on_toy_set(cfg: Config, folder, epochs: int = 12) -> tuple[Tensor, Tensor]:
    """Summed losses of the learnable and of the hard queries, one number per iteration (three per epoch)."""
    root = make_toy_hoi(folder / "toy", ToySettings(num_train=24, num_test=2), progress=False)
    cfg.train_dataloader.dataset.update(data_root=str(root), seed=0)  # the same flips in every run
    torch.manual_seed(0)
    model = build_model(cfg).train()
    with DefaultScope.overwrite_default_scope("hqm_mmdet"):
        loader = Runner.build_dataloader(cfg.train_dataloader, seed=0)
    optimizer = torch.optim.AdamW(model.parameters(), 4e-4)
    history = []
    for _ in range(epochs):
        for batch in loader:
            model.query_mining.take_round(len(history))
            losses = model(**model.data_preprocessor(batch, True), mode="loss")
            optimizer.zero_grad()
            sum(losses.values()).backward()
            torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
            optimizer.step()
            hard = sum(value.item() for name, value in losses.items() if name.startswith(("gbs", "amm")))
            history.append((sum(value.item() for value in losses.values()) - hard, hard))
    learnable, hard = torch.tensor(history).T
    return learnable, hard
