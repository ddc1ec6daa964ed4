"""What a module must tell to become an ONNX graph."""

from abc import abstractmethod

import torch
from torch import Tensor, nn

from hqm_mmdet.errors import UserError

PAIR_OUTPUTS = ("sub_boxes", "obj_boxes", "obj_labels", "obj_scores")
SCORES = {"verb": ("verb_scores",), "hoi": ("hoi_scores", "hoi_probs")}  # by what the head scores


class ExportError(UserError, RuntimeError):
    """A detector that can't be exported, or whose exported file computes something else."""


class GraphModule(nn.Module):
    """A model with tensors as input and output, which ONNX wants; its ``forward`` gives the pairs of one image.

    Args:
        model (nn.Module): of :func:`init_model`.
    """

    # input -> its dimensions that are free, by their names
    dynamic_axes: dict[str, dict[int, str]]

    def __init__(self, model: nn.Module):
        super().__init__()
        self.model = model

    @property
    def outputs(self) -> tuple[str, ...]:
        """Names of what ``forward`` returns."""
        return PAIR_OUTPUTS + SCORES[self.model.bbox_head.vocabulary]

    @abstractmethod
    def examples(self, generator: torch.Generator) -> list[dict[str, Tensor]]:
        """Inputs by name, of several sizes: the first is traced, the others show that no size is frozen."""

    def metadata(self) -> dict:
        """What who runs the file must know besides names of classes and how to resize."""
        return {}
