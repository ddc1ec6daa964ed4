"""The HOI head: four small networks on every query, shared by all decoder layers."""

from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from mmdet.models.layers import MLP
from mmengine.model import bias_init_with_prob
from mmengine.structures import InstanceData
from torch import Tensor, nn

from hqm_mmdet.errors import ConfigError
from hqm_mmdet.models.losses import box_terms, mean_over_processes, weighted
from hqm_mmdet.models.task_modules import Assignment, PairTargets
from hqm_mmdet.registry import MODELS
from hqm_mmdet.utils.untrusted_values import read_npy

from .pair_head import PairHead
from .postprocess import decode_pairs


@MODELS.register_module()
class HOIHead(PairHead):
    """Predicts subject box, object box, object class and verbs of a pair from each query.

    Args:
        num_obj_classes (int): C. The class layer has C + 1 outputs, the last is "no object".
        num_verbs (int): V.
        embed_dims (int): D. Default 256.
        bg_weight (float): weight of label C in the object class loss (``eos_coef`` of the official code). Default 0.1.
        loss_obj_weight (float): factor on the object class loss, a cross entropy averaged over all queries with these
            class weights. Default 1.0.
        loss_verb, loss_bbox, loss_iou (dict, optional): loss modules. Default: QPIC's.
        verb_prior (float, optional): probability that the untrained verb layer gives to every verb, as usual with focal
            losses; speeds up training from scratch. Default None: PyTorch's initialisation, as in QPIC.
        verb_object_mask (str, optional): ``.npy`` file of a (V, C) 0/1 table; scores of forbidden combinations are set
            to 0 in inference, as QPIC does on V-COCO. Default None.
        obj_reweighting, verb_reweighting (dict, optional): :class:`DynamicReweighting` of the object class loss
            (instead of ``bg_weight``) and of the positive entries of the verb loss. Default None.
        pair_nms (dict, optional): as in :class:`PairHead`. Default None.
        interactiveness (dict, optional): config of a :class:`QueryInteractiveness`, which says whether a query's pair
            interacts at all. Default None: there is none.
        train_cfg (dict, optional): ``matcher``, config of the matcher. Default: :class:`PairMatcher`.
        test_cfg (dict, optional): unused; mmdet's detectors hand it in.
        init_cfg (dict, optional): as in mmengine. Default None.

    Raises:
        FileNotFoundError: ``verb_object_mask`` does not exist.
        ConfigError: ``verb_object_mask`` has another number of verbs.
    """

    OBJECTS_EPS = 1e-4  # added to the number of objects, as in the official code

    def __init__(
        self,
        num_obj_classes: int,
        num_verbs: int,
        embed_dims: int = 256,
        bg_weight: float = 0.1,
        loss_obj_weight: float = 1.0,
        loss_verb: dict | None = None,
        loss_bbox: dict | None = None,
        loss_iou: dict | None = None,
        verb_prior: float | None = None,
        verb_object_mask: str | None = None,
        obj_reweighting: dict | None = None,
        verb_reweighting: dict | None = None,
        pair_nms: dict | None = None,
        interactiveness: dict | None = None,
        train_cfg: dict | None = None,
        test_cfg: dict | None = None,
        init_cfg: dict | None = None,
    ):
        matcher = (train_cfg or {}).get("matcher", dict(type="PairMatcher"))
        super().__init__(
            num_obj_classes, num_verbs, matcher, loss_verb or dict(type="VerbFocalLoss"), pair_nms, init_cfg
        )
        self.loss_obj_weight = loss_obj_weight
        self._init_layers(embed_dims)
        with torch.random.fork_rng(devices=[]):  # draws aside, so that seeds keep the weights of everything else
            self.interactiveness = _interactiveness(interactiveness, embed_dims)
        if verb_prior is not None:
            nn.init.constant_(self.verb_cls.bias, bias_init_with_prob(verb_prior))
        self.loss_bbox = MODELS.build(loss_bbox or dict(type="L1Loss", loss_weight=2.5))
        self.loss_iou = MODELS.build(loss_iou or dict(type="GIoULoss", loss_weight=1.0))
        self.obj_reweighting = _reweighting(obj_reweighting, num_obj_classes)
        self.verb_reweighting = _reweighting(verb_reweighting, num_verbs)
        class_weights = torch.ones(num_obj_classes + 1)
        class_weights[-1] = bg_weight
        # follow the model to its device, but are config, not state: checkpoints of the official code lack them
        self.register_buffer("class_weights", class_weights, persistent=False)
        self.register_buffer("verb_object_mask", _load_mask(verb_object_mask, num_verbs), persistent=False)

    def _init_layers(self, embed_dims: int) -> None:
        # four heads in this order: it decides which random numbers each is initialised with
        self.obj_cls = nn.Linear(embed_dims, self.num_obj_classes + 1)
        self.verb_cls = nn.Linear(embed_dims, self.num_verbs)
        self.sub_box = MLP(embed_dims, embed_dims, 4, 3)
        self.obj_box = MLP(embed_dims, embed_dims, 4, 3)

    def forward(self, states: Tensor | tuple[Tensor, Tensor], box_origin: Tensor | None = None) -> dict[str, Tensor]:
        """Raw predictions of every layer.

        Args:
            states (Tensor | tuple[Tensor, Tensor]): (L, B, N, D) decoder states. Of two, the first is read by boxes and
                object class, the second by the verbs (CDN).
            box_origin (Tensor, optional): broadcastable to (L, B, N, 4), added to both boxes before the sigmoid.
                Default None.

        Returns:
            dict[str, Tensor]: as in :class:`PairHead`.
        """
        pair_states, verb_states = states if isinstance(states, tuple) else (states, states)
        preds = dict(
            obj_logits=self.obj_cls(pair_states).float(),
            verb_logits=self.verb_cls(verb_states).float(),
            # float before the sigmoid: half precision has no fine steps near 1, at the right and lower border
            sub_boxes=_box(self.sub_box(pair_states).float(), box_origin),
            obj_boxes=_box(self.obj_box(pair_states).float(), box_origin),
        )
        if self.interactiveness is not None:
            preds["interactiveness_logits"] = self.interactiveness(verb_states)
        return preds

    def terms(
        self, preds: dict[str, Tensor], targets: PairTargets, assigned: Assignment, background: bool
    ) -> dict[str, Tensor]:
        """Loss terms of all layers, (L,) each.

        Divisors as in QPIC: class loss by the sum of class weights, verb loss by the positive entries, subject boxes by
        the pairs, object boxes by the pairs with one. All are averaged over processes, so that N processes compute what
        one does on the whole batch; QPIC does this for the subject boxes only (and divides by at least 1), which weighs
        the others by how pairs fall on processes. Re-weighting counts the classes of the learnable queries alone; mined
        queries (``background`` False) get the weights of the moment.
        """
        obj_logits, score_logits, boxes = self._learning_rows(preds, assigned, background)
        obj_cls, weight = self._obj_cls_loss(obj_logits, targets, assigned, background)
        scores, positives = self._score_loss(score_logits, targets, assigned, background)
        boxes, objects = self._box_losses(boxes, targets, assigned)
        # labelled pairs, not assigned ones: QPIC counts those beyond the number of queries too
        pairs = torch.zeros_like(objects) + targets.num_pairs
        weight, positives, pairs, objects = mean_over_processes(torch.stack([weight, positives, pairs, objects]))
        l1, giou = boxes / torch.stack([pairs, objects + self.OBJECTS_EPS])
        terms = {"loss_obj_cls": obj_cls / weight, self.score_loss: scores / positives}
        for who, who_l1, who_giou in zip(("sub", "obj"), l1, giou, strict=True):
            terms |= {f"loss_{who}_bbox": who_l1, f"loss_{who}_iou": who_giou}
        if self.interactiveness is not None and background:
            logits = preds["interactiveness_logits"]
            interactive = torch.zeros(logits.shape[:3], dtype=torch.bool, device=logits.device)
            interactive = assigned.put(interactive, torch.ones_like(assigned.query, dtype=torch.bool))
            terms["loss_interactiveness"] = self.interactiveness.loss(logits, interactive)
        return terms

    def decode(self, preds: dict[str, Tensor], size: tuple[int, int]) -> InstanceData:
        """Pairs of one image, see :func:`decode_pairs`."""
        pairs = decode_pairs(preds, size, self.verb_object_mask)
        if self.interactiveness is not None:
            pairs.interactiveness = preds["interactiveness_logits"].sigmoid()
        return pairs

    def _learning_rows(self, preds: dict[str, Tensor], assigned: Assignment, background: bool) -> list[Tensor]:
        """Logits of object classes and of what is scored, and both boxes (L, M, 8), of the assigned queries; with
        ``background`` logits of all, (L, B, N, ...)."""
        logits = [preds["obj_logits"], preds[f"{self.vocabulary}_logits"]]
        boxes = [preds["sub_boxes"], preds["obj_boxes"]]
        if background:
            return [*logits, assigned.of_queries(torch.cat(boxes, -1))]
        # all in one selection
        rows = assigned.of_queries(torch.cat([*logits, *boxes], -1))
        return list(rows.split([*(each.shape[-1] for each in logits), 8], -1))

    def _obj_cls_loss(
        self, logits: Tensor, targets: PairTargets, assigned: Assignment, background: bool
    ) -> tuple[Tensor, Tensor]:
        """(L,) weighted cross entropy over queries, "no object" where nothing is assigned, and (L,) sum of weights."""
        labels = assigned.of_targets(targets, "obj_labels")
        if background:
            absent = torch.full(logits.shape[:3], self.num_obj_classes, device=logits.device)
            labels, logits = assigned.put(absent, labels).flatten(1), logits.flatten(1, 2)
        rows = logits.flatten(0, 1), labels.flatten()
        if self.obj_reweighting is None:
            weights = self.class_weights[labels]
            losses = F.cross_entropy(*rows, self.class_weights, reduction="none").view_as(labels)
        else:
            weights = self.obj_reweighting.of_labels(labels, count=background)
            losses = F.cross_entropy(*rows, reduction="none").view_as(labels) * weights
        total = _sum_of_queries if background else assigned.total
        return weighted(total(losses), self.loss_obj_weight), total(weights)

    def _score_loss(
        self, logits: Tensor, targets: PairTargets, assigned: Assignment, background: bool
    ) -> tuple[Tensor, Tensor]:
        """(L,) focal loss and (L,) positive entries."""
        labels = assigned.of_targets(targets, f"{self.vocabulary}_labels")
        if background:
            labels, logits = assigned.put(torch.zeros_like(logits), labels).flatten(1, 2), logits.flatten(1, 2)
        losses = self.loss_verb(logits, labels)
        if self.verb_reweighting is not None:
            losses = losses * self.verb_reweighting.of_multi_hot(labels, count=background)
        total = _sum_of_queries if background else assigned.total
        return total(losses.sum(-1)), total(labels.sum(-1))

    def _box_losses(self, predicted: Tensor, targets: PairTargets, assigned: Assignment) -> tuple[Tensor, Tensor]:
        """L1 and GIoU of subject and object boxes (L, M, 8), as (2, 2, L), and (L,) pairs that have an object."""
        labelled = torch.cat([assigned.of_targets(targets, name) for name in ("sub_boxes", "obj_boxes")], -1)
        predicted, labelled = (boxes.unflatten(-1, (2, 4)).flatten(1, 2) for boxes in (predicted, labelled))
        terms = box_terms(self.loss_bbox, self.loss_iou, predicted, labelled)  # (L, 2 M) each
        sub, obj = torch.stack(terms).unflatten(-1, (-1, 2)).unbind(-1)  # (2, L, M)
        present = assigned.of_targets(targets, "has_object").float()  # (L, M)
        total = assigned.total
        return torch.stack([total(sub), total(obj * present)], 1), total(present)


