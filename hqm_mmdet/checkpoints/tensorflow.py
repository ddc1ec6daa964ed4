"""TensorFlow variables under the names and in the layout of PyTorch.

TensorFlow itself is not needed: its variables come as an ``.npz`` of arrays, which one line writes where the checkpoint
was made: ``numpy.savez(out, **{name: reader.get_tensor(name) for name in reader.get_variable_to_shape_map()})``, with
``reader = tf.train.load_checkpoint(path)``.
"""

from collections.abc import Mapping
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from hqm_mmdet.safe_loading import CheckpointError

NAMES = {
    "weights": "weight",
    "biases": "bias",
    "gamma": "weight",
    "beta": "bias",
    "moving_mean": "running_mean",
    "moving_variance": "running_var",
}
STATISTICS = ("running_mean", "running_var")
EPSILON = 1e-5  # of slim's batch norms in TIN


def read_npz(path: str | Path) -> dict[str, Tensor]:
    """Variables of an ``.npz`` file, see :func:`from_tensorflow`; pickled objects in it are refused.

    Raises:
        FileNotFoundError: no such file.
        CheckpointError: it is damaged, or holds objects.
    """
    try:
        with np.load(path, allow_pickle=False) as arrays:
            return from_tensorflow({name: arrays[name] for name in arrays.files})
    except FileNotFoundError:
        raise FileNotFoundError(f"Checkpoint {path} does not exist. Give the path of a local file.") from None
    except Exception as error:  # damaged archives raise whatever their bytes spell
        raise CheckpointError(f"Checkpoint {path} was not loaded: no .npz file of plain arrays ({error}).") from error


def from_tensorflow(variables: Mapping[str, np.ndarray]) -> dict[str, Tensor]:
    """``scope/conv1/weights`` (kh, kw, in, out) -> ``scope.conv1.weight`` (out, in, kh, kw).

    Variables that training alone needs are left out: the optimiser's (``Momentum``, ``Adam``) and counters.

    Raises:
        ValueError: a batch norm after a fully connected layer does more than scale.
    """
    state = {}
    for name, array in variables.items():
        *scope, last = name.split(":")[0].split("/")
        if last not in NAMES or array.dtype.kind != "f":
            continue
        order = {4: (3, 2, 0, 1), 2: (1, 0)}.get(array.ndim, range(array.ndim))
        state[".".join([*scope, NAMES[last]])] = torch.from_numpy(np.ascontiguousarray(array.transpose(order)))
    return _folded(state)


def _folded(state: dict[str, Tensor]) -> dict[str, Tensor]:
    """Batch norms of fully connected layers, which only scale, become part of the weights."""
    for scope in [name[: -len(".weight")] for name, value in state.items() if value.dim() == 2]:
        norm = {part: state.pop(f"{scope}.BatchNorm.{part}", None) for part in ("weight", "bias", *STATISTICS)}
        mean, var = (norm[part] for part in STATISTICS)
        if var is None:
            continue
        scale = (var + EPSILON).rsqrt() * (1 if norm["weight"] is None else norm["weight"])
        shift = (0 if norm["bias"] is None else norm["bias"]) - mean * scale
        if shift.abs().max() > 0:
            raise ValueError(f"{scope}/BatchNorm was trained: it shifts its input. Only one that scales is converted.")
        state[f"{scope}.weight"] = state[f"{scope}.weight"] * scale[:, None]
    return state
