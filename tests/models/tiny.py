"""Detectors small enough for tests, random batches for them, and what must hold for each of them."""

import pytest
import torch
from mmengine.config import Config
from mmengine.structures import InstanceData

from hqm_mmdet.apis import build_model
from hqm_mmdet.structures import HOIDataSample, new_pairs

NUM_CLASSES, NUM_VERBS, NUM_QUERIES = 4, 5, 7
HEADS = dict(ConditionalHOI="ConditionalHOIHead")  # of detectors that have their own


def tiny_config(type="QPIC", **options) -> Config:
    attention = dict(embed_dims=32, num_heads=4, dropout=0.0)
    ffn = dict(embed_dims=32, feedforward_channels=48, num_fcs=2, ffn_drop=0.0)
    return Config(
        dict(
            model=dict(
                type=type,
                num_queries=NUM_QUERIES,
                data_preprocessor=dict(type="DetDataPreprocessor", mean=[0] * 3, std=[255] * 3, pad_size_divisor=1),
                backbone=dict(
                    type="ResNet",
                    depth=18,
                    base_channels=8,
                    stem_channels=8,
                    num_stages=3,
                    strides=(1, 2, 2),
                    dilations=(1, 1, 1),
                    out_indices=(2,),
                    norm_eval=True,
                ),
                neck=dict(
                    type="ChannelMapper", in_channels=[32], out_channels=32, kernel_size=1, act_cfg=None, num_outs=1
                ),
                positional_encoding=dict(num_feats=16, normalize=True),
                encoder=dict(num_layers=1, layer_cfg=dict(self_attn_cfg=attention, ffn_cfg=ffn)),
                decoder=dict(
                    num_layers=2, layer_cfg=dict(self_attn_cfg=attention, cross_attn_cfg=attention, ffn_cfg=ffn)
                ),
                bbox_head=dict(
                    type=HEADS.get(type, "HOIHead"), num_obj_classes=NUM_CLASSES, num_verbs=NUM_VERBS, embed_dims=32
                ),
                **options,
            )
        )
    )


def tiny_model(seed=0, **options):
    torch.manual_seed(seed)
    return build_model(tiny_config(**options)).train()  # BN is set to evaluation by ResNet.train()


def random_pairs(count, generator, size=(64, 80), absent=0):
    """``count`` pairs inside an image of ``size`` (h, w); the first ``absent`` have no object."""
    scale = torch.tensor([size[1], size[0]] * 2)

    def boxes():
        low = torch.rand(count, 2, generator=generator) * 0.5
        return torch.cat([low, low + 0.2 + 0.3 * torch.rand(count, 2, generator=generator)], 1) * scale

    labels = torch.randint(NUM_CLASSES, (count,), generator=generator)
    obj_boxes = boxes()
    obj_boxes[:absent], labels[:absent] = 0, NUM_CLASSES
    verbs = (torch.rand(count, NUM_VERBS, generator=generator) < 0.3).float()
    return new_pairs(boxes(), obj_boxes, labels, verb_labels=verbs)


def instances_of(pairs):
    """All boxes of the pairs: subjects with label 0, and objects that are there."""
    present = pairs.obj_labels < NUM_CLASSES
    return InstanceData(
        bboxes=torch.cat([pairs.sub_bboxes, pairs.obj_bboxes[present]]),
        labels=torch.cat([torch.zeros_like(pairs.obj_labels), pairs.obj_labels[present]]),
    )


def random_batch(counts, seed=0, sizes=None, absent=0):
    """Inputs (B, 3, H, W), padded, and annotated samples with ``counts`` pairs."""
    generator = torch.Generator().manual_seed(seed)
    sizes = sizes or [(64, 80)] * len(counts)
    height, width = (max(size[d] for size in sizes) for d in (0, 1))
    inputs, samples = torch.zeros(len(counts), 3, height, width), []
    for i, (count, size) in enumerate(zip(counts, sizes, strict=True)):
        inputs[i, :, : size[0], : size[1]] = torch.randn(3, *size, generator=generator)
        sample = HOIDataSample(metainfo=dict(img_path=f"image_{i}.jpg", img_shape=size, ori_shape=size))
        sample.gt_pairs = random_pairs(count, generator, size, min(absent, count))
        sample.gt_instances = instances_of(sample.gt_pairs)
        samples.append(sample)
    return inputs, samples


def assert_batched_equals_single(model):
    """Images of two sizes, padded into one batch, get the pairs that each gets alone; returns them."""
    sizes = [(64, 80), (96, 48)]
    inputs, samples = random_batch([1, 2], sizes=sizes)
    batched = [sample.pred_pairs for sample in model(inputs, samples, mode="predict")]
    for i, (height, width) in enumerate(sizes):
        _, again = random_batch([1, 2], sizes=sizes)
        single = model(inputs[i : i + 1, :, :height, :width], again[i : i + 1], mode="predict")[0].pred_pairs
        for name, value in single.items():
            torch.testing.assert_close(batched[i][name], value, rtol=1e-4, atol=1e-4)
    return batched


def total(losses):
    """Sum of all losses."""
    return sum(losses.values())


def assert_every_parameter_takes_part(model, batch):
    """Losses of a batch are finite, and every trainable parameter gets a finite gradient."""
    losses = model(*batch, mode="loss")
    total(losses).backward()
    assert all(torch.isfinite(value) for value in losses.values())
    for name, parameter in model.named_parameters():
        if parameter.requires_grad:
            assert parameter.grad is not None and torch.isfinite(parameter.grad).all(), name


def losses_of_one_batch(model, batch, lr, steps=60):
    """Total loss of every step of a training on one batch."""
    optimizer = torch.optim.AdamW(model.parameters(), lr)
    history = []
    for _ in range(steps):
        loss = total(model(*batch, mode="loss"))
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        history.append(loss.item())
    return history


def assert_mining_leaves_learnable_losses(plain, mined, batch):
    """With the same weights, a model that mines has every loss of the plain one, unchanged."""
    mined.load_state_dict(plain.state_dict(), strict=False)
    losses = mined(*batch, mode="loss")
    for name, value in plain(*batch, mode="loss").items():
        torch.testing.assert_close(losses[name], value)


def assert_inference_is_plain(plain, mined, monkeypatch):
    """Models in evaluation mode: the mining one runs no mining code, and differs by parameters of mining only."""
    missing, unexpected = mined.load_state_dict(plain.state_dict(), strict=False)
    assert missing and all(name.startswith("query_mining.") for name in missing) and not unexpected
    for cls in {type(module) for module in mined.query_mining.modules()}:
        if cls.__module__.startswith("hqm_mmdet"):
            monkeypatch.setattr(cls, "forward", lambda *args: pytest.fail("mining code ran in inference"))
    monkeypatch.setattr(type(mined.query_mining), "prepare", lambda *args: pytest.fail("mining code ran"))
    inputs, samples = random_batch([1, 2])
    ours, theirs = (model(inputs, samples, mode="tensor") for model in (mined, plain))
    assert all(torch.equal(ours[name], theirs[name]) for name in theirs)
    mined(inputs, samples, mode="predict")
