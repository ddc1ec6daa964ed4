"""Convert checkpoints of other code bases into ours, and say what became of every tensor."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import torch
from torch import Tensor

from hqm_mmdet.safe_loading import CheckpointError, load_trusted, load_untrusted

from .contents import weight_defect
from .files import Checkpoint, write_checkpoint
from .initialise import INITIALISERS
from .key_tables import Rules
from .loading import TRAINING_ONLY, differing_names, remedy_of_shapes, without_module
from .sources import SOURCES, ConversionError, Source, StateDict, recognise
from .tensorflow import read_npz

DATASETS = ("hico", "vcoco")


@dataclass
class ConversionReport:
    """What became of each tensor of the source.

    Args:
        source (str): name of the recognised code base.
        renamed (dict[str, str]): old name -> new name; the same where the two code bases agree.
        added (list[str]): new tensors that were made from others.
        dropped (list[str]): old names without a place in the new model.
        missing (list[str], optional): parameters of the model that the source does not give; None if not compared.
        notes (list[str]): what became of a detector's own classes.
    """

    source: str
    renamed: dict[str, str] = field(default_factory=dict)
    added: list[str] = field(default_factory=list)
    dropped: list[str] = field(default_factory=list)
    missing: list[str] | None = None
    notes: list[str] = field(default_factory=list)

    def __str__(self) -> str:
        lines = [f"source: {SOURCES[self.source].title}"]
        lines += [f"  {old} -> {new}" if old != new else f"  kept {old}" for old, new in self.renamed.items()]
        for what in ("added", "dropped", "missing"):
            lines += [f"  {what} {name}" for name in getattr(self, what) or ()]
        return "\n".join([*lines, self.summary()])

    def summary(self) -> str:
        """Counts, in one line."""
        kept = sum(old == new for old, new in self.renamed.items())
        missing = "missing unknown (no config)" if self.missing is None else f"{len(self.missing)} missing"
        return (
            f"{SOURCES[self.source].title}: {len(self.renamed) - kept} renamed, {kept} kept, {len(self.added)} added, "
            f"{len(self.dropped)} dropped, {missing}{''.join(f'; {note}' for note in self.notes)}"
        )


def convert_state_dict(
    state: StateDict,
    source: str | None = None,
    dataset: str = "hico",
    model: str | None = None,
    copy_decoder: bool = True,
    partial: bool = False,
) -> tuple[StateDict, ConversionReport]:
    """Rename, and where the source is a plain detector, initialise a pair detector.

    Args:
        state (dict[str, Tensor]): the source's weights.
        source (str, optional): a key of ``SOURCES``. Default: recognised by the keys.
        dataset (str): ``hico`` or ``vcoco``, decides the object classes of an initialised head. Default: ``hico``.
        model (str, optional): the pair detector that is initialised, a key of ``INITIALISERS``. Default: the first that
            the source can become.
        copy_decoder (bool): whether a second decoder starts as a copy of DETR's; False leaves it at random values.
            Default: True.
        partial (bool): allow a pair detector of which some tensors have no place in ours. Default: False.

    Returns:
        tuple[dict[str, Tensor], ConversionReport]: our weights, and what became of each tensor.

    Raises:
        ConversionError: the file is of another source; two names of one tensor hold different values; the source does
            not fit the model; a pair detector would be converted in part.
        ValueError: unknown source or data set.
    """
    if dataset not in DATASETS:
        raise ValueError(f"dataset must be one of {DATASETS}, got {dataset!r}.")
    if source is not None and source not in SOURCES:
        raise ValueError(f"source must be one of {tuple(SOURCES)}, got {source!r}.")
    source = source or recognise(state)
    if SOURCES[source].marker not in state:
        raise ConversionError(
            f"{SOURCES[source].title}: the file has no {SOURCES[source].marker!r}. Leave --source out to have the "
            "code base recognised."
        )
    models = SOURCES[source].initialises
    if model is not None and model not in models:
        raise ConversionError(
            f"{SOURCES[source].title}: initialises {models or 'nothing, it is a pair detector already'}, "
            f"got model={model!r}."
        )
    report, converted = ConversionReport(source), {}
    unused = _unused(state, SOURCES[source])
    for old, tensor in state.items():
        new = None if old in unused else _rename(old, SOURCES[source].rules)
        if new is not None:
            tensor = SOURCES[source].layout(new, tensor)
        if new is None:
            report.dropped.append(old)
        # Official HOTR holds its encoder twice. Equal copies are one tensor; different ones are no HOTR.
        elif new in converted and not torch.equal(converted[new], tensor):
            raise ConversionError(f"{old} is another name of {new}, but the two hold different values.")
        else:
            converted[new] = tensor
            report.renamed[old] = new
    # A box detector's heads are replaced anyway. Of a pair detector, everything that it reads has a meaning.
    homeless = [name for name in report.dropped if name not in unused]
    if homeless and not (models or partial):
        raise ConversionError(
            f"{SOURCES[source].title}: {len(homeless)} tensors have no place in our model, e.g. "
            f"{homeless[:3]}. Convert the rest with --partial if they are not needed."
        )
    if models:
        try:
            report.added = INITIALISERS[model or models[0]](converted, dataset, copy_decoder)
        except (KeyError, IndexError, RuntimeError) as error:  # a tensor is missing, or of another shape
            raise ConversionError(f"{SOURCES[source].title}: it is incomplete or unfit ({error!r}).") from error
        # The initialiser has replaced some tensors: they are `added`, not renamed.
        report.renamed = {old: new for old, new in report.renamed.items() if new in converted}
    return converted, report


def _unused(state: StateDict, source: Source) -> set[str]:
    """Names of tensors that the source itself does not read."""
    unused = {name for name in state if any(re.search(pattern, name) for pattern in source.unused)}
    # HOICLIP keeps a second matrix for evaluation on all classes, also where training had all of them
    if "verb2hoi_proj_eval" in state and "eval_visual_projection.weight" not in state:
        unused.add("verb2hoi_proj_eval")
    return unused


def _rename(name: str, rules: Rules) -> str | None:
    for pattern, replacement in rules:
        new, count = re.subn(pattern, replacement, name)
        if count:
            return new
    return None


def convert_checkpoint(
    src: str | Path,
    dst: str | Path,
    source: str | None = None,
    dataset: str = "hico",
    trust: bool = False,
    own: Mapping[str, Tensor] | None = None,
    **options,
) -> ConversionReport:
    """Read ``src``, convert, write ``dst`` (``.pth`` or ``.safetensors``).

    :func:`hqm_mmdet.apis.conversion.convert_to_file` finds out the config besides.

    Args:
        src, source, dataset, trust, own, options: as in :func:`read_foreign`.
        dst (str | Path): file to write.

    Raises:
        FileNotFoundError, CheckpointError, ConversionError: see :func:`read_foreign`.
        FormatError: an unknown ending of ``dst``.
    """
    checkpoint, report = read_foreign(src, source, dataset, trust, own, **options)
    write_checkpoint(dst, checkpoint.state, checkpoint.meta)
    return report


def read_foreign(
    src: str | Path,
    source: str | None = None,
    dataset: str = "hico",
    trust: bool = False,
    own: Mapping[str, Tensor] | None = None,
    **options,
) -> tuple[Checkpoint, ConversionReport]:
    """Read a file of another code base as if it were one of ours.

    Args:
        src (str | Path): file to read, without running code that it may hold; ``.npz``: TensorFlow's variables, see
            :mod:`~.tensorflow`.
        source, dataset, options: as in :func:`convert_state_dict`.
        trust (bool): read ``src`` with unrestricted unpickling; it can run any code. Default: False.
        own (Mapping[str, Tensor], optional): state dict of the model that the weights are for. Shapes must agree, and a
            pair detector must give every parameter unless ``partial``; the report lists what is missing.

    Returns:
        tuple[Checkpoint, ConversionReport]: our weights, and what became of each tensor.

    Raises:
        FileNotFoundError: no such file.
        CheckpointError: ``src`` is damaged, wants to run code, or does not fit ``own``.
        ConversionError: not recognised, or not complete.
    """
    if str(src).endswith(".npz"):
        state = read_npz(src)
    else:
        state = _weights((load_trusted if trust else load_untrusted)(src, "cpu"), src)
    try:
        converted, report = convert_state_dict(state, source, dataset, **options)
    except ConversionError as error:
        raise ConversionError(f"{src}: {error}") from error
    _note_own_classes(converted, report)
    if own is not None:
        complete = not (SOURCES[report.source].initialises or options.get("partial"))
        _leave_out_classes(converted, own, report)
        report.missing = compare(converted, own, str(src), complete)
    return Checkpoint(str(src), converted, {"converted_from": report.source}), report


CLASS_LAYER = ("bbox_head.obj_cls.weight", "bbox_head.obj_cls.bias")
COCO_OUTPUTS = (81, 82)  # 80 classes and "no object"; V-COCO's models have "missing object" besides


def _note_own_classes(converted: StateDict, report: ConversionReport) -> None:
    """Say so if a detector was tuned on classes of its own."""
    rows = len(converted[CLASS_LAYER[0]]) if CLASS_LAYER[0] in report.added else COCO_OUTPUTS[0]
    if rows not in COCO_OUTPUTS:
        report.notes.append(
            f"the class layer has {rows} outputs, not COCO's: a model with as many takes it over; for another give "
            "--config, or train with --fresh bbox_head.obj_cls"
        )


def _leave_out_classes(converted: StateDict, own: Mapping[str, Tensor], report: ConversionReport) -> None:
    """Drop the class layer of a plain detector where the model has other classes."""
    weight = CLASS_LAYER[0]
    if weight not in report.added or weight not in own or own[weight].shape == converted[weight].shape:
        return
    report.notes = [
        f"the class layer is left out, it has {len(converted[weight])} outputs and the model {len(own[weight])}: it "
        "starts afresh"
    ]
    report.added = [name for name in report.added if name not in CLASS_LAYER]
    for name in CLASS_LAYER:
        del converted[name]


def _weights(checkpoint, src: str | Path) -> StateDict:
    """The state dict of a checkpoint file, wherever its code base puts it."""
    if isinstance(checkpoint, Mapping):
        state = next(
            (checkpoint[key] for key in ("model", "state_dict", "model_state_dict") if key in checkpoint), checkpoint
        )
        named = isinstance(state, Mapping) and all(isinstance(name, str) for name in state)
        if named and state and all(isinstance(value, Tensor) for value in state.values()):
            if (defect := weight_defect(state)) is not None:
                raise CheckpointError(f"Checkpoint {src}: {defect}. The file is damaged, or its training diverged.")
            return without_module(state)
    raise CheckpointError(
        f"Checkpoint {src} holds no weights: no dict of tensors, nor one under `model`, `state_dict`, "
        "`model_state_dict`."
    )


def compare(converted: StateDict, own: Mapping[str, Tensor], name: str, complete: bool) -> list[str]:
    """Parameters of a model that ``converted`` lacks, apart from what only training uses.

    Raises:
        CheckpointError: a shape differs; or something is missing, or unknown to the model, and ``complete`` is asked.
    """
    for key, tensor in converted.items():
        if key in own and own[key].shape != tensor.shape:
            shapes = tuple(tensor.shape), tuple(own[key].shape)
            raise CheckpointError(
                f"{name}: {key} is {shapes[0]}, in the config's model {shapes[1]}. Is it the config of this model and "
                f"data set? {remedy_of_shapes({key: shapes})}"
            )
    missing, unknown = differing_names(converted, own, TRAINING_ONLY)
    if complete and (missing or unknown):
        raise CheckpointError(
            f"{name} does not fit the config: it lacks {len(missing)} parameters, e.g. {missing[:3]}, and has "
            f"{len(unknown)} that the model does not have, e.g. {unknown[:3]}. --partial converts what there is."
        )
    return missing
