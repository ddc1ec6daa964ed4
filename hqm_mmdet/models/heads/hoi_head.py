"""The HOI head: four small networks on every query, shared by all decoder layers."""

from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from mmdet.models.layers import MLP
from mmdet.structures import SampleList
from mmdet.utils import reduce_mean
from mmengine.model import BaseModule, bias_init_with_prob
from mmengine.structures import InstanceData
from torch import Tensor, nn

from hqm_mmdet.models.losses import box_terms
from hqm_mmdet.models.task_modules import Assignment, PairTargets
from hqm_mmdet.models.task_modules.targets import mean_over_processes, num_pairs_over_processes
from hqm_mmdet.registry import MODELS, TASK_UTILS

from .postprocess import decode_pairs


@MODELS.register_module()
class HOIHead(BaseModule):
    """Predicts subject box, object box, object class and verbs of a pair from each query.

    Args:
        num_obj_classes (int): C. The class layer has C + 1 outputs, the last is "no object".
        num_verbs (int): V.
        embed_dims (int): D.
        bg_weight (float): weight of label C in the object class loss (``eos_coef`` of the official code).
        loss_verb, loss_bbox, loss_iou (dict): loss modules. The object class loss is cross entropy, averaged over all
            queries with these class weights.
        loss_obj_weight (float): factor on the object class loss.
        verb_prior (float, optional): probability that the untrained verb layer gives to every verb, as usual with focal
            losses; speeds up training from scratch. None: PyTorch's initialisation, as in QPIC.
        verb_object_mask (str, optional): ``.npy`` file of a (V, C) 0/1 table; scores of forbidden combinations are set
            to 0 in inference, as QPIC does on V-COCO.
        obj_reweighting, verb_reweighting (dict, optional): :class:`DynamicReweighting` of the object class loss
            (instead of ``bg_weight``) and of the positive entries of the verb loss. Default None.
        pair_nms (dict, optional): :class:`PairNMS` for inference. Default None, every query's pair is kept, as in QPIC.
        train_cfg (dict, optional): ``matcher``, config of the matcher.
        test_cfg (dict, optional): unused; mmdet's detectors hand it in.
        init_cfg (dict, optional): as in mmengine.
    """

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
        train_cfg: dict | None = None,
        test_cfg: dict | None = None,
        init_cfg: dict | None = None,
    ):
        super().__init__(init_cfg)
        self.num_obj_classes = num_obj_classes
        self.num_verbs = num_verbs
        self.loss_obj_weight = loss_obj_weight
        self._init_layers(embed_dims)
        if verb_prior is not None:
            nn.init.constant_(self.verb_cls.bias, bias_init_with_prob(verb_prior))
        self.loss_verb = MODELS.build(loss_verb or dict(type="VerbFocalLoss"))
        self.loss_bbox = MODELS.build(loss_bbox or dict(type="L1Loss", loss_weight=2.5))
        self.loss_iou = MODELS.build(loss_iou or dict(type="GIoULoss", loss_weight=1.0))
        self.matcher = TASK_UTILS.build((train_cfg or {}).get("matcher", dict(type="PairMatcher")))
        self.obj_reweighting = self._reweighting(obj_reweighting, num_obj_classes)
        self.verb_reweighting = self._reweighting(verb_reweighting, num_verbs)
        self.pair_nms = TASK_UTILS.build(pair_nms) if pair_nms else None
        class_weights = torch.ones(num_obj_classes + 1)
        class_weights[-1] = bg_weight
        self.register_buffer("class_weights", class_weights, persistent=False)
        self.register_buffer("verb_object_mask", self._load_mask(verb_object_mask), persistent=False)

    def _init_layers(self, embed_dims: int) -> None:
        self.obj_cls = nn.Linear(embed_dims, self.num_obj_classes + 1)
        self.verb_cls = nn.Linear(embed_dims, self.num_verbs)
        self.sub_box = MLP(embed_dims, embed_dims, 4, 3)
        self.obj_box = MLP(embed_dims, embed_dims, 4, 3)

    def forward(self, states: Tensor | tuple[Tensor, Tensor], box_origin: Tensor | float = 0.0) -> dict[str, Tensor]:
        """Raw predictions of every layer.

        Args:
            states (Tensor | tuple[Tensor, Tensor]): (L, B, N, D) decoder states. Of two, the first is read by boxes and
                object class, the second by the verbs (CDN).
            box_origin (Tensor | float): broadcastable to (L, B, N, 4), added to both boxes before the sigmoid.

        Returns:
            dict[str, Tensor]: ``obj_logits`` (L, B, N, C + 1), ``verb_logits`` (L, B, N, V), ``sub_boxes`` and
            ``obj_boxes`` (L, B, N, 4), centre x, centre y, width, height in [0, 1] relative to the image. All float32,
            under autocast too.
        """
        pair_states, verb_states = states if isinstance(states, tuple) else (states, states)
        return dict(
            obj_logits=self.obj_cls(pair_states).float(),
            verb_logits=self.verb_cls(verb_states).float(),
            sub_boxes=(self.sub_box(pair_states).float() + box_origin).sigmoid(),
            obj_boxes=(self.obj_box(pair_states).float() + box_origin).sigmoid(),
        )

    def targets(self, samples: SampleList, preds: dict[str, Tensor] | None = None) -> PairTargets:
        """Labelled pairs of a batch.

        Args:
            samples (list[HOIDataSample]): with ``gt_pairs``.
            preds (dict[str, Tensor], optional): of the learnable queries, for heads whose targets depend on them.

        Raises:
            ValueError: labels do not fit the head's numbers of verbs.
        """
        targets = PairTargets.from_samples(samples)
        if targets.verb_labels.shape[-1] != self.num_verbs:
            raise ValueError(
                f"{targets.names[0]}: pairs are labelled with {targets.verb_labels.shape[-1]} verbs, but the head "
                f"predicts {self.num_verbs}. Set model.bbox_head.num_verbs to the data set's number."
            )
        return targets

    def assign(self, preds: dict[str, Tensor], targets: PairTargets) -> Assignment:
        """Match queries and labelled pairs, separately for every layer."""
        return self.matcher(preds, targets)

    def loss(
        self, preds: dict[str, Tensor], targets: PairTargets, assigned: Assignment, background: bool = True
    ) -> dict[str, Tensor]:
        """Loss terms, the last layer's without prefix, layer i's with prefix ``d{i}.``.

        Args:
            preds (dict[str, Tensor]): as returned by :meth:`forward`.
            targets (PairTargets): labelled pairs.
            assigned (Assignment): which query stands for which pair.
            background (bool): whether the other queries are taught "no object" and no verb. False for mined queries.

        Re-weighting counts the classes of the learnable queries alone; mined queries get the weights of the moment.

        Returns:
            dict[str, Tensor]: scalars, times their weights. Divisors as in QPIC: class loss by the sum of class
            weights, verb loss by the positive entries, subject boxes by the pairs, object boxes by the pairs with one.
            All are averaged over processes, so that N processes compute what one does on the whole batch; QPIC does
            this for the subject boxes only, which weighs the others by how pairs fall on processes.
        """
        terms = {
            "loss_obj_cls": self._obj_cls_loss(preds["obj_logits"], targets, assigned, background),
            "loss_verb": self._verb_loss(preds["verb_logits"], targets, assigned, background),
            **self._box_losses(preds, targets, assigned),
        }
        return self._by_layer(terms)

    @staticmethod
    def _by_layer(terms: dict[str, Tensor]) -> dict[str, Tensor]:
        """Terms (L,) as scalars, the last layer's without prefix, layer i's with prefix ``d{i}.``."""
        last = len(next(iter(terms.values()))) - 1
        return {
            (name if layer == last else f"d{layer}.{name}"): values[layer]
            for layer in range(last, -1, -1)
            for name, values in terms.items()
        }

    def predict(self, preds: dict[str, Tensor], samples: SampleList, rescale: bool = True) -> list[InstanceData]:
        """Pairs of the last layer, one InstanceData per image, see :func:`decode_pairs`."""
        last = {name: value[-1] for name, value in preds.items()}
        pairs = [
            self._decode(
                {name: value[i] for name, value in last.items()},
                (sample.ori_shape if rescale else sample.img_shape)[:2],
            )
            for i, sample in enumerate(samples)
        ]
        return pairs if self.pair_nms is None else self.pair_nms(pairs)

    def _decode(self, preds: dict[str, Tensor], size: tuple[int, int]) -> InstanceData:
        """Pairs of one image from predictions of one layer."""
        return decode_pairs(preds, size, self.verb_object_mask)

    def _obj_cls_loss(self, logits: Tensor, targets: PairTargets, assigned: Assignment, background: bool) -> Tensor:
        """(L,) cross entropy, weighted mean over queries; "no object" where nothing is assigned."""
        labels = assigned.of_targets(targets, "obj_labels")
        if background:
            absent = torch.full(logits.shape[:3], self.num_obj_classes, device=logits.device)
            labels, logits = assigned.put(absent, labels).flatten(1), logits.flatten(1, 2)
        else:
            logits = assigned.of_queries(logits)
        if self.obj_reweighting is None:
            weights = self.class_weights[labels]
        else:
            weights = self.obj_reweighting.of_labels(labels, count=background)
        losses = F.cross_entropy(logits.flatten(0, 1), labels.flatten(), reduction="none").view_as(labels) * weights
        divisor = reduce_mean(weights.sum(1)).clamp(min=torch.finfo(losses.dtype).tiny)
        return self.loss_obj_weight * losses.sum(1) / divisor

    def _verb_loss(self, logits: Tensor, targets: PairTargets, assigned: Assignment, background: bool) -> Tensor:
        """(L,) focal loss, divided by the positive entries if there are any."""
        labels = assigned.of_targets(targets, "verb_labels")
        if background:
            labels, logits = assigned.put(torch.zeros_like(logits), labels).flatten(1, 2), logits.flatten(1, 2)
        else:
            logits = assigned.of_queries(logits)
        positives = mean_over_processes(labels.sum((1, 2)))
        losses = self.loss_verb(logits, labels)
        if self.verb_reweighting is not None:
            losses = losses * self.verb_reweighting.of_multi_hot(labels, count=background)
        return losses.sum((1, 2)) / positives

    def _box_losses(self, preds: dict[str, Tensor], targets: PairTargets, assigned: Assignment) -> dict[str, Tensor]:
        """L1 and GIoU of subject and object boxes, (L,) each."""
        num_pairs = num_pairs_over_processes(targets)
        present = assigned.of_targets(targets, "has_object").float()  # (L, M)
        num_objects = reduce_mean(present.sum(1)) + 1e-4  # as in the official code
        terms = {}
        for who, weight, divisor in (("sub", torch.ones_like(present), num_pairs), ("obj", present, num_objects)):
            predicted = assigned.of_queries(preds[f"{who}_boxes"])  # (L, M, 4)
            labelled = assigned.of_targets(targets, f"{who}_boxes")
            l1, giou = box_terms(self.loss_bbox, self.loss_iou, predicted, labelled)
            terms[f"loss_{who}_bbox"] = (l1 * weight).sum(1) / divisor
            terms[f"loss_{who}_iou"] = (giou * weight).sum(1) / divisor
        return terms

    @staticmethod
    def _reweighting(config: dict | None, num_classes: int) -> nn.Module | None:
        return MODELS.build({**config, "num_classes": num_classes}) if config else None

    def _load_mask(self, path: str | None) -> Tensor | None:
        if path is None:
            return None
        if not Path(path).is_file():
            raise FileNotFoundError(f"The head's verb_object_mask {path} does not exist. See docs/data.md.")
        mask = torch.from_numpy(np.load(path)).float()
        if mask.dim() != 2 or mask.shape[0] != self.num_verbs:
            raise ValueError(f"verb_object_mask {path} needs {self.num_verbs} rows (verbs), got {tuple(mask.shape)}.")
        return mask
