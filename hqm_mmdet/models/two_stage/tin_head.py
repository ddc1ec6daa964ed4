"""TIN's three streams to scores."""

from collections.abc import Mapping, Sequence

import torch
import torch.nn.functional as F
from mmengine.model import BaseModule
from torch import Tensor, nn

from hqm_mmdet.models.interactiveness import PairFeatures, weighted_logit_loss
from hqm_mmdet.registry import MODELS

STREAMS = ("sub", "obj", "layout")  # H, O, S in the paper


@MODELS.register_module()
class TINHead(BaseModule):
    """Classes of pairs from their subjects, their objects and their layout, and whether they interact.

    Classes are whatever the data set counts: HOIs (HICO-DET, C = 600) or verbs. Source: TIN (CVPR 2019), section 3.2;
    sizes from the official code. Its six hidden layers pass a batch norm that is never trained, a factor of 1 - 5e-6
    each; here the converter puts it into the weights.

    Args:
        num_classes (int): C.
        region_channels (int): F of a box's features. Default: 2048.
        context_channels (int): of its context. Default: 1024.
        layout_channels (int): of the pair map's features. Default: 5408.
        hidden_channels (int): of both hidden layers of a stream. Default: 1024.
        dropout (float): after each of them. Default: 0.5.
        interactiveness (dict, optional): config of :class:`InteractivenessHead`. Default None: HOI losses only, the
            first of the two training stages that the authors recommend.
        loss_weights (Mapping[str, float], optional): per stream ``sub``, ``obj``, ``layout``. Default: 1 each, as on
            HICO-DET; on V-COCO ``sub`` has 2.
        logit_weights (Mapping[str, Sequence[float]], optional): (C,) per stream, see
            :func:`~hqm_mmdet.models.interactiveness.weighted_logit_loss`. Default: ones.
        without_object (Sequence[int]): classes that never have an object (V-COCO: walk, smile, run, stand); streams
            ``obj`` and ``layout`` learn nothing about them. Default: none.
        init_cfg (dict, optional): as in mmengine.

    Raises:
        ValueError: an unknown stream, or weights that are not one per class.
    """

    def __init__(
        self,
        num_classes: int,
        region_channels: int = 2048,
        context_channels: int = 1024,
        layout_channels: int = 5408,
        hidden_channels: int = 1024,
        dropout: float = 0.5,
        interactiveness: dict | None = None,
        loss_weights: Mapping[str, float] | None = None,
        logit_weights: Mapping[str, Sequence[float]] | None = None,
        without_object: Sequence[int] = (),
        init_cfg: dict | None = None,
    ):
        super().__init__(init_cfg)
        self.num_classes = num_classes
        own = region_channels + context_channels
        inputs = dict(sub=own, obj=own, layout=region_channels + layout_channels)
        for stream, channels in inputs.items():
            layers = _hidden_layers(channels, hidden_channels, dropout)
            setattr(self, f"{stream}_fc", layers)
            setattr(self, f"{stream}_cls", _score_layer(hidden_channels, num_classes))
        shared = dict(
            region_channels=region_channels, context_channels=context_channels, layout_channels=layout_channels
        )
        self.interactiveness = (
            MODELS.build({"type": "InteractivenessHead", **shared, **interactiveness}) if interactiveness else None
        )
        self.loss_weights = {**dict.fromkeys(STREAMS, 1.0), **_of_streams(loss_weights, "loss_weights")}
        for stream, values in _of_streams(logit_weights, "logit_weights").items():
            if len(values) != num_classes:
                raise ValueError(f"logit_weights[{stream!r}] has {len(values)} numbers for {num_classes} classes.")
            self.register_buffer(f"{stream}_logit_weights", torch.tensor(values), persistent=False)
        with_object = torch.ones(num_classes)
        with_object[list(without_object)] = 0
        self.register_buffer("with_object", with_object, persistent=False)

    def forward(self, features: PairFeatures) -> dict[str, Tensor]:
        """Raw scores of P pairs, K of them complete.

        Returns:
            dict[str, Tensor]: ``sub_logits``, ``layout_logits`` (P, C), ``obj_logits`` (K, C); with an interactiveness
            head also ``interactiveness_logits`` (P, 2).
        """
        inputs = dict(
            sub=(features.sub, features.sub_context),
            obj=(features.obj, features.obj_context),
            layout=(features.sub, features.layout),
        )
        preds = {
            f"{stream}_logits": getattr(self, f"{stream}_cls")(getattr(self, f"{stream}_fc")(torch.cat(parts, 1)))
            for stream, parts in inputs.items()
        }
        if self.interactiveness is not None:
            preds["interactiveness_logits"] = self.interactiveness(features)
        return {name: value.float() for name, value in preds.items()}

    def loss(self, preds: dict[str, Tensor], labels: Tensor, interactive: Tensor) -> dict[str, Tensor]:
        """Loss terms, times their weights.

        Args:
            preds (dict[str, Tensor]): of :meth:`forward`, where exactly the interactive pairs were complete.
            labels (Tensor): (P, C) multi-hot. Rows of pairs that do not interact teach the layout stream only.
            interactive (Tensor): (P,) bool.

        Returns:
            dict[str, Tensor]: ``loss_sub_cls`` and ``loss_obj_cls`` of the interactive pairs, ``loss_layout_cls`` of
            all, ``loss_interactiveness``.
        """
        positives = labels[interactive]
        logits = dict(
            sub=(preds["sub_logits"][interactive], positives, None),
            obj=(preds["obj_logits"], positives, self.with_object),
            layout=(preds["layout_logits"], labels, self.with_object),
        )
        losses = {
            f"loss_{stream}_cls": self.loss_weights[stream]
            * weighted_logit_loss(scores, targets, getattr(self, f"{stream}_logit_weights", None), mask)
            for stream, (scores, targets, mask) in logits.items()
        }
        if self.interactiveness is not None:
            losses.update(self.interactiveness.loss(preds["interactiveness_logits"], interactive))
        return losses

    @staticmethod
    def fuse(preds: dict[str, Tensor]) -> Tensor:
        """(P, C) scores of complete pairs: ``p_layout * (p_sub + p_obj)``, in [0, 2]."""
        sub, obj, layout = (preds[f"{stream}_logits"].sigmoid() for stream in STREAMS)
        return layout * (sub + obj)


def _hidden_layers(in_channels: int, channels: int, dropout: float) -> nn.Sequential:
    layers = []
    for size in (in_channels, channels):
        layers += [nn.Linear(size, channels, bias=False), nn.ReLU(inplace=True), nn.Dropout(dropout)]
    return nn.Sequential(*layers)


def _score_layer(in_channels: int, num_classes: int) -> nn.Linear:
    layer = nn.Linear(in_channels, num_classes)
    nn.init.normal_(layer.weight, 0, 0.01)
    nn.init.zeros_(layer.bias)
    return layer


def _of_streams(values: Mapping | None, name: str) -> Mapping:
    unknown = sorted(set(values or ()) - set(STREAMS))
    if unknown:
        raise ValueError(f"{name}: unknown streams {unknown}, known are {STREAMS}.")
    return values or {}
