"""TIN's three streams to scores."""

from collections.abc import Mapping, Sequence

import torch
from mmengine.model import BaseModule
from mmengine.structures import InstanceData
from torch import Tensor, nn

from hqm_mmdet.errors import ConfigError
from hqm_mmdet.models.interactiveness import PairFeatures, low_grade_suppression, weighted_logit_loss
from hqm_mmdet.registry import MODELS

from .tin_classes import class_table_of

STREAMS = ("sub", "obj", "layout")  # H, O, S in the paper


@MODELS.register_module()
class TINHead(BaseModule):
    """Classes of pairs from their subjects, their objects and their layout, and whether they interact.

    Its classes are HOIs (HICO-DET, C = 600) or verbs; scores of pairs are of verbs either way. Source: TIN (CVPR 2019),
    section 3.2; sizes from the official code. Its six hidden layers pass a batch norm that is never trained, a factor
    of 1 - 5e-6 each; here the converter puts it into the weights.

    Args:
        num_obj_classes (int): object labels.
        num_verbs (int): V, verbs.
        triplets (str | Sequence[tuple[int, int]], optional): the C classes as (object label, verb), or the name of a
            registered function that gives them. Default None: the verbs, C = V.
        verb_order (Sequence[int], optional): without ``triplets``, the verb of each class, for weights that were
            trained with verbs in another order. Default: the verbs as they come.
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
        without_object (Sequence[int]): verbs that never have an object (V-COCO: walk, smile, run, stand). Streams
            ``obj`` and ``layout`` learn nothing about them; persons get them without a partner. Default: none.
        no_interaction (int, optional): the verb that says that nothing happens (HICO-DET: 57), the label of negative
            pairs. Default None: their labels are zero.
        lis (Mapping[str, float], optional): constants of
            :func:`~hqm_mmdet.models.interactiveness.low_grade_suppression`, through which both detection scores enter
            the result. Default None: they enter as they are.
        init_cfg (dict, optional): as in mmengine.

    Raises:
        ConfigError: an unknown stream or table of classes, or weights that are not one per class.
    """

    def __init__(
        self,
        num_obj_classes: int,
        num_verbs: int,
        triplets: str | Sequence[tuple[int, int]] | None = None,
        verb_order: Sequence[int] | None = None,
        region_channels: int = 2048,
        context_channels: int = 1024,
        layout_channels: int = 5408,
        hidden_channels: int = 1024,
        dropout: float = 0.5,
        interactiveness: dict | None = None,
        loss_weights: Mapping[str, float] | None = None,
        logit_weights: Mapping[str, Sequence[float]] | None = None,
        without_object: Sequence[int] = (),
        no_interaction: int | None = None,
        lis: Mapping[str, float] | None = None,
        init_cfg: dict | None = None,
    ):
        super().__init__(init_cfg)
        self.num_obj_classes, self.num_verbs = num_obj_classes, num_verbs
        self.no_interaction, self.lis, self.without_object = no_interaction, lis, list(without_object)
        class_table = class_table_of(num_obj_classes, num_verbs, triplets, verb_order)
        self.register_buffer("class_table", class_table, persistent=False)
        self.num_classes = num_classes = int(class_table.max()) + 1
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
            MODELS.build({"type": "InteractivenessHead", **shared, **interactiveness})
            if interactiveness is not None
            else None
        )
        self.loss_weights = {**dict.fromkeys(STREAMS, 1.0), **_of_streams(loss_weights, "loss_weights")}
        for stream, values in _of_streams(logit_weights, "logit_weights").items():
            if len(values) != num_classes:
                raise ConfigError(f"logit_weights[{stream!r}] has {len(values)} numbers for {num_classes} classes.")
            self.register_buffer(f"{stream}_logit_weights", torch.tensor(values), persistent=False)
        with_object = torch.ones(num_classes)
        with_object[class_table[self.without_object].flatten().unique()] = 0
        self.register_buffer("with_object", with_object, persistent=False)

    def forward(self, features: PairFeatures) -> dict[str, Tensor]:
        """Raw scores of P pairs, K of them complete.

        Returns:
            dict[str, Tensor]: ``sub_logits``, ``layout_logits`` (P, C), ``obj_logits`` (K, C), ``complete`` (P,) bool;
            with an interactiveness head also ``interactiveness_logits`` (P, 2).
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
            preds.update(self.interactiveness(features))
        return {name: value.float() for name, value in preds.items()} | dict(complete=features.complete)

    def labels(self, pairs: InstanceData) -> Tensor:
        """(P, C) multi-hot classes of training pairs, see :meth:`loss`."""
        verbs = pairs.verb_labels.clone()
        if self.no_interaction is not None:
            verbs[~pairs.interactive, self.no_interaction] = 1
        pair, verb = verbs.nonzero().unbind(1)
        classes = self.class_table[verb, pairs.obj_labels[pair]]
        known = classes >= 0  # a triplet that is no class of the data set teaches nothing
        labels = verbs.new_zeros(len(pairs), self.num_classes)
        labels[pair[known], classes[known]] = 1
        return labels

    def loss(self, preds: dict[str, Tensor], pairs: list[InstanceData]) -> dict[str, Tensor]:
        """Loss terms, times their weights.

        Args:
            preds (dict[str, Tensor]): of :meth:`forward`, where at least the interactive pairs were complete.
            pairs (list[InstanceData]): per image ``obj_labels`` (P,), ``verb_labels`` (P, V), ``interactive`` (P,).

        Returns:
            dict[str, Tensor]: ``loss_sub_cls`` and ``loss_obj_cls`` of the interactive pairs, ``loss_layout_cls`` of
            all, ``loss_interactiveness``.
        """
        labels = torch.cat([self.labels(image) for image in pairs])
        losses = self.class_loss(preds, labels, torch.cat([image.interactive for image in pairs]))
        if self.interactiveness is not None:
            losses.update(self.interactiveness.loss(preds, pairs))
        return losses

    def class_loss(self, preds: dict[str, Tensor], labels: Tensor, interactive: Tensor) -> dict[str, Tensor]:
        """Losses of the three streams, from labels (P, C) and (P,) bool."""
        positives = labels[interactive]
        logits = dict(
            sub=(preds["sub_logits"][interactive], positives, None),
            obj=(preds["obj_logits"][interactive[preds["complete"]]], positives, self.with_object),
            layout=(preds["layout_logits"], labels, self.with_object),
        )
        return {
            f"loss_{stream}_cls": self.loss_weights[stream]
            * weighted_logit_loss(scores, targets, getattr(self, f"{stream}_logit_weights", None), mask)
            for stream, (scores, targets, mask) in logits.items()
        }

    def predict(self, preds: dict[str, Tensor], pairs: InstanceData) -> InstanceData:
        """Scored pairs of an image.

        Args:
            preds (dict[str, Tensor]): of :meth:`forward`, for all P pairs.
            pairs (InstanceData): of a pair sampler.

        Returns:
            InstanceData: ``pairs`` with ``verb_scores`` (P, V), the fused class scores times both detection scores;
            with an interactiveness head also ``interactiveness`` (P, 2), probabilities. With ``without_object`` one
            more pair per person, without object.
        """
        classes = self.class_table[:, pairs.obj_labels].T  # (P, V)
        scores = self.fuse(preds).gather(1, classes.clamp(min=0)) * (classes >= 0)
        weights = {who: self._weight(pairs[f"{who}_scores"])[:, None] for who in ("sub", "obj")}
        pairs.verb_scores = scores * weights["sub"] * weights["obj"]
        if self.interactiveness is not None:
            pairs = self.interactiveness.predict(preds, pairs)
        if not self.without_object or not len(pairs):
            return pairs
        pairs.verb_scores[:, self.without_object] = 0
        alone = self._alone(pairs, preds["sub_logits"].sigmoid() * weights["sub"])
        return InstanceData.cat([pairs, alone])

    def _weight(self, scores: Tensor) -> Tensor:
        return scores if self.lis is None else low_grade_suppression(scores, **self.lis)

    def _alone(self, pairs: InstanceData, sub_scores: Tensor) -> InstanceData:
        """A pair without object for every person, with the verbs that have none; ``sub_scores`` (P, V)."""
        persons, first = torch.unique(pairs.sub_ids, return_inverse=True)
        rows = torch.full_like(persons, len(first))
        rows.scatter_reduce_(0, first, torch.arange(len(first), device=first.device), "amin")
        alone = pairs[rows]
        alone.obj_bboxes, alone.obj_scores = torch.zeros_like(alone.obj_bboxes), torch.ones_like(alone.obj_scores)
        alone.obj_labels = torch.full_like(alone.obj_labels, self.num_obj_classes)
        alone.obj_ids = torch.full_like(alone.obj_ids, -1)
        alone.verb_scores = torch.zeros_like(alone.verb_scores)
        alone.verb_scores[:, self.without_object] = sub_scores[rows][:, self.without_object]
        return alone

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
        raise ConfigError(f"{name}: unknown streams {unknown}, known are {STREAMS}.")
    return values or {}
