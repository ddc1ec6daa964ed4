"""Sound inputs, small ones, from which hostile ones are made."""

import json
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import torch
from mmengine.config import Config

from hqm_mmdet.apis import HOIInferencer, build_model
from hqm_mmdet.datasets.toy import ToySettings, make_toy_hoi
from hqm_mmdet.datasets.toy_hoi import ToyHOIDataset

ROOT = Path(__file__).resolve().parents[2]


@dataclass
class Material:
    """A toy data set, a tiny model and its checkpoint, below a folder.

    Args:
        folder (Path): working folder of one process.
    """

    folder: Path

    def __post_init__(self):
        settings = ToySettings(num_train=4, num_test=4, min_size=96, max_size=112)
        make_toy_hoi(self.data, settings, progress=False)
        names = {key: ToyHOIDataset.METAINFO[key] for key in ("classes", "verbs")}
        self.names_file.write_text(json.dumps(names))
        torch.manual_seed(0)
        meta = dict(epoch=1, iter=4, seed=0, cfg=self.config.pretty_text, dataset_meta=names)
        self.checkpoint = dict(state_dict=build_model(self.config).state_dict(), meta=meta)
        torch.save(self.checkpoint, self.checkpoint_file)

    @property
    def data(self) -> Path:
        """The toy set."""
        return self.folder / "toy"

    @property
    def images(self) -> Path:
        """Its test images."""
        return self.data / "images" / "test"

    @property
    def names_file(self) -> Path:
        """Its names, as of own data."""
        return self.folder / "names.json"

    @property
    def checkpoint_file(self) -> Path:
        """Of the tiny model."""
        return self.folder / "sound.pth"

    @cached_property
    def annotations(self) -> list[dict]:
        """Of the test images."""
        return json.loads((self.data / "annotations" / "test_toy.json").read_text())

    @cached_property
    def training_file(self) -> Path:
        """Annotations to train on."""
        return self.data / "annotations" / "trainval_toy.json"

    @cached_property
    def predictions(self) -> list[dict]:
        """What a perfect model says about them."""
        return [
            dict(
                file_name=entry["file_name"],
                predictions=entry["annotations"],
                hoi_prediction=[dict(hoi, score=0.9) for hoi in entry["hoi_annotation"]],
            )
            for entry in self.annotations
        ]

    @cached_property
    def config(self) -> Config:
        """The smallest QPIC, with the toy data set."""
        config = Config.fromfile(ROOT / "configs" / "qpic_toy.py")
        config.merge_from_dict(
            {
                "model.num_queries": 4,
                "model.encoder.num_layers": 1,
                "model.decoder.num_layers": 1,
                "train_dataloader.batch_size": 2,
                "train_cfg.max_epochs": 1,
                "train_cfg.val_interval": 9,
                "val_dataloader.num_workers": 0,
                "val_dataloader.persistent_workers": False,
                "test_dataloader.num_workers": 0,
                "test_dataloader.persistent_workers": False,
                **{f"{split}_dataloader.dataset.data_root": str(self.data) for split in ("train", "val", "test")},
            }
        )
        return config

    @cached_property
    def inferencer(self) -> HOIInferencer:
        """The tiny model, loaded."""
        return HOIInferencer(self.checkpoint_file, device="cpu", show_progress=False)

    def write(self, name: str, content: bytes) -> Path:
        """A file of one input, over that of the former."""
        path = self.folder / "input" / name
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(content)
        return path
