"""Small UPT and PViC, and batches for them."""

import torch
from mmengine.config import Config
from mmengine.structures import InstanceData

from hqm_mmdet.apis import build_model
from hqm_mmdet.structures import HOIDataSample, new_pairs
from tests.models.reference import CONFIGS

NUM_CLASSES, NUM_VERBS = 8, 11
HEADS = {
    "upt": dict(embed_dims=16, pair_dims=32, num_heads=4, hidden_dims=32, num_branches=4, dropout=0.0),
    "pvic": dict(embed_dims=16, query_dims=24, num_heads=4, window=2, dropout=0.0, drop_path=False),
}


def small_model(method: str, seed: int = 0, **options):
    """The toy config with boxes of samples' ``detections`` and a still smaller network."""
    torch.manual_seed(seed)
    cfg = Config.fromfile(CONFIGS / f"{method}_toy.py")
    cfg.model.bbox_head.update(**HEADS[method], in_channels=16, map_channels=32)
    cfg.model.instances = dict(
        type="PooledFeatures",
        source=dict(type="StoredInstances"),
        frozen=False,
        backbone=dict(
            type="ResNet",
            depth=18,
            base_channels=8,
            stem_channels=8,
            num_stages=3,
            strides=(1, 2, 2),
            dilations=(1, 1, 1),
            out_indices=(1, 2),
            norm_eval=True,
        ),
        neck=dict(type="ChannelMapper", in_channels=[16, 32], out_channels=16, kernel_size=1, num_outs=2),
    )
    cfg.model.selection.update(nms_iou=0.5)
    cfg.merge_from_dict(options)
    return build_model(cfg)


def detections(boxes, labels, scores=None) -> InstanceData:
    """Instances in pixels of the network's input."""
    boxes = torch.tensor(boxes, dtype=torch.float32).view(-1, 4)
    scores = torch.linspace(0.9, 0.5, len(boxes)) if scores is None else torch.tensor(scores)
    return InstanceData(bboxes=boxes, labels=torch.tensor(labels, dtype=torch.long), scores=scores)


def batch(*images, size=(64, 80), sizes=None):
    """Noise images with given detections; every image is labelled with one pair."""
    generator = torch.Generator().manual_seed(0)
    sizes = sizes or [size] * len(images)
    height, width = (max(each[i] for each in sizes) for i in (0, 1))
    inputs = torch.zeros(len(images), 3, height, width)
    samples = []
    for i, (found, (h, w)) in enumerate(zip(images, sizes, strict=True)):
        inputs[i, :, :h, :w] = torch.rand(3, h, w, generator=generator) * 2 - 1
        sample = HOIDataSample(metainfo=dict(img_shape=(h, w), ori_shape=(h, w), img_path=f"{i}.png"))
        sample.detections = found
        verbs = torch.zeros(1, NUM_VERBS)
        verbs[0, [0, 2]] = 1
        truth = [torch.tensor([[4.0, 6, 34, 58]]), torch.tensor([[20.0, 30, 50, 60]])]
        sample.gt_pairs = new_pairs(*truth, torch.tensor([1]), verb_labels=verbs)
        sample.gt_instances = InstanceData(bboxes=torch.cat(truth), labels=torch.tensor([0, 1]))
        samples.append(sample)
    return inputs, samples


USUAL = detections([[4, 6, 34, 58], [20, 30, 50, 60], [40, 5, 70, 60], [1, 1, 20, 20]], [0, 1, 0, 2])


MINING = dict(
    type="JointLearning",
    miners=dict(
        gbs=dict(type="GBSQueryGenerator", embed_dims=16),
        amm=dict(type="AMMQueryGenerator", top_k=4, gamma=0.4),
    ),
    rounds=[["gbs"], ["amm"]],
)
