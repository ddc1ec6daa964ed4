"""Pair detectors out of plain ones: what becomes of a DETR's heads and decoder.

Each initialiser changes a state dict, renamed by the key tables (heads still as ``class_embed``, ``bbox_embed``), in
place and returns the names of new tensors.
"""

import torch
from torch import Tensor

from .key_tables import USED_ROWS
from .sources import ConversionError, StateDict


def init_qpic(state: StateDict, dataset: str, copy_decoder: bool = True) -> list[str]:
    """Replace DETR's ``class_embed``/``bbox_embed`` by the head of a pair detector, as QPIC initialises it.

    Both box networks are copies of DETR's. The object class layer takes the 80 used COCO classes and "no object"; for
    V-COCO a row for "missing object" is put before the last, with PyTorch's initialisation of linear layers (drawn from
    a fixed seed). The verb layer stays at its initialisation. Source: QPIC's ``convert_parameters.py``. There is one
    decoder, so ``copy_decoder`` has no effect.

    Returns:
        list[str]: names of the new tensors.
    """
    new = {}
    for name in [name for name in state if name.startswith("bbox_embed.")]:
        tensor = state.pop(name)
        for who in ("sub", "obj"):
            new[name.replace("bbox_embed", f"bbox_head.{who}_box")] = tensor.clone()
    # Fixed, so that converting twice gives the same file.
    generator = torch.Generator().manual_seed(0)
    # nn.Linear draws weight and bias from U(-1/sqrt(in), 1/sqrt(in)).
    bound = state["class_embed.weight"].shape[1] ** -0.5
    for part in ("weight", "bias"):
        rows = coco_rows(state.pop(f"class_embed.{part}"))
        if dataset == "vcoco" and len(rows) == COCO_ROWS:
            missing = (torch.rand(1, *rows.shape[1:], generator=generator) * 2 - 1) * bound
            rows = torch.cat([rows[:-1], missing.to(rows.dtype), rows[-1:]])
        new[f"bbox_head.obj_cls.{part}"] = rows
    state.update(new)
    return list(new)


COCO_ROWS = 81


def coco_rows(class_rows: Tensor) -> Tensor:
    """80 COCO classes and "no object" out of DETR's 92 rows (ids 0..91).

    Other numbers pass as they are: 81 are the same already (mmdet), the rest are classes of a DETR's own data set.
    """
    return class_rows[USED_ROWS] if len(class_rows) == 92 else class_rows


def init_cdn(state: StateDict, dataset: str, copy_decoder: bool = True) -> list[str]:
    """As :func:`init_qpic`, with CDN's queries and second decoder.

    HICO-DET takes the first 64 queries. Both decoders are copies of DETR's with all its layers; CDN-S, which has 3,
    leaves the rest of them. The author says that the published models started so (issue 18 of the official repository).
    The released converter writes names that the model does not have, so its interaction decoder starts at random
    values: ``copy_decoder=False``.

    Returns:
        list[str]: names of the new tensors.
    """
    new = init_qpic(state, dataset)
    if dataset == "hico":
        state["query_embedding.weight"] = state["query_embedding.weight"][:CDN_HICO_QUERIES].clone()
    if not copy_decoder:
        return new
    decoder = {name: tensor for name, tensor in state.items() if name.startswith("decoder.")}
    state.update({f"interaction_{name}": tensor.clone() for name, tensor in decoder.items()})
    return new + [f"interaction_{name}" for name in decoder]


CDN_HICO_QUERIES = 64


def init_conditional(state: StateDict, dataset: str, copy_decoder: bool = True) -> list[str]:
    """As :func:`init_qpic`, out of a Conditional DETR: the first 100 of its 300 queries, and a class "no object".

    mmdet's Conditional DETR has a sigmoid per class, 80 for COCO. "No object" gets a zero row: of a single class
    against it, the softmax is that class's sigmoid. There is one decoder, so ``copy_decoder`` has no effect.

    Returns:
        list[str]: names of the new tensors.
    """
    state["query_embedding.weight"] = state["query_embedding.weight"][:CONDITIONAL_QUERIES].clone()
    for name in ("class_embed.weight", "class_embed.bias"):
        if len(state[name]) != COCO_ROWS:  # with "no object" it is a softmax already
            state[name] = torch.cat([state[name], torch.zeros_like(state[name][:1])])
    return init_qpic(state, dataset)


CONDITIONAL_QUERIES = 100


def init_hotr(state: StateDict, dataset: str, copy_decoder: bool = True) -> list[str]:
    """DETR becomes HOTR's instance branch as it is; a copy of its decoder starts the interaction decoder.

    The official flag ``pretrained_dec`` means to copy too, but does so before the checkpoint is read, so its decoder
    starts at random values: ``copy_decoder=False``. Interaction queries, pointers and verb layer stay at their
    initialisation. The class layer keeps DETR's 92 outputs whatever the data set is.

    Returns:
        list[str]: names of the new tensors.

    Raises:
        ConversionError: a part of the instance branch, which does not learn, is missing.
    """
    # Names change places (decoder -> instance_decoder, and back as a copy), so the dict is rebuilt.
    before = dict(state)
    state.clear()
    for name, tensor in before.items():
        part, _, rest = name.partition(".")
        ours = HOTR_INSTANCE_PARTS.get(part, part)
        state[f"{ours}.{rest}"] = _as_coco_ids(tensor) if part == "class_embed" else tensor
        if part == "decoder" and copy_decoder:
            state[name] = tensor.clone()
    parts = ("backbone", "neck", "encoder", *HOTR_INSTANCE_PARTS.values())
    missing = [part for part in parts if not any(name.startswith(f"{part}.") for name in state)]
    if missing:
        raise ConversionError(f"The DETR lacks {missing}; HOTR's frozen instance branch needs all of it.")
    return [name for name in state if name not in before]


