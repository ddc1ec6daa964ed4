"""What parity tests of UPT and PViC read from their fixtures."""

from collections.abc import Callable
from functools import cached_property
from pathlib import Path

import numpy as np
import torch
from mmengine.config import Config
from mmengine.structures import InstanceData

from hqm_mmdet.models.pair_transformers import pair_up
from hqm_mmdet.models.two_stage import Scene
from hqm_mmdet.registry import MODELS
from hqm_mmdet.safe_loading import load_untrusted
from hqm_mmdet.structures import HOIDataSample, cxcywh_to_xyxy, new_pairs
from tests.models.reference import CONFIGS, converted_file, load_arrays, load_json, reference_tensors

NUM_VERBS = dict(hico=117, vcoco=24)
ATOL = dict(tokens=1e-4, logits=5e-4, scores=1e-5)


def agrees(ours, theirs, kind):
    np.testing.assert_allclose(ours.detach().numpy(), theirs, rtol=0, atol=ATOL[kind])


def official_weights(folder: Path, method: str, variant: str, offsets: bool = False) -> dict[str, torch.Tensor]:
    """Stand-in weights of an official model by its names; ``offsets`` centre the detector's logits."""
    shapes = load_json(folder, method, f"{method}_hico_keys.json")
    classifier = dict(upt="interaction_head.box_pair_predictor", pvic="binary_classifier")[method]
    for name, shape in ((f"{classifier}.weight", 2), (f"{classifier}.bias", 1)):
        assert len(shapes[name]) == shape
        shapes[name] = [NUM_VERBS[variant], *shapes[name][1:]]
    weights = reference_tensors(folder, shapes, load_json(folder, method, f"{method}_weight_scales.json"))
    if offsets:
        for name, rows in load_json(folder, method, f"{method}_weight_offsets.json").items():
            for row, value in rows.items():
                weights[name][int(row)] += value
    return weights


class HeadCase:
    """Inputs of a head alone."""

    def __init__(self, folder: Path, method: str, variant: str):
        self.method, self.variant = method, variant
        self.given = load_arrays(folder, method, f"head_{variant}.npz")
        self.info = load_json(folder, method, f"head_{variant}.json")
        inputs = self.given if "features_int8" in self.given else load_arrays(folder, method, "head_hico.npz")
        scale = 32 if method == "upt" else 2
        self.maps = torch.from_numpy(inputs["features_int8"].astype(np.float32) / scale)
        mask = inputs["features_mask"] if "features_mask" in inputs else np.zeros(self.maps[:, 0].shape, bool)
        self.padding = torch.from_numpy(mask)

    def load_head(self, folder: Path, tmp_path: Path, belongs: Callable[[str], bool], **settings) -> None:
        """Our head with the official weights whose names belong to it, gone through the converter."""
        weights = official_weights(folder, self.method, self.variant)
        path, self.report = converted_file({name: v for name, v in weights.items() if belongs(name)}, tmp_path)
        config = Config.fromfile(CONFIGS / f"{self.method}_r50_{self.variant}.py").model.bbox_head
        self.head = MODELS.build({**config, **settings})
        state = {name.removeprefix("bbox_head."): v for name, v in load_untrusted(path)["state_dict"].items()}
        self.head.load_state_dict(state)

    @cached_property
    def scenes(self) -> list[Scene]:
        """Persons first; features take gradients."""
        return [self.scene(i) for i in range(len(self.info["images"]))]

    def scene(self, i: int) -> Scene:
        boxes, scores, labels = (torch.from_numpy(self.given[f"{name}{i}"]) for name in ("boxes", "scores", "labels"))
        features = torch.from_numpy(self.given[f"hidden{i}_int8"].astype(np.float32) / 32)
        order = (labels != 0).long().argsort(stable=True)
        found = InstanceData(bboxes=boxes[order], scores=scores[order], labels=labels[order])
        found.features = features[order].requires_grad_()
        return Scene(found, (self.maps[i],), (self.padding[i],), tuple(self.given["sizes"][i].tolist()))

    def candidates(self, images):
        return pair_up([self.scenes[i] for i in images])

    def samples(self, images) -> list[HOIDataSample]:
        """With the targets as ``gt_pairs``."""
        return [labelled(self.given, i, self.scenes[i].size, self.head) for i in images]


def labelled(given, i: int, size: tuple[int, int], head) -> HOIDataSample:
    """A sample with the fixture's targets of an image of ``size`` (height, width), a pair per verb."""
    height, width = size
    scale = torch.tensor([width, height] * 2)
    boxes = [cxcywh_to_xyxy(torch.from_numpy(given[f"t{i}_boxes_{who}"])) * scale for who in "ho"]
    verbs = torch.zeros(len(boxes[0]), head.num_verbs)
    verbs[torch.arange(len(verbs)), head.verb_order[given[f"t{i}_labels"]]] = 1
    sample = HOIDataSample(metainfo=dict(img_shape=tuple(size), ori_shape=tuple(size)))
    sample.gt_pairs = new_pairs(*boxes, torch.from_numpy(given[f"t{i}_object"]), verb_labels=verbs)
    return sample


def flat(values: torch.Tensor, candidates) -> torch.Tensor:
    """(..., B, M, V) -> (..., pairs of the batch, V)."""
    return values[..., ~candidates.padding_mask, :]
