"""Pair detectors out of plain ones: what becomes of a DETR's heads and decoder.

Each initialiser changes a state dict, renamed by the key tables (heads still as ``class_embed``, ``bbox_embed``), in
place and returns the names of new tensors.
"""

import torch
from torch import Tensor

from .key_tables import UNUSED_COCO_IDS

StateDict = dict[str, Tensor]


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
    generator = torch.Generator().manual_seed(0)
    bound = state["class_embed.weight"].shape[1] ** -0.5
    for part in ("weight", "bias"):
        rows = coco_rows(state.pop(f"class_embed.{part}"))
        if dataset == "vcoco":
            missing = (torch.rand(1, *rows.shape[1:], generator=generator) * 2 - 1) * bound
            rows = torch.cat([rows[:-1], missing.to(rows.dtype), rows[-1:]])
        new[f"bbox_head.obj_cls.{part}"] = rows
    state.update(new)
    return list(new)


def coco_rows(class_rows: Tensor) -> Tensor:
    """80 COCO classes and "no object" out of DETR's 92 rows (ids 0..91); 81 rows pass as they are (mmdet).

    Raises:
        ValueError: another number of rows.
    """
    if len(class_rows) == 81:
        return class_rows
    if len(class_rows) != 92:
        raise ValueError(f"DETR's class layer has {len(class_rows)} rows; expected 92 (official) or 81 (mmdet).")
    return class_rows[[i for i in range(1, 91) if i not in UNUSED_COCO_IDS] + [91]]


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

    mmdet's Conditional DETR has 80 sigmoid classes. "No object" gets a zero row: of a single class against it, the
    softmax is that class's sigmoid. There is one decoder, so ``copy_decoder`` has no effect.

    Returns:
        list[str]: names of the new tensors.
    """
    state["query_embedding.weight"] = state["query_embedding.weight"][:CONDITIONAL_QUERIES].clone()
    for name in ("class_embed.weight", "class_embed.bias"):
        if len(state[name]) == 80:
            state[name] = torch.cat([state[name], torch.zeros_like(state[name][:1])])
    return init_qpic(state, dataset)


CONDITIONAL_QUERIES = 100

INITIALISERS = {"qpic": init_qpic, "cdn": init_cdn, "conditional": init_conditional}