HOTR_INSTANCE_PARTS = {
    "decoder": "instance_decoder",
    "query_embedding": "instance_queries",
    "class_embed": "bbox_head.instance_head.cls",
    "bbox_embed": "bbox_head.instance_head.box",
}


def _as_coco_ids(rows: Tensor) -> Tensor:
    """92 rows of official DETR's class layer; out of mmdet's 81, ids without a class get no probability."""
    if len(rows) == 92:
        return rows
    if len(rows) != COCO_ROWS:
        raise ConversionError(
            f"DETR's class layer has {len(rows)} rows; HOTR's instance branch, which does not learn, needs COCO's: 92 "
            "(official) or 81 (mmdet)."
        )
    spread = rows.new_full(
        (92, *rows.shape[1:]), -100.0 if rows.dim() == 1 else 0.0
    )  # as logits, -100 has no probability
    spread[USED_ROWS] = coco_rows(rows)
    return spread


def init_hoiclip(state: StateDict, dataset: str, copy_decoder: bool = True) -> list[str]:
    """DETR becomes HOICLIP's instance decoder; both box networks are copies of DETR's.

    Queries, interaction decoder and classifiers stay at their initialisation. There is one decoder of DETR's width, so
    ``copy_decoder`` has no effect. Source: the training recipe of the official code.

    Returns:
        list[str]: names of the new tensors.
    """
    new = {}
    for name in [name for name in state if name.startswith(("bbox_embed.", "class_embed.", "query_embedding."))]:
        tensor = state.pop(name)
        if name.startswith("bbox_embed."):
            new |= {name.replace("bbox_embed", f"bbox_head.{who}_box"): tensor.clone() for who in ("sub", "obj")}
    state.update(new)
    return list(new)


def init_genvlkt(state: StateDict, dataset: str, copy_decoder: bool = True) -> list[str]:
    """As :func:`init_hoiclip`; the interaction decoder starts as a copy of DETR's, too, unless ``copy_decoder=False``.

    Source: GEN-VLKT's ``convert_parameters.py``.

    Returns:
        list[str]: names of the new tensors.
    """
    new = init_hoiclip(state, dataset)
    if not copy_decoder:
        return new
    decoder = {f"interaction_{name}": value.clone() for name, value in state.items() if name.startswith("decoder.")}
    state.update(decoder)
    return new + list(decoder)


def init_detector(state: StateDict, dataset: str, copy_decoder: bool = True) -> list[str]:
    """DETR stays one, with mmdet's names: the detector of a two-stage model (``model.instances.checkpoint``).

    Of 92 class rows the 80 used ones and "no object" are kept; neither data set nor ``copy_decoder`` has an effect.

    Returns:
        list[str]: names of the tensors that were renamed here.
    """
    new = {}
    for name in [name for name in state if name.startswith(("class_embed.", "bbox_embed."))]:
        tensor, part = state.pop(name), name.rpartition(".")[0]
        ours = f"{DETECTOR_PARTS[part]}.{name.rpartition('.')[2]}"
        new[ours] = coco_rows(tensor) if part == "class_embed" else tensor
    state.update(new)
    return list(new)


DETECTOR_PARTS = {
    "class_embed": "bbox_head.fc_cls",
    "bbox_embed.layers.0": "bbox_head.reg_ffn.layers.0.0",
    "bbox_embed.layers.1": "bbox_head.reg_ffn.layers.1",
    "bbox_embed.layers.2": "bbox_head.fc_reg",
}


H_DETR_COCO_ROWS = 91


def init_h_detector(state: StateDict, dataset: str, copy_decoder: bool = True) -> list[str]:
    """H-Deformable-DETR stays one, with our names: the detector of a two-stage model (``model.instances.checkpoint``).

    Of COCO's 91 class rows (ids 0..90) the 80 used ones are kept; neither data set nor ``copy_decoder`` has an effect.

    Returns:
        list[str]: names of the tensors that were changed here.

    Raises:
        ConversionError: another Deformable DETR: in one stage, without iterative refinement or mixed selection.
    """
    contents, width = state.get("query_embedding.weight"), state["level_embed"].shape[1]
    if contents is None or contents.shape[1] != width or "memory_trans_fc.weight" not in state:
        raise ConversionError(
            "This Deformable DETR is no H-Deformable-DETR: it has not both two stages and learned contents of queries "
            "(mixed selection). mmdet has weights of Deformable DETR of its own."
        )
    changed = [name for name, rows in state.items() if ".cls_branches." in name and len(rows) == H_DETR_COCO_ROWS]
    state.update({name: state[name][USED_ROWS[:-1]] for name in changed})
    return changed


INITIALISERS = {
    "qpic": init_qpic,
    "cdn": init_cdn,
    "conditional": init_conditional,
    "hotr": init_hotr,
    "genvlkt": init_genvlkt,
    "hoiclip": init_hoiclip,
    "detector": init_detector,
    "h_detector": init_h_detector,
}
