"""Where a pair's query looks: attention maps of every decoder layer."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import torch
from mmengine.structures import InstanceData
from torch import Tensor, nn

from hqm_mmdet.errors import UserError
from hqm_mmdet.visualization import ShownPair, draw_pair_attention
from hqm_mmdet.visualization.pair_views import predicted_views

from .prediction import Prediction


class AttentionError(UserError, ValueError):
    """A model whose attention can't be shown by pairs."""


class AttentionWeights:
    """A recorder that keeps each cross-attention's weights, (B, H, N, S), instead of the queries."""

    def __init__(self):
        self.weights: dict[nn.Module, Tensor] = {}

    def __call__(self, attention: nn.Module, queries: Tensor, keys: Tensor, mask: Tensor | None) -> None:
        """See :class:`~hqm_mmdet.models.layers.AttentionRecorder`."""
        self.weights[attention] = attention.weights(queries, keys, mask)


@dataclass
class AttentionMaps:
    """Attention of one image's queries.

    Args:
        pairs (InstanceData): ``pred_pairs``, boxes in pixels of the original image; ``queries`` (Q,) names their query.
        layers (dict[str, Tensor]): by layer, e.g. ``decoder layer 1``, in the order that queries pass them: weights of
            H heads and N queries over the feature map, (H, N, h, w), each map of sum 1.
    """

    pairs: InstanceData
    layers: dict[str, Tensor]

    def of_query(self, query: int, head: int | None = None) -> dict[str, Tensor]:
        """(h, w) maps of a query by layer; the average of all heads, or one head.

        Raises:
            IndexError: no such head.
        """
        num_heads = min((len(maps) for maps in self.layers.values()), default=0)
        if head is not None and not 0 <= head < num_heads:
            raise IndexError(f"Head {head} does not exist; the model has heads 0 to {num_heads - 1}.")
        return {
            name: maps[:, query].mean(0) if head is None else maps[head, query] for name, maps in self.layers.items()
        }


@torch.no_grad()
def attention_maps(model: nn.Module, data: dict) -> AttentionMaps:
    """Predict one image and keep the cross-attention of its queries.

    Works for every :class:`~hqm_mmdet.models.detectors.HOIDETR`; where queries pass several decoders (CDN), all of them
    are kept. Mined queries take no part.

    Args:
        model (nn.Module): a detector in evaluation mode.
        data (dict): ``inputs`` and ``data_samples`` of one image, collated.

    Raises:
        AttentionError: a two-stage detector, or the head's pairs do not tell which query they came from.
    """
    if not hasattr(model, "learnable_queries"):
        raise AttentionError(f"A {type(model).__name__} has no queries whose attention could be shown by pairs.")
    data = model.data_preprocessor(data, False)
    memory = model.encode(data["inputs"], data["data_samples"])
    queries = model.learnable_queries(memory)
    # A recorder sees every cross-attention on its way, whatever decoders the detector has.
    queries.recorder = AttentionWeights()
    preds = model.bbox_head(model.decode(queries, memory))
    pairs = model.bbox_head.predict(preds, data["data_samples"])[0].cpu()
    if "queries" not in pairs:
        raise AttentionError(
            f"Pairs of {type(model.bbox_head).__name__} don't belong to single queries; no map to show."
        )
    names = {module: name for name, module in model.named_modules()}
    return AttentionMaps(
        pairs,
        {
            _layer_name(names[layer]): weights[0].unflatten(-1, memory.spatial_shape).cpu()
            for layer, weights in queries.recorder.weights.items()
        },
    )


def attention_cells(
    prediction: Prediction,
    pair: ShownPair,
    maps: AttentionMaps,
    metainfo: Mapping,
    colour: int = 0,
    head: int | None = None,
) -> list[np.ndarray]:
    """A pair and, a cell per layer, where its query looks.

    Args:
        prediction (Prediction): of the image.
        pair (ShownPair): one of its pairs.
        maps (AttentionMaps): of the same image.
        metainfo (Mapping): ``classes`` and ``verbs``.
        colour (int): number of the pair's colour. Default: 0.
        head (int, optional): one head. Default: average of all heads.

    Returns:
        list[ndarray]: as of :func:`~hqm_mmdet.visualization.draw_pair_attention`.

    Raises:
        IndexError: no such head.
    """
    of_query = maps.of_query(int(prediction.sample.pred_pairs.queries[pair.index]), head)
    (view,) = predicted_views([pair], metainfo, {pair.index: colour})
    return draw_pair_attention(prediction.rgb, view, {name: weights.numpy() for name, weights in of_query.items()})


def _layer_name(module: str) -> str:
    """``interaction_decoder.layers.0.cross_attn`` -> ``interaction decoder layer 1``."""
    decoder, _, rest = module.partition(".layers.")
    return f"{decoder.replace('_', ' ')} layer {int(rest.split('.')[0]) + 1}"
