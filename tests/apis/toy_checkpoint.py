"""A checkpoint as training writes it, of a toy config with random weights."""

from pathlib import Path

import numpy as np
import torch
from mmengine.config import Config

from hqm_mmdet.apis import build_model
from hqm_mmdet.datasets.toy_hoi import ToyHOIDataset
from tests.conftest import REPOSITORY


def toy_config(name: str = "qpic_hqm_toy") -> Config:
    return Config.fromfile(REPOSITORY / "configs" / f"{name}.py")


def write_toy_checkpoint(path: Path, name: str = "qpic_hqm_toy", with_config: bool = True) -> Path:
    config = toy_config(name)
    torch.manual_seed(0)
    model = build_model(config)
    names = dict(classes=ToyHOIDataset.METAINFO["classes"], verbs=ToyHOIDataset.METAINFO["verbs"])
    size = len(names["verbs"]), len(names["classes"])
    meta = dict(epoch=3, iter=12, dataset_meta=dict(names, valid_pairs=np.eye(*size, dtype=bool)))
    meta |= dict(cfg=config.pretty_text) if with_config else {}
    optimizer = torch.optim.AdamW(model.parameters()).state_dict()
    torch.save(dict(state_dict=model.state_dict(), meta=meta, optimizer=optimizer, message_hub={}), path)
    return path
