"""mmdet's Conditional DETR as initialisation: the pair detector finds, at the start, what the detector finds."""

import pytest
import torch
from mmengine.config import Config
from mmengine.registry import DefaultScope

from hqm_mmdet.apis import build_model
from hqm_mmdet.checkpoints import convert_state_dict, recognise
from hqm_mmdet.checkpoints.loading import load_weights
from hqm_mmdet.registry import MODELS
from tests.models.tiny import random_batch, tiny_config

WIDTH, QUERIES = 256, 7  # mmdet encodes reference points with 256 channels always


def pair_config():
    """A Conditional DETR for 80 classes of objects, narrow wherever it may be."""
    cfg = tiny_config(type="ConditionalHOI")
    attention = dict(embed_dims=WIDTH, num_heads=8, dropout=0.0)
    ffn = dict(embed_dims=WIDTH, feedforward_channels=48, num_fcs=2, ffn_drop=0.0)
    cfg.model.neck.out_channels = WIDTH
    cfg.model.positional_encoding.num_feats = WIDTH // 2
    cfg.model.encoder.layer_cfg = dict(self_attn_cfg=attention, ffn_cfg=ffn)
    cfg.model.decoder.layer_cfg = dict(self_attn_cfg=attention, cross_attn_cfg=attention, ffn_cfg=ffn)
    cfg.model.bbox_head.update(embed_dims=WIDTH, num_obj_classes=80)
    return cfg


def mmdet_model(num_queries=QUERIES, sigmoid=True):
    """mmdet's Conditional DETR of the same sizes, random weights."""
    cfg = pair_config().model.to_dict()
    cfg.update(type="mmdet.ConditionalDETR", num_queries=num_queries)
    layer = cfg["decoder"]["layer_cfg"]
    for name in ("self_attn_cfg", "cross_attn_cfg"):
        layer[name] = dict(embed_dims=WIDTH, num_heads=8, cross_attn=name == "cross_attn_cfg")
    loss = dict(type="FocalLoss", use_sigmoid=True) if sigmoid else dict(type="CrossEntropyLoss")
    cfg["bbox_head"] = dict(type="ConditionalDETRHead", num_classes=80, embed_dims=WIDTH, loss_cls=loss)
    torch.manual_seed(1)
    with DefaultScope.overwrite_default_scope("hqm_mmdet"):
        model = MODELS.build(Config(cfg)._cfg_dict)
        model.init_weights()
    return model.eval()


@pytest.mark.parametrize("sigmoid", (True, False))
def test_pair_detector_starts_as_the_detector(sigmoid):
    theirs, ours = mmdet_model(sigmoid=sigmoid), build_model(pair_config()).eval()
    state = theirs.state_dict()
    assert recognise(state) == "mmdet_conditional_detr"
    converted, report = convert_state_dict(state)
    assert not report.dropped
    left = set(ours.state_dict()) - set(converted)
    assert all(name.startswith("bbox_head.verb_cls") or name.endswith("num_batches_tracked") for name in left)
    load_weights(ours, converted, "converted", partial=True)
    inputs, samples = random_batch([1, 1], sizes=[(64, 80), (96, 48)])
    preds = ours(inputs, samples, mode="tensor")
    classes, boxes = theirs(inputs, samples, mode="tensor")
    for name in ("sub_boxes", "obj_boxes"):
        torch.testing.assert_close(preds[name], boxes, rtol=1e-4, atol=1e-5)
    if sigmoid:
        torch.testing.assert_close(preds["obj_logits"][..., :-1], classes, rtol=1e-4, atol=1e-4)
        assert (preds["obj_logits"][..., -1] == 0).all()
    else:
        torch.testing.assert_close(preds["obj_logits"], classes, rtol=1e-4, atol=1e-4)


def test_single_class_against_no_object_keeps_its_sigmoid():
    classes = torch.zeros(80, 4)
    converted, _ = convert_state_dict(checkpoint(classes))
    logits = converted["bbox_head.obj_cls.weight"] @ torch.rand(4) + converted["bbox_head.obj_cls.bias"]
    pair = torch.stack([logits[3], logits[-1]])
    torch.testing.assert_close(pair.softmax(0)[0], logits[3].sigmoid())


@pytest.mark.parametrize("dataset,rows", (("hico", 81), ("vcoco", 82)))
def test_300_queries_become_100_and_classes_get_no_object(dataset, rows):
    source = checkpoint(torch.rand(80, 4))
    converted, _ = convert_state_dict(source, dataset=dataset)
    assert torch.equal(converted["query_embedding.weight"], source["query_embedding.weight"][:100])
    weight = converted["bbox_head.obj_cls.weight"]
    assert len(weight) == rows and torch.equal(weight[:80], source["bbox_head.fc_cls.weight"])
    assert (weight[-1] == 0).all()


@pytest.mark.parametrize("model", ("qpic", "cdn"))
def test_it_becomes_nothing_else(model):
    with pytest.raises(ValueError, match=f"Conditional DETR.*'conditional'.*{model}"):
        convert_state_dict(checkpoint(torch.rand(80, 4)), model=model)


def test_a_detr_becomes_none():
    detr = {"bbox_head.fc_cls.weight": torch.rand(81, 4), "bbox_head.fc_cls.bias": torch.rand(81)}
    with pytest.raises(ValueError, match="mmdet DETR.*'qpic'.*conditional"):
        convert_state_dict(detr, model="conditional")


def test_our_own_checkpoint_is_not_taken_for_mmdets():
    with pytest.raises(ValueError, match="nothing to convert"):
        recognise(build_model(pair_config()).state_dict())


def checkpoint(classes):
    """The keys that decide, with 300 queries."""
    return {
        "decoder.layers.0.cross_attn.qpos_sine_proj.weight": torch.rand(4, 4),
        "query_embedding.weight": torch.rand(300, 4),
        "bbox_head.fc_cls.weight": classes,
        "bbox_head.fc_cls.bias": torch.rand(80),
    }
