"""Load weights into a model, and refuse what does not fit."""

import logging
from collections.abc import Mapping

from mmengine.logging import print_log
from torch import Tensor, nn

from hqm_mmdet.safe_loading import CheckpointError
from hqm_mmdet_cli.installation import command

from .contents import weight_defect

# Parameters and buffers that published checkpoints lack.
TRAINING_ONLY = ("query_mining.", "bbox_head.obj_reweighting.", "bbox_head.verb_reweighting.", "mimic_clip.")


# The setting that a number of queries follows from.
QUERIES = {
    "query_embedding.weight": "model.num_queries",
    "subject_embedding.weight": "model.num_queries",
    "object_embedding.weight": "model.num_queries",
    "instance_queries.weight": "model.num_instances",
}
Shapes = Mapping[str, tuple[tuple[int, ...], tuple[int, ...]]]  # name -> shape in the file, in the model


def without_module(state: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Names without ``module.``, which models have that were saved inside of DistributedDataParallel."""
    return {name.removeprefix("module."): value for name, value in state.items()}


def remedy_of_shapes(wrong: Shapes) -> str:
    """What to do about parameters of another shape."""
    queries = {f"{QUERIES[name]}={theirs[0]}" for name, (theirs, _) in wrong.items() if name in QUERIES}
    layers = {name.rpartition(".")[0] for name, (theirs, ours) in wrong.items() if _other_classes(name, theirs, ours)}
    remedies = []
    if queries:
        remedies.append(f"The number of queries differs: set {' and '.join(sorted(queries))} (--cfg-options).")
    if layers:
        names = " ".join(sorted(layers))
        remedies.append(
            "Classes differ: set the head's num_obj_classes and num_verbs to those of the file, or train with layers "
            f"that start afresh: --fresh {names} (default_hooks.weight_check.fresh)."
        )
    return " ".join(remedies) or "Is it a file of this model? Give another config or another file."


def _other_classes(name: str, theirs: tuple[int, ...], ours: tuple[int, ...]) -> bool:
    return name.startswith("bbox_head.") and theirs[1:] == ours[1:] and name not in QUERIES


def differing_names(
    state: Mapping[str, Tensor], own: Mapping[str, Tensor], optional: tuple[str, ...]
) -> tuple[list[str], list[str]]:
    """What a checkpoint lacks, and what it has that the model does not.

    Args:
        state (Mapping[str, Tensor]): the checkpoint's weights.
        own (Mapping[str, Tensor]): the model's.
        optional (tuple[str]): prefixes of parameters that may be missing.

    Returns:
        tuple[list[str], list[str]]: the model's names that ``state`` lacks, without counters of batch norms; names that
        the model does not have, without ``TRAINING_ONLY``.
    """
    missing = [
        key for key in own if not (key in state or key.endswith("num_batches_tracked") or key.startswith(optional))
    ]
    return missing, [key for key in state if key not in own and not key.startswith(TRAINING_ONLY)]


def load_weights(
    model: nn.Module, state: dict[str, Tensor], name: str, partial: bool = False, optional: tuple[str, ...] = ()
) -> None:
    """Load; shapes must agree, and unless ``partial`` nothing may be missing.

    What a model names in ``required_parameters`` (prefixes; frozen parts) may not be missing either way.

    Args:
        model (nn.Module): takes the weights.
        state (dict[str, Tensor]): parameters and buffers by name.
        name (str): of the file, for messages.
        partial (bool): allow missing parameters (initialisation from a detector); they are reported with a count.
            Default: False.
        optional (tuple[str]): prefixes of parameters that may be missing without a word, e.g. ``TRAINING_ONLY`` for
            inference. In the file, training-only parameters that the model lacks are ignored either way. Default: none.

    Raises:
        CheckpointError: a shape differs, parameters are missing, or one holds what is no weight
            (:func:`~.contents.weight_defect`): NaN, infinity, integers where the model has none.
    """
    own = model.state_dict()
    wrong = {
        key: (tuple(state[key].shape), tuple(value.shape))
        for key, value in own.items()
        if key in state and state[key].shape != value.shape
    }
    if wrong:
        told = [f"{key}: {theirs} in the checkpoint, {ours} in the model" for key, (theirs, ours) in wrong.items()]
        raise CheckpointError(
            f"Checkpoint {name} does not fit the config: {'; '.join(told[:5])}{' ...' if len(told) > 5 else ''}. "
            f"{remedy_of_shapes(wrong)}"
        )
    if (defect := weight_defect(state, own)) is not None:
        raise CheckpointError(
            f"Checkpoint {name}: {defect}. The file is damaged, or its training diverged: use an earlier checkpoint."
        )
    missing, unknown = differing_names(state, own, optional)
    required = getattr(model, "required_parameters", ())
    # Required ones first: the message shows three.
    missing.sort(key=lambda key: not key.startswith(required))
    if missing and (not partial or any(key.startswith(required) for key in missing)):
        raise CheckpointError(
            f"Checkpoint {name} lacks {len(missing)} of the model's parameters, e.g. {missing[:3]}, and holds "
            f"{len(unknown)} unknown ones, e.g. {unknown[:3]}. A file of another code base is "
            f"converted first: `{command(f'convert {name} OUT.pth')}`."
        )
    if missing or unknown:
        print_log(
            f"{name}: {len(missing)} parameters keep their initialisation ({missing[:4]}), {len(unknown)} unknown ones "
            f"are not used ({unknown[:4]}).",
            logger="current",
            level=logging.WARNING,
        )
    # Not strict, because all that could be wrong has been told or refused above, with a remedy.
    model.load_state_dict({key: value for key, value in state.items() if key in own}, strict=False)
