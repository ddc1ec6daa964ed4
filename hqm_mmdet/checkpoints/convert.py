"""Convert checkpoints of other code bases into ours, and say what became of every tensor."""

import re
from dataclasses import dataclass, field
from pathlib import Path

import torch
from torch import Tensor

from hqm_mmdet.compat import load_untrusted

from .initialise import INITIALISERS
from .key_tables import (
    MMDET_CONDITIONAL,
    MMDET_DETR,
    OFFICIAL_CDN,
    OFFICIAL_CDN_HQM,
    OFFICIAL_DETR,
    OFFICIAL_HQM,
    OFFICIAL_QPIC,
    Rules,
)

StateDict = dict[str, Tensor]
DATASETS = ("hico", "vcoco")


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
        initialises (tuple[str]): keys of ``INITIALISERS``; the pair detectors that this box detector can become, the
            usual one first. Empty: it is a pair detector already.
    """

    title: str
    marker: str
    rules: Rules
    initialises: tuple[str, ...] = ()


DETR_HEAD = (r"^((?:class|bbox)_embed)\.", r"\1.")
FROM_DETR = ("qpic", "cdn")
# A CDN holds the marker of QPIC too, a Conditional DETR that of DETR, so they come first.
SOURCES = {
    "cdn_hqm": Source("official HQM on CDN", "bbox_enc.layers.0.weight", OFFICIAL_CDN_HQM),
    "cdn": Source("official CDN", "transformer.interaction_decoder.norm.weight", OFFICIAL_CDN),
    "qpic": Source("official QPIC", "obj_class_embed.weight", OFFICIAL_QPIC),
    "hqm": Source("official HQM on QPIC", "transformer.decoder.obj_class_embed.weight", OFFICIAL_HQM),
    "detr": Source("official DETR, as initialisation", "class_embed.weight", [*OFFICIAL_DETR, DETR_HEAD], FROM_DETR),
    "mmdet_conditional_detr": Source(
        "mmdet Conditional DETR, as initialisation",
        "decoder.layers.0.cross_attn.qpos_sine_proj.weight",
        MMDET_CONDITIONAL,
        ("conditional",),
    ),
    "mmdet_detr": Source("mmdet DETR, as initialisation", "bbox_head.fc_cls.weight", MMDET_DETR, FROM_DETR),
}


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
    state: StateDict,
    source: str | None = None,
    dataset: str = "hico",
    model: str | None = None,
    copy_decoder: bool = True,
) -> tuple[StateDict, ConversionReport]:
    """Rename, and where the source is a plain detector, initialise a pair detector.

    Args:
        state (dict[str, Tensor]): the source's weights.
        source (str, optional): a key of ``SOURCES``. Default: recognised by the keys.
        dataset (str): ``hico`` or ``vcoco``, decides the object classes of an initialised head.
        model (str, optional): the pair detector that is initialised, a key of ``INITIALISERS``. Default: the first that
            the source can become.
        copy_decoder (bool): whether a second decoder starts as a copy of DETR's; False leaves it at random values.

    Returns:
        tuple[dict[str, Tensor], ConversionReport]: our weights, and what became of each tensor.

    Raises:
        ValueError: unknown source, data set or model; two names of one tensor hold different values; the source does
            not fit the model.
    """
    if dataset not in DATASETS:
        raise ValueError(f"dataset must be one of {DATASETS}, got {dataset!r}.")
    if source is not None and source not in SOURCES:
        raise ValueError(f"source must be one of {tuple(SOURCES)}, got {source!r}.")
    source = source or recognise(state)
    models = SOURCES[source].initialises
    if model is not None and model not in models:
        raise ValueError(
            f"{SOURCES[source].title}: initialises {models or 'nothing, it is a pair detector already'}, "
            f"got model={model!r}."
        )
    report, converted = ConversionReport(source), {}
    for old, tensor in state.items():
        new = _rename(old, SOURCES[source].rules)
        if new is None:
            report.dropped.append(old)
        elif new in converted and not torch.equal(converted[new], tensor):
            raise ValueError(f"{old} is another name of {new}, but the two hold different values.")
        else:
            converted[new] = tensor
            report.renamed[old] = new
    if models:
        report.added = INITIALISERS[model or models[0]](converted, dataset, copy_decoder)
        report.renamed = {old: new for old, new in report.renamed.items() if new in converted}
    return converted, report


def _rename(name: str, rules: Rules) -> str | None:
    for pattern, replacement in rules:
        new, count = re.subn(pattern, replacement, name)
        if count:
            return new
    return None


def convert_checkpoint(
    src: str | Path, dst: str | Path, source: str | None = None, dataset: str = "hico", **options
) -> ConversionReport:
    """Read ``src`` without running code it may hold, convert, write ``dst`` (``.pth`` or ``.safetensors``).

    ``source``, ``dataset`` and further options are those of :func:`convert_state_dict`.

    Raises:
        FileNotFoundError: no such file.
        RuntimeError: ``src`` is damaged or wants to run code.
        ValueError: not recognised.
    """
    checkpoint = load_untrusted(src, "cpu")
    state = next((checkpoint[key] for key in ("model", "state_dict") if key in checkpoint), checkpoint)
    try:
        converted, report = convert_state_dict(state, source, dataset, **options)
    except ValueError as error:
        raise ValueError(f"{src}: {error}") from error
    if str(dst).endswith(".safetensors"):
        from safetensors.torch import save_file

        save_file({name: tensor.contiguous() for name, tensor in converted.items()}, dst)
    else:
        torch.save({"state_dict": converted, "meta": {"converted_from": report.source}}, dst)
    return report
