"""What the heads of all detectors share: targets, matching, losses by layer, prediction."""

from abc import abstractmethod

import numpy as np
from mmdet.structures import SampleList
from mmengine.model import BaseModule
from mmengine.structures import InstanceData
from torch import Tensor

from hqm_mmdet.errors import ClassMismatchError
from hqm_mmdet.models.losses import by_layer
from hqm_mmdet.models.task_modules import Assignment, PairTargets
from hqm_mmdet.registry import MODELS, TASK_UTILS


class PairHead(BaseModule):
    """Base of all heads. A training step asks, in this order, for

    .. code:: text

        targets(samples)                    labelled pairs, checked
        forward(decoded)                    raw predictions of every layer
        assign(preds, targets)              which query stands for which pair
        loss(preds, targets, assigned)      scalars; for mined queries with the assignment that their miner made

    A head gives :meth:`forward`, :meth:`terms` and :meth:`decode`, and overrides what is special about it.

    Args:
        num_obj_classes (int): C; label C stands for "no object".
        num_verbs (int): V.
        matcher (dict): config of the matcher.
        loss_verb (dict): config of the verb loss.
        pair_nms (dict, optional): :class:`PairNMS` for inference. Default None, every query's pair is kept, as in QPIC.
        init_cfg (dict, optional): as in mmengine. Default None.
    """

    vocabulary = "verb"  # what the head scores: verbs, or HOI classes ("hoi")

    @property
    def score_loss(self) -> str:
        """Name of the loss of what the head scores."""
        return f"loss_{self.vocabulary}"

    def __init__(
        self,
        num_obj_classes: int,
        num_verbs: int,
        matcher: dict,
        loss_verb: dict,
        pair_nms: dict | None = None,
        init_cfg: dict | None = None,
    ):
        super().__init__(init_cfg)
        self.num_obj_classes = num_obj_classes
        self.num_verbs = num_verbs
        self.matcher = TASK_UTILS.build(matcher)
        self.loss_verb = MODELS.build(loss_verb)
        self.pair_nms = TASK_UTILS.build(pair_nms) if pair_nms else None

    @abstractmethod
    def forward(self, decoded) -> dict[str, Tensor]:
        """Raw predictions of every layer, from what the detector's ``decode`` returns.

        Returns:
            dict[str, Tensor]: ``obj_logits`` (L, B, N, C + 1), ``verb_logits`` (L, B, N, V) or ``hoi_logits``
            (L, B, N, H), ``sub_boxes`` and ``obj_boxes`` (L, B, N, 4), centre x, centre y, width, height in [0, 1]
            relative to the image. All float32, under autocast too. A head may add its own.
        """

    def targets(self, samples: SampleList) -> PairTargets:
        """Labelled pairs of a batch.

        Args:
            samples (list[HOIDataSample]): with ``gt_pairs``.

        Raises:
            ClassMismatchError: labels do not fit the head's numbers of classes and verbs.
        """
        device = next(self.parameters()).device
        return self.checked(PairTargets.from_samples(samples)).to(device)

    def checked(self, targets: PairTargets) -> PairTargets:
        """The same targets, if their labels fit the head.

        Raises:
            ClassMismatchError: a label has no output.
        """
        if targets.verb_labels.shape[-1] != self.num_verbs:
            raise ClassMismatchError(
                f"{targets.names[0]}: pairs are labelled with {targets.verb_labels.shape[-1]} verbs, but the head "
                f"predicts {self.num_verbs}. Set model.bbox_head.num_verbs to the data set's number."
            )
        # label C, "no object", has an output too; padding is 0
        check_labels("pair", targets.obj_labels, targets.names, self.num_obj_classes + 1, self.num_obj_classes)
        return targets

    def assign(self, preds: dict[str, Tensor], targets: PairTargets) -> Assignment:
        """Match queries and labelled pairs, separately for every layer.

        Raises:
            FloatingPointError: a matching cost is not finite, here or in another process; names the image's file.
        """
        return self.matcher(preds, targets)

    def loss(
        self, preds: dict[str, Tensor], targets: PairTargets, assigned: Assignment, background: bool = True
    ) -> dict[str, Tensor]:
        """Loss terms, the last layer's without prefix, layer i's with prefix ``d{i}.``.

        Args:
            preds (dict[str, Tensor]): as returned by :meth:`forward`.
            targets (PairTargets): as returned by :meth:`targets`.
            assigned (Assignment): which query stands for which pair.
            background (bool): whether the other queries are taught that there is nothing. False for mined queries.
                Default True.

        Returns:
            dict[str, Tensor]: scalars, times their weights.
        """
        return by_layer(self.terms(preds, targets, assigned, background))

    @abstractmethod
    def terms(
        self, preds: dict[str, Tensor], targets: PairTargets, assigned: Assignment, background: bool
    ) -> dict[str, Tensor]:
        """Loss terms of all layers, (L,) each, times their weights; arguments as in :meth:`loss`."""

    def predict(self, preds: dict[str, Tensor], samples: SampleList, rescale: bool = True) -> list[InstanceData]:
        """Pairs of the last layer, one ``pred_pairs`` per image.

        Args:
            preds (dict[str, Tensor]): as returned by :meth:`forward`.
            samples (list[HOIDataSample]): with ``ori_shape`` and ``img_shape``.
            rescale (bool): boxes in pixels of the original image, else of the network's input. Default True.
        """
        last = {name: value[-1] for name, value in preds.items()}
        sizes = [(sample.ori_shape if rescale else sample.img_shape)[:2] for sample in samples]
        pairs = [self.decode({name: value[i] for name, value in last.items()}, size) for i, size in enumerate(sizes)]
        return pairs if self.pair_nms is None else self.pair_nms(pairs)

    @abstractmethod
    def decode(self, preds: dict[str, Tensor], size: tuple[int, int]) -> InstanceData:
        """Pairs of one image in a frame of ``size`` (height, width) pixels, from predictions of one layer."""


def check_labels(what: str, labels: Tensor, names: list[str], num_labels: int, num_obj_classes: int) -> None:
    """Refuse object labels (B, P) outside 0 .. ``num_labels`` - 1, which a GPU answers with a device assert only.

    Args:
        what (str): what carries the labels, for the message.
        labels (Tensor): (B, P) long, padding included.
        names (list[str]): file of each image.
        num_labels (int): how many labels are allowed.
        num_obj_classes (int): C, for the message.

    Raises:
        ClassMismatchError: names file, place and label.
    """
    # on the host, where HOIDataPreprocessor leaves labels; others are waited for, before any work of the step
    labels = (labels if labels.is_cpu else labels.cpu()).numpy()
    wrong = (labels < 0) | (labels >= num_labels)
    if not wrong.any():
        return
    image, place = np.argwhere(wrong)[0]
    raise ClassMismatchError(
        f"{names[image]}: {what} {place} has the object label {int(labels[image, place])}, but the head has "
        f"{num_obj_classes} object classes, 0 to {num_obj_classes - 1}. Set model.bbox_head.num_obj_classes to the "
        "data set's number (one more if pairs may lack an object), or correct the annotation."
    )