def _sum_of_queries(values: Tensor) -> Tensor:
    """(L, B N) of all queries, assigned or not -> (L,)."""
    return values.sum(-1)


def _box(logits: Tensor, origin: Tensor | None) -> Tensor:
    return (logits if origin is None else logits + origin).sigmoid()


def _reweighting(config: dict | None, num_classes: int) -> nn.Module | None:
    return MODELS.build({**config, "num_classes": num_classes}) if config else None


def _interactiveness(config: dict | None, embed_dims: int) -> nn.Module | None:
    if config is None:
        return None
    return MODELS.build({"type": "QueryInteractiveness", "embed_dims": embed_dims, **config})


def _load_mask(path: str | None, num_verbs: int) -> Tensor | None:
    if path is None:
        return None
    if not Path(path).is_file():
        raise FileNotFoundError(f"The head's verb_object_mask {path} does not exist. See docs/data.md.")
    try:
        mask = torch.from_numpy(read_npy(path).astype(np.float32))
    except ValueError as error:
        raise ConfigError(f"verb_object_mask {path}: {error}. See docs/data.md.") from error
    if mask.dim() != 2 or mask.shape[0] != num_verbs:
        raise ConfigError(f"verb_object_mask {path} needs {num_verbs} rows (verbs), got {tuple(mask.shape)}.")
    return mask
