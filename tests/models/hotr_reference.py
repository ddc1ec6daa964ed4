"""Reads HOTR's parity fixtures: weights, targets, raw outputs."""

import torch
from mmengine.structures import InstanceData

from hqm_mmdet.datasets import HICODetDataset
from hqm_mmdet.structures import HOIDataSample, cxcywh_to_xyxy, new_pairs
from tests.models.reference import load_arrays, load_converted, load_json, official_weights

# official loss name -> ours
LOSS_NAMES = {
    "loss_hidx": "loss_sub_pointer",
    "loss_oidx": "loss_obj_pointer",
    "loss_act": "loss_verb",
    "loss_tgt": "loss_obj_cls",
}
# What the official code does otherwise; the converter takes care of the fourth difference.
RELEASED = {
    "hico": {"bbox_head.instance_head.labels_as_columns": True, "bbox_head.dummy_pairs": True, "frozen_dropout": True},
    "vcoco": {"bbox_head.dummy_pairs": True, "frozen_dropout": True},
}
CONFIGS = dict(hico="hotr_hico.py", vcoco="_base_/models/hotr_r50_vcoco.py")
COCO_IDS = list(HICODetDataset.METAINFO["category_ids"])
NUM_CLASSES = 80


def hotr_weights(reference_dir, dataset):
    """Stand-in weights by the official names, aliases of the encoder included."""
    state = official_weights(reference_dir, "hotr", f"hotr_{dataset}")
    aliases = load_json(reference_dir, "hotr", "hotr_alias_keys.json")
    return state | {alias: state[name] for alias, name in aliases.items()}


def load_hotr(reference_dir, dataset, tmp_path, **options):
    """Our model with official weights, gone through the converter, and the converter's report."""
    weights = hotr_weights(reference_dir, dataset)
    return load_converted(CONFIGS[dataset], weights, tmp_path, **(RELEASED[dataset] | options))


def samples_of(arrays, dataset, sizes=None):
    """Annotated samples out of the fixture's ``t{i}_*``; images of 100 x 100 unless sizes are given."""
    count = len({name.split("_")[0] for name in arrays if name.startswith("t")})
    sizes = sizes or [(100, 100)] * count
    return [_sample(arrays, dataset, i, tuple(int(n) for n in size)) for i, size in enumerate(sizes)]


def _sample(arrays, dataset, i, size):
    scale = torch.tensor([size[1], size[0]] * 2)
    sample = HOIDataSample(metainfo=dict(img_path=f"image{i}", img_shape=size, ori_shape=size))

    def boxes(values):
        return cxcywh_to_xyxy(torch.from_numpy(values)) * scale

    labels = torch.from_numpy(arrays[f"t{i}_labels"])
    verbs = torch.from_numpy(arrays[f"t{i}_pair_actions"]).float()
    obj_labels = torch.from_numpy(arrays[f"t{i}_pair_targets"])
    if dataset == "hico":
        sub, obj = boxes(arrays[f"t{i}_sub_boxes"]), boxes(arrays[f"t{i}_obj_boxes"])
    else:
        pairs = arrays[f"t{i}_pair_boxes"]
        absent = torch.from_numpy((pairs[:, 4:] == -1).all(1))
        sub, obj = boxes(pairs[:, :4]), boxes(pairs[:, 4:]).masked_fill(absent[:, None], 0)
        labels, obj_labels = _contiguous(labels), _contiguous(obj_labels).masked_fill(absent, NUM_CLASSES)
    sample.gt_instances = InstanceData(bboxes=boxes(arrays[f"t{i}_boxes"]), labels=labels)
    sample.gt_pairs = new_pairs(sub, obj, obj_labels, verb_labels=verbs)
    return sample


def _contiguous(coco_ids):
    """COCO ids to labels; -1 stays."""
    return torch.tensor([COCO_IDS.index(i) if i > 0 else -1 for i in coco_ids.tolist()], dtype=torch.long)


def raw_outputs(arrays, columns, prefix="", last_layer_only=False):
    """The dict of ``HOTRHead.forward`` out of the fixture's arrays, and the three output tensors as leaves."""

    def read(name):
        values = torch.from_numpy(arrays[prefix + name])
        return values[None] if last_layer_only or name in ("pred_logits", "pred_boxes") else values

    logits, boxes = read("pred_logits"), read("pred_boxes")
    sub, obj, actions = (read(name).requires_grad_() for name in ("pred_hidx", "pred_oidx", "pred_actions"))
    image = torch.arange(logits.shape[1])[:, None]
    preds = dict(
        obj_logits=logits[0][image, obj.argmax(-1)][..., columns],
        verb_logits=actions[..., :-1],
        sub_boxes=boxes[0][image, sub.argmax(-1)],
        obj_boxes=boxes[0][image, obj.argmax(-1)],
        sub_pointer_logits=sub,
        obj_pointer_logits=obj,
        no_interaction_logits=actions[..., -1:],
        instance_logits=logits,
        instance_boxes=boxes,
    )
    return preds, dict(pred_hidx=sub, pred_oidx=obj, pred_actions=actions)


def official_name(ours):
    """``d0.loss_verb`` -> ``loss_act_0``; the last layer has no suffix."""
    layer, _, name = ours.rpartition(".")
    official = {v: k for k, v in LOSS_NAMES.items()}[name]
    return f"{official}_{layer[1:]}" if layer else official


def fixture(reference_dir, name):
    """An npz of HOTR's fixtures as a dict."""
    return dict(load_arrays(reference_dir, "hotr", name))
