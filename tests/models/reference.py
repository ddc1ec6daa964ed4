"""Reads the parity fixtures: weights, images, targets. Sizes, salt and seed all come from the files."""

import importlib.util
import json
from pathlib import Path

import numpy as np
import pytest
import torch
from mmengine.config import Config

from hqm_mmdet.apis import build_model
from hqm_mmdet.checkpoints import ConversionReport, convert_checkpoint
from hqm_mmdet.safe_loading import load_untrusted
from hqm_mmdet.structures import HOIDataSample, cxcywh_to_xyxy, new_pairs

CONFIGS = Path(__file__).parents[2] / "configs"

# official loss name -> ours
LOSS_NAMES = {
    "loss_obj_ce": "loss_obj_cls",
    "loss_verb_ce": "loss_verb",
    "loss_sub_bbox": "loss_sub_bbox",
    "loss_obj_bbox": "loss_obj_bbox",
    "loss_sub_giou": "loss_sub_iou",
    "loss_obj_giou": "loss_obj_iou",
}


def given(reference_dir: Path, *parts: str) -> Path:
    """A file of the fixtures; skips the test where this set of fixtures has none."""
    path = reference_dir.joinpath(*parts)
    if not path.is_file():
        pytest.skip(f"these fixtures have no {path}")
    return path


def load_json(reference_dir: Path, *parts: str):
    """Content of a JSON file of the fixtures."""
    return json.loads(given(reference_dir, *parts).read_text())


def load_arrays(reference_dir: Path, *parts: str) -> np.lib.npyio.NpzFile:
    """Arrays of an npz file of the fixtures."""
    return np.load(given(reference_dir, *parts))


def official_weights(reference_dir: Path, folder: str, model: str) -> dict[str, torch.Tensor]:
    """Stand-in weights of an official model, by its names."""
    spec = importlib.util.spec_from_file_location("reference_weights", given(reference_dir, "reference_weights.py"))
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    salt = load_json(reference_dir, "reference.json")["salt"]
    scales = reference_dir / folder / f"{model}_weight_scales.json"
    keys = given(reference_dir, folder, f"{model}_keys.json")
    return module.reference_state_dict(keys, salt, scales if scales.exists() else None)


def converted_file(weights: dict, tmp_path: Path, **options) -> tuple[Path, ConversionReport]:
    """Official checkpoint file -> our checkpoint file."""
    torch.save({"model": weights}, tmp_path / "official.pth")
    report = convert_checkpoint(tmp_path / "official.pth", tmp_path / "ours.pth", **options)
    return tmp_path / "ours.pth", report


def load_converted(config: str, weights: dict, tmp_path: Path, **model_options):
    """Our model of a config, dropout off, with official weights gone through the converter."""
    cfg = Config.fromfile(CONFIGS / config)
    cfg.merge_from_dict({f"model.{name}": value for name, value in model_options.items()})
    model = build_model(cfg)
    for module in model.modules():
        if isinstance(module, torch.nn.Dropout):
            module.p = 0.0
        if isinstance(module, torch.nn.MultiheadAttention):
            module.dropout = 0.0
    path, report = converted_file(weights, tmp_path)
    missing, unexpected = model.load_state_dict(load_untrusted(path)["state_dict"], strict=False)
    assert not unexpected
    assert all(name.endswith("num_batches_tracked") for name in missing), missing
    return model, report


def images(fixture: np.lib.npyio.NpzFile) -> tuple[torch.Tensor, list[HOIDataSample]]:
    """Padded batch of the already normalised images, and samples without annotation."""
    names = [name for name in fixture if name.startswith("image") and name.endswith("_int8")]
    arrays = [torch.from_numpy(fixture[name].astype(np.float32) / 32) for name in sorted(names)]
    size = tuple(max(a.shape[d] for a in arrays) for d in (1, 2))
    batch = torch.zeros(len(arrays), 3, *size)
    samples = []
    for i, array in enumerate(arrays):
        batch[i, :, : array.shape[1], : array.shape[2]] = array
        ori_shape = tuple(fixture["orig_sizes"][i]) if "orig_sizes" in fixture else tuple(array.shape[1:])
        samples.append(
            HOIDataSample(metainfo=dict(img_path=f"image{i}", img_shape=tuple(array.shape[1:]), ori_shape=ori_shape))
        )
    return batch, samples


def annotate(samples: list[HOIDataSample], targets: list[dict], num_verbs: int) -> list[HOIDataSample]:
    """Samples with the fixture's targets as ``gt_pairs``, in pixels of each image."""
    for sample, target in zip(samples, targets, strict=True):
        height, width = sample.img_shape
        scale = torch.tensor([width, height, width, height])
        boxes = [cxcywh_to_xyxy(torch.tensor(target[k]).reshape(-1, 4)) * scale for k in ("sub_boxes", "obj_boxes")]
        verbs = torch.zeros(len(target["verbs"]), num_verbs)
        for row, labels in zip(verbs, target["verbs"], strict=True):
            row[labels] = 1
        sample.gt_pairs = new_pairs(*boxes, torch.tensor(target["obj_labels"], dtype=torch.long), verb_labels=verbs)
    return samples


def official_name(ours: str, last_layer: int) -> str:
    """``d0.loss_verb`` -> ``loss_verb_ce_0``; the last layer has no suffix."""
    layer, _, name = ours.rpartition(".")
    official = {v: k for k, v in LOSS_NAMES.items()}[name]
    return f"{official}_{layer[1:]}" if layer else official
