"""Time training and inference steps of several models side by side."""

import statistics
import time
from collections.abc import Callable

import torch
from mmengine.config import ConfigDict
from mmengine.structures import InstanceData
from torch import Tensor, nn

from hqm_mmdet.structures import HOIDataSample, new_pairs

Batch = tuple[Tensor, list[HOIDataSample]]


def make_batch(size: tuple[int, int], batch: int, pairs: int, head: nn.Module | ConfigDict) -> Batch:
    """Noise images with random pairs inside, and their boxes as ``gt_instances``.

    Args:
        size (tuple[int, int]): height and width in pixels.
        batch (int): images.
        pairs (int): pairs per image.
        head (nn.Module | ConfigDict): a head or its config, tells ``num_obj_classes`` and ``num_verbs``.

    Returns:
        tuple[Tensor, list[HOIDataSample]]: (B, 3, H, W) and annotated samples, on the CPU.
    """
    height, width = size
    scale = torch.tensor([width, height, width, height])
    samples = []
    for i in range(batch):
        corners = [torch.rand(pairs, 2) * 0.5 for _ in range(2)]
        boxes = [torch.cat([low, low + 0.1 + 0.4 * torch.rand(pairs, 2)], 1) * scale for low in corners]
        labels, verb = random_classes(head, pairs)
        verbs = torch.nn.functional.one_hot(verb, head.num_verbs).float()
        sample = HOIDataSample(metainfo=dict(img_path=f"noise {i}", img_shape=size, ori_shape=size))
        sample.gt_pairs = new_pairs(*boxes, labels, verb_labels=verbs)
        sample.gt_instances = InstanceData(
            bboxes=torch.cat(boxes), labels=torch.cat([torch.zeros_like(labels), labels])
        )
        samples.append(sample)
    return torch.randn(batch, 3, height, width), samples


def random_classes(head: nn.Module | ConfigDict, pairs: int) -> tuple[Tensor, Tensor]:
    """Object labels and verbs (P,) each; of the combinations that a head scores as wholes, if it does."""
    hois = getattr(head, "trained_hois", None)
    if hois is None:
        return torch.randint(head.num_obj_classes, (pairs,)), torch.randint(head.num_verbs, (pairs,))
    chosen = torch.randint(len(hois), (pairs,))
    return torch.tensor(hois.objects)[chosen], torch.tensor(hois.verbs)[chosen]


def train_step(model: nn.Module, batch: Batch) -> None:
    """Forward, loss, backward."""
    model.zero_grad(set_to_none=True)
    sum(model(*batch, mode="loss").values()).backward()


def predict_step(model: nn.Module, batch: Batch) -> None:
    """Inference with post-processing."""
    with torch.inference_mode():
        model(*batch, mode="predict")


def interleaved(
    steps: dict[str, Callable[[], None]], repeats: int, synchronize: Callable[[], None] | None = None
) -> dict[str, dict[str, float]]:
    """Median seconds of each step; all take turns, so that what disturbs the machine disturbs all alike.

    Args:
        steps (dict[str, Callable]): by name.
        repeats (int): turns, besides a first one that is not counted.
        synchronize (Callable, optional): waits for the device, called before and after each step.

    Returns:
        dict[str, dict[str, float]]: ``wall`` and ``cpu`` (of this process) by name.
    """
    times = {name: [] for name in steps}
    wait = synchronize or (lambda: None)
    for _ in range(repeats + 1):
        for name, step in steps.items():
            wait()
            wall, cpu = time.perf_counter(), time.process_time()
            step()
            wait()
            times[name].append((time.perf_counter() - wall, time.process_time() - cpu))
    return {
        name: dict(wall=statistics.median(w for w, _ in t[1:]), cpu=statistics.median(c for _, c in t[1:]))
        for name, t in times.items()
    }
