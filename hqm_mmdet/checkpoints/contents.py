"""What a checkpoint file must hold to be weights: names, dense tensors, finite numbers of the model's kind."""

from collections.abc import Mapping

import torch
from torch import Tensor

from hqm_mmdet.safe_loading import CheckpointError
from hqm_mmdet_cli.installation import command

HUB_PARTS = ("log_scalars", "runtime_info", "resumed_keys")  # of mmengine's message hub


def weights_of(content, name: str) -> Mapping[str, Tensor]:
    """The weights in a checkpoint, alone or under ``state_dict``.

    Args:
        content: what the file holds.
        name (str): of the file, for messages.

    Raises:
        CheckpointError: it holds none, or something else among them.
    """
    state = content.get("state_dict", content) if isinstance(content, Mapping) else None
    if not isinstance(state, Mapping):
        raise CheckpointError(f"Checkpoint {name} holds no weights: no dict of tensors, nor one under `state_dict`.")
    for key, value in state.items():
        if not isinstance(key, str) or not isinstance(value, Tensor):
            what = "a name that is no text" if not isinstance(key, str) else f"{type(value).__name__}, no tensor"
            raise CheckpointError(
                f"Checkpoint {name} holds no weights: under {key!r} there is {what}. A file of another code base is "
                f"converted first: `{command(f'convert {name} OUT.pth')}`."
            )
    return state


def weight_defect(state: Mapping[str, Tensor], own: Mapping[str, Tensor] | None = None) -> str | None:
    """What makes weights unusable, or None: a sparse tensor, another kind of number, NaN or infinity.

    Args:
        state (Mapping[str, Tensor]): weights.
        own (Mapping[str, Tensor], optional): the model's; what it does not have is not looked at. Default: everything
            is, and numbers of any kind are right.
    """
    for key, value in state.items():
        mine = value if own is None else own.get(key)
        if isinstance(mine, Tensor) and (defect := _defect(value, mine)):
            return f"its parameter {key} {defect}"
    return None


def _defect(value: Tensor, mine: Tensor) -> str | None:
    if value.layout is not torch.strided or value.is_quantized:
        return f"is {'quantised' if value.is_quantized else 'sparse'}, and dense numbers are needed"
    if value.is_meta:
        return "holds no numbers (it lies on the device `meta`)"
    if value.is_floating_point() != mine.is_floating_point() or value.is_complex() != mine.is_complex():
        return f"holds {_kind(value)}, the model's {_kind(mine)}"
    if not value.is_floating_point():
        return None
    # A mask may hold infinities that belong there: what the model has itself is right.
    wrong = ~torch.isfinite(value)
    if wrong.any() and mine is not value and mine.shape == value.shape:
        wrong &= torch.isfinite(mine).to(wrong.device)
    count = int(wrong.sum())
    return f"has {count} of {value.numel()} numbers that are NaN or infinite" if count else None


def _kind(value: Tensor) -> str:
    return str(value.dtype).removeprefix("torch.")


def names_defect(names) -> str | None:
    """What makes the class tables in a checkpoint unusable, or None; there may be none."""
    if names is None:
        return None
    if not isinstance(names, Mapping):
        return f"is {type(names).__name__}, no dict"
    for key in ("classes", "verbs"):
        given = names.get(key, names.get(key.upper()))
        if given is not None and not (isinstance(given, list | tuple) and all(isinstance(name, str) for name in given)):
            return f"has {key} that are no list of names"
    return None


def resume_defect(checkpoint: Mapping) -> str | None:
    """What a training checkpoint lacks for going on, or None: all that mmengine reads of it, by type."""
    meta = checkpoint.get("meta")
    if not isinstance(meta, Mapping):
        return f"`meta` is {type(meta).__name__}, no dict"
    for key in ("epoch", "iter"):
        if type(meta.get(key)) is not int or meta[key] < 0:
            return f"meta.{key} is {meta.get(key)!r}, no count"
    if meta.get("seed") is not None and type(meta["seed"]) is not int:
        return f"meta.seed is {meta['seed']!r}, no number"
    hub = checkpoint.get("message_hub")
    if not isinstance(hub, dict) or not all(isinstance(hub.get(part), Mapping) for part in HUB_PARTS):
        return f"`message_hub` is no dict of {', '.join(HUB_PARTS)}"
    optimizer = checkpoint.get("optimizer")
    if not isinstance(optimizer, Mapping) or not isinstance(optimizer.get("param_groups"), list):
        return "`optimizer` is no state of an optimizer"
    if not isinstance(checkpoint.get("param_schedulers", []), list | dict):
        return "`param_schedulers` is no list"
    return None
