"""HOTR's head: a subject pointer, an object pointer and verbs from each query."""

from collections.abc import Sequence

import torch
import torch.nn.functional as F
from mmdet.models.layers import MLP
from mmdet.structures import SampleList
from mmengine.model import bias_init_with_prob
from mmengine.structures import InstanceData
from torch import Tensor, nn

from hqm_mmdet.models.layers import PointerStates
from hqm_mmdet.models.losses import by_layer, mean_over_processes
from hqm_mmdet.models.task_modules import PointedPairs, PointerAssignment, PointerTargets
from hqm_mmdet.models.task_modules.pointer_targets import drop_verbs
from hqm_mmdet.registry import MODELS

from .pair_head import PairHead, check_labels
from .pointed_pairs import decode_pointed_pairs, merge_pairs


@MODELS.register_module()
class HOTRHead(PairHead):
    """Points from each query to a subject and an object among the instances, and says what happens between them.

    Boxes and object class of a pair are those of the instances pointed to. The verb layer has one output more than
    verbs: "no interaction". Instances are matched first (:class:`InstanceHead`), then pairs.

    Args:
        num_obj_classes (int): C.
        num_verbs (int): V.
        embed_dims (int): D. Default 256.
        instance_head (dict, optional): config of the :class:`InstanceHead`. Default: its defaults.
        temperature (float): pointers are cosines divided by it. Default 0.2.
        subject_label (int): object label of subjects (person). Default 0.
        ignored_verbs (Sequence[int]): verbs that are not trained; pairs with no other verb are left out (V-COCO's verbs
            without role). Default: none.
        merge_queries (bool): in inference, queries with the same subject and object are one pair, a pair of an instance
            with itself has no object, and subjects must be persons (V-COCO). Default False, a pair per query.
        loss_pointer_weight (float): factor on both pointer losses. Default 1.0.
        loss_obj_weight (float): factor on the class loss of the object pointed to; 0 leaves it out (V-COCO). It has no
            gradient while instances are frozen. Default 1.0.
        instance_losses (bool): train the instance head. Set by the detector.
        loss_verb (dict, optional): config of the verb loss. Default: HOTR's focal loss.
        dummy_pairs (bool): teach one query of an image without pairs "neither a verb nor no interaction", as the
            official code does. Default False, all its queries learn "no interaction".
        verb_prior (float, optional): as in :class:`HOIHead`; "no interaction" gets one half. Default None.
        pair_nms (dict, optional): as in :class:`PairHead`. Default None.
        train_cfg (dict, optional): ``matcher``, config of the pair matcher. Default: HOTR's costs.
        test_cfg (dict, optional): unused; mmdet's detectors hand it in.
        init_cfg (dict, optional): as in mmengine. Default None.
    """

    DEFAULT_COSTS = (
        dict(type="PointerCost", weight=20.0),
        dict(type="InteractionCost"),
        dict(type="PointedClassCost"),
    )

    def __init__(
        self,
        num_obj_classes: int,
        num_verbs: int,
        embed_dims: int = 256,
        instance_head: dict | None = None,
        temperature: float = 0.2,
        subject_label: int = 0,
        ignored_verbs: Sequence[int] = (),
        merge_queries: bool = False,
        loss_pointer_weight: float = 1.0,
        loss_obj_weight: float = 1.0,
        instance_losses: bool = False,
        loss_verb: dict | None = None,
        dummy_pairs: bool = False,
        verb_prior: float | None = None,
        pair_nms: dict | None = None,
        train_cfg: dict | None = None,
        test_cfg: dict | None = None,
        init_cfg: dict | None = None,
    ):
        matcher = (train_cfg or {}).get("matcher", dict(type="PairMatcher", costs=self.DEFAULT_COSTS))
        loss_verb = loss_verb or dict(type="VerbFocalLoss", alpha=0.25, loss_weight=10.0)
        super().__init__(num_obj_classes, num_verbs, matcher, loss_verb, pair_nms, init_cfg)
        self.sub_pointer = MLP(embed_dims, embed_dims, embed_dims, 3)
        self.obj_pointer = MLP(embed_dims, embed_dims, embed_dims, 3)
        self.verb_cls = nn.Linear(embed_dims, num_verbs + 1)
        if verb_prior is not None:
            nn.init.constant_(self.verb_cls.bias[:-1], bias_init_with_prob(verb_prior))
            nn.init.zeros_(self.verb_cls.bias[-1:])  # most queries do find no interaction
        sizes = dict(num_obj_classes=num_obj_classes, embed_dims=embed_dims)
        self.instance_head = MODELS.build({"type": "InstanceHead", **sizes, **(instance_head or {})})
        self.temperature = temperature
        self.subject_label = subject_label
        self.merge_queries = merge_queries
        self.loss_pointer_weight = loss_pointer_weight
        self.loss_obj_weight = loss_obj_weight
        self.instance_losses = instance_losses
        self.dummy_pairs = dummy_pairs
        self.ignored_verbs = list(ignored_verbs)
        valid_verbs = torch.ones(num_verbs)
        valid_verbs[self.ignored_verbs] = 0
        # columns of the verb layer that are trained; "no interaction", the last, always is
        trained = torch.cat([valid_verbs, torch.ones(1)]).nonzero().flatten()
        self.register_buffer("valid_verbs", valid_verbs, persistent=False)
        self.register_buffer("trained_columns", trained, persistent=False)

    def forward(self, states: PointerStates) -> dict[str, Tensor]:
        """Raw predictions of every layer.

        Args:
            states (PointerStates): states of the queries (L, B, N, D), and instances.

        Returns:
            dict[str, Tensor]: as in :class:`PairHead`, ``obj_logits``, ``sub_boxes`` and ``obj_boxes`` being those of
            the instances pointed to; ``sub_pointer_logits``, ``obj_pointer_logits`` (L, B, N, I);
            ``no_interaction_logits`` (L, B, N, 1); ``instance_logits`` (L', B, I, K), ``instance_boxes`` (L', B, I, 4).
        """
        queries, instances = states.queries, states.instances
        sub = self._point(self.sub_pointer(queries), instances.embeddings)
        obj = self._point(self.obj_pointer(queries), instances.embeddings)
        actions = self.verb_cls(queries).float()
        return dict(
            obj_logits=_take(instances.logits[-1], obj.argmax(-1))[..., self.instance_head.columns],
            verb_logits=actions[..., :-1],
            sub_boxes=_take(instances.boxes[-1], sub.argmax(-1)),
            obj_boxes=_take(instances.boxes[-1], obj.argmax(-1)),
            sub_pointer_logits=sub,
            obj_pointer_logits=obj,
            no_interaction_logits=actions[..., -1:],
            instance_logits=instances.logits,
            instance_boxes=instances.boxes,
        )

    def _point(self, embeddings: Tensor, instances: Tensor) -> Tensor:
        """Cosines over temperature, (L, B, N, D) and (B, I, D) -> (L, B, N, I)."""
        # they reach 20, where half precision has steps of 1/8 (bfloat16) and two instances may seem equal
        with torch.autocast(embeddings.device.type, enabled=False):
            return F.normalize(embeddings.float(), dim=-1) @ instances.transpose(1, 2) / self.temperature

    def targets(self, samples: SampleList) -> PointerTargets:
        """Labelled pairs, and the annotated instances that they are made of.

        Args:
            samples (list[HOIDataSample]): with ``gt_pairs`` and ``gt_instances``.

        Raises:
            ClassMismatchError: labels do not fit the head's numbers.
            ConfigError: a pair's box is not among the instances.
        """
        device = self.valid_verbs.device
        if samples[0].gt_pairs.obj_labels.device != device:  # HOIDataPreprocessor leaves them on the host
            samples = [sample.to(device) for sample in samples]
        if self.ignored_verbs:
            samples = drop_verbs(samples, self.valid_verbs)
        targets = self.checked(PointerTargets.from_samples(samples, self.subject_label, self.valid_verbs))
        # padding is -1; instances know no "no object"
        labels = targets.instances.labels.clamp(min=0)
        check_labels("instance", labels, targets.names, self.num_obj_classes, self.num_obj_classes)
        return targets

    def assign(self, preds: dict[str, Tensor], targets: PointerTargets) -> PointerAssignment:
        """Match instances, which tells where pairs have to point, then pairs; separately for every layer."""
        logits, boxes = preds["instance_logits"], preds["instance_boxes"]
        instances = self.instance_head.assign(logits, boxes, targets.instances)
        pairs = targets.pointed(instances, num_queries=logits.shape[2])
        return PointerAssignment(**vars(self.matcher(preds, pairs)), pairs=pairs, instances=instances)

    def loss(
        self, preds: dict[str, Tensor], targets: PointerTargets, assigned: PointerAssignment, background: bool = True
    ) -> dict[str, Tensor]:
        """As in :class:`PairHead`; with ``background`` and ``instance_losses`` also those of the instances."""
        losses = super().loss(preds, targets, assigned, background)
        if background and self.instance_losses:
            logits, boxes = preds["instance_logits"], preds["instance_boxes"]
            # named apart: the instance decoder may have another number of layers
            losses.update(by_layer(self.instance_head.loss(logits, boxes, targets.instances, assigned.instances)))
        return losses

    def terms(
        self, preds: dict[str, Tensor], targets: PointerTargets, assigned: PointerAssignment, background: bool
    ) -> dict[str, Tensor]:
        """Loss terms of all layers, (L,) each.

        Divisors as in HOTR: pointer losses by the matched queries, verb loss by the positive entries. All are averaged
        over processes; HOTR's are each process's own.
        """
        terms = {
            "loss_sub_pointer": self._pointer_loss("sub_pointer", preds, assigned),
            "loss_obj_pointer": self._pointer_loss("obj_pointer", preds, assigned),
            "loss_verb": self._action_loss(preds, assigned, background),
        }
        if background and self.loss_obj_weight:
            terms["loss_obj_cls"] = self._pointed_class_loss(preds, assigned)
        return terms

    def _pointer_loss(self, name: str, preds: dict, assigned: PointerAssignment) -> Tensor:
        """(L,) cross entropy over instances, mean over matched queries; 0 without any."""
        logits = assigned.of_queries(preds[f"{name}_logits"])  # (L, M, I)
        labels = assigned.of_targets(assigned.pairs, f"{name}s")  # (L, M)
        return self.loss_pointer_weight * _mean_cross_entropy(logits, labels)

    def _pointed_class_loss(self, preds: dict, assigned: PointerAssignment) -> Tensor:
        """(L,) cross entropy of the object's class at the instance pointed to, mean over pairs with an object."""
        logits = assigned.of_queries(preds["obj_logits"])
        present = assigned.of_targets(assigned.pairs, "has_object")
        labels = assigned.of_targets(assigned.pairs, "obj_labels").masked_fill(~present, -1)
        return self.loss_obj_weight * _mean_cross_entropy(logits, labels)

    def _action_loss(self, preds: dict, assigned: PointerAssignment, background: bool) -> Tensor:
        """(L,) focal loss over trained verbs and "no interaction", divided by the positive verb entries."""
        logits = torch.cat([preds["verb_logits"], preds["no_interaction_logits"]], -1)
        labels = F.pad(assigned.of_targets(assigned.pairs, "verb_labels"), (0, 1))  # (L, M, V + 1)
        # before the background is filled in: HOTR does not count "no interaction" among the positives
        positives = mean_over_processes(labels.sum((1, 2)))
        if background:
            nothing = torch.zeros_like(logits)
            nothing[..., -1] = 1
            labels = self._with_dummies(assigned.put(nothing, labels), preds, assigned.pairs).flatten(1, 2)
            logits = logits.flatten(1, 2)
        else:
            logits = assigned.of_queries(logits)
        losses = self.loss_verb(logits[..., self.trained_columns], labels[..., self.trained_columns])
        return losses.sum((1, 2)) / positives

    @torch.no_grad()
    def _with_dummies(self, labels: Tensor, preds: dict, pairs: PointedPairs) -> Tensor:
        """Labels (L, B, N, V + 1) with a zero row at the cheapest query for a dummy pair; in place."""
        if self.dummy_pairs:
            cheapest = self.matcher.cost_matrix(preds, pairs.dummy())[..., 0].argmin(-1)  # (L, B)
            without = torch.tensor([not count for count in pairs.counts], device=labels.device)
            labels[F.one_hot(cheapest, labels.shape[2]).bool() & without[:, None]] = 0
        return labels

    def decode(self, preds: dict[str, Tensor], size: tuple[int, int]) -> InstanceData:
        """Pairs of one image."""
        pairs = decode_pointed_pairs(preds, size)
        if not self.merge_queries:
            return pairs
        labels = preds["instance_logits"][:, :-1].argmax(-1)
        return merge_pairs(pairs, preds, labels == self.instance_head.columns[self.subject_label], self.num_obj_classes)


def _take(values: Tensor, rows: Tensor) -> Tensor:
    """Rows of each image's instances: (B, I, C), (L, B, N) -> (L, B, N, C)."""
    return values[torch.arange(len(values), device=values.device)[:, None], rows]


def _mean_cross_entropy(logits: Tensor, labels: Tensor) -> Tensor:
    """(L, M, C) and (L, M), -1 = ignored -> (L,) mean over the labelled; 0 without any, and part of the graph."""
    losses = F.cross_entropy(logits.flatten(0, 1), labels.flatten(), ignore_index=-1, reduction="none")
    count = mean_over_processes((labels >= 0).sum(1).float())
    return losses.view_as(labels).sum(1) / count
