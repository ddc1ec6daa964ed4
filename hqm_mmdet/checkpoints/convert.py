"""Convert checkpoints of other code bases into ours, and say what became of every tensor."""

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import torch
from torch import Tensor

from hqm_mmdet.compat import load_untrusted

from .key_tables import (
    MMDET_CONDITIONAL,
    MMDET_DETR,
    OFFICIAL_DETR,
    OFFICIAL_HQM,
    OFFICIAL_QPIC,
    UNUSED_COCO_IDS,
    Rules,
)

StateDict = dict[str, Tensor]
DATASETS = ("hico", "vcoco")
NUM_QUERIES = 100  # of pair detectors


@dataclass
class ConversionReport:
    """What became of each tensor of the source.

    Args:
        source (str): name of the recognised code base.
        renamed (dict[str, str]): old name -> new name.
        added (list[str]): new tensors that were made from others.
        dropped (list[str]): old names without a place in the new model.
    """

    source: str
    renamed: dict[str, str] = field(default_factory=dict)
    added: list[str] = field(default_factory=list)
    dropped: list[str] = field(default_factory=list)

    def __str__(self) -> str:
        lines = [f"source: {self.source}"]
        lines += [f"  {old} -> {new}" for old, new in self.renamed.items()]
        lines += [f"  added {name}" for name in self.added] + [f"  dropped {name}" for name in self.dropped]
        return "\n".join([*lines, f"{len(self.renamed)} renamed, {len(self.added)} added, {len(self.dropped)} dropped"])


@dataclass(frozen=True)
class Source:
    """A code base: how its checkpoints are told and named.

    Args:
        title (str): for messages.
        marker (str): a key that only its checkpoints hold.
        rules (list): renaming rules.
        initialise (callable, optional): makes a head for pairs out of a detector's, in place; takes the renamed state
            dict and the data set's name.
    """

    title: str
    marker: str
    rules: Rules
    initialise: Callable[[StateDict, str], list[str]] | None = None


def init_pair_head(state: StateDict, dataset: str) -> list[str]:
    """Replace DETR's ``class_embed``/``bbox_embed`` by the head of a pair detector, as QPIC initialises it.

    Both box networks are copies of DETR's. The object class layer takes the 80 used COCO classes and "no object"; for
    V-COCO a row for "missing object" is put before the last, with PyTorch's initialisation of linear layers (drawn from
    a fixed seed). The verb layer stays at its initialisation. Source: QPIC's ``convert_parameters.py``. Of more than
    100 queries (Conditional DETR has 300) the first 100 are taken.

    Returns:
        list[str]: names of the new tensors.
    """
    new = {}
    if "query_embedding.weight" in state:
        state["query_embedding.weight"] = state["query_embedding.weight"][:NUM_QUERIES].clone()
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

    Conditional DETR has 80 rows for sigmoids and gets a zero row for "no object": of a single class against it, the
    softmax is that class's sigmoid.

    Raises:
        ValueError: another number of rows.
    """
    if len(class_rows) == 81:
        return class_rows
    if len(class_rows) == 80:
        return torch.cat([class_rows, torch.zeros_like(class_rows[:1])])
    if len(class_rows) != 92:
        raise ValueError(
            f"The class layer has {len(class_rows)} rows; expected 92 (official DETR), 81 (mmdet DETR) or 80 (mmdet "
            "Conditional DETR)."
        )
    return class_rows[[i for i in range(1, 91) if i not in UNUSED_COCO_IDS] + [91]]


SOURCES = {
    "qpic": Source("official QPIC", "obj_class_embed.weight", OFFICIAL_QPIC),
    "hqm": Source("official HQM on QPIC", "transformer.decoder.obj_class_embed.weight", OFFICIAL_HQM),
    "detr": Source("official DETR, as initialisation", "class_embed.weight", OFFICIAL_DETR + [
        (r"^((?:class|bbox)_embed)\.", r"\1.")], init_pair_head),
    "mmdet_conditional_detr": Source(
        "mmdet Conditional DETR, as initialisation", "decoder.layers.0.cross_attn.qpos_sine_proj.weight",
        MMDET_CONDITIONAL, init_pair_head),
    "mmdet_detr": Source("mmdet DETR, as initialisation", "bbox_head.fc_cls.weight", MMDET_DETR, init_pair_head),
}  # fmt: skip


def recognise(state: StateDict) -> str:
    """Name of the source whose marker the keys hold.

    Raises:
        ValueError: no source fits, or the file is one of ours.
    """
    for name, source in SOURCES.items():
        if source.marker in state:
            return name
    if "bbox_head.obj_cls.weight" in state:
        raise ValueError("This is a checkpoint of hqm_mmdet; nothing to convert.")
    known = ", ".join(f"{source.title} ({source.marker})" for source in SOURCES.values())
    raise ValueError(f"Checkpoint not recognised by its keys, e.g. {list(state)[:3]}. Known: {known}.")


def convert_state_dict(
    state: StateDict, source: str | None = None, dataset: str = "hico"
) -> tuple[StateDict, ConversionReport]:
    """Rename, and where the source is a plain detector, initialise the head of a pair detector.

    Args:
        state (dict[str, Tensor]): the source's weights.
        source (str, optional): a key of ``SOURCES``. Default: recognised by the keys.
        dataset (str): ``hico`` or ``vcoco``, decides the object classes of an initialised head.

    Returns:
        tuple[dict[str, Tensor], ConversionReport]: our weights, and what became of each tensor.

    Raises:
        ValueError: unknown source or data set.
    """
    if dataset not in DATASETS:
        raise ValueError(f"dataset must be one of {DATASETS}, got {dataset!r}.")
    if source is not None and source not in SOURCES:
        raise ValueError(f"source must be one of {tuple(SOURCES)}, got {source!r}.")
    source = source or recognise(state)
    report, converted = ConversionReport(source), {}
    for old, tensor in state.items():
        new = _rename(old, SOURCES[source].rules)
        if new is None:
            report.dropped.append(old)
        else:
            converted[new] = tensor
            report.renamed[old] = new
    if SOURCES[source].initialise:
        report.added = SOURCES[source].initialise(converted, dataset)
        report.renamed = {old: new for old, new in report.renamed.items() if new in converted}
    return converted, report


def _rename(name: str, rules: Rules) -> str | None:
    for pattern, replacement in rules:
        new, count = re.subn(pattern, replacement, name)
        if count:
            return new
    return None


def convert_checkpoint(
    src: str | Path, dst: str | Path, source: str | None = None, dataset: str = "hico"
) -> ConversionReport:
    """Read ``src`` without running code it may hold, convert, write ``dst`` (``.pth`` or ``.safetensors``).

    Raises:
        FileNotFoundError: no such file.
        RuntimeError: ``src`` is damaged or wants to run code.
        ValueError: not recognised.
    """
    checkpoint = load_untrusted(src, "cpu")
    state = next((checkpoint[key] for key in ("model", "state_dict") if key in checkpoint), checkpoint)
    try:
        converted, report = convert_state_dict(state, source, dataset)
    except ValueError as error:
        raise ValueError(f"{src}: {error}") from error
    if str(dst).endswith(".safetensors"):
        from safetensors.torch import save_file

        save_file({name: tensor.contiguous() for name, tensor in converted.items()}, dst)
    else:
        torch.save({"state_dict": converted, "meta": {"converted_from": report.source}}, dst)
    return report
