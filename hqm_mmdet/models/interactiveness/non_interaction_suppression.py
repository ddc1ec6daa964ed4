"""Interactiveness as post-processing of any detector."""

from collections.abc import Mapping, Sequence
from pathlib import Path

import torch
import torch.nn.functional as F
from mmdet.structures import SampleList
from mmengine.structures import InstanceData
from torch import Tensor, nn

from hqm_mmdet.registry import MODELS
from hqm_mmdet.structures import HOIDataSample, scale_of, score_fields, with_poses

from .network import SuppressionError, load_interactiveness, own_size, raw_images
from .suppression import SuppressionThresholds, best_objects, low_grade_suppression, multiply, suppress

MODES = ("suppress", "multiply")


@MODELS.register_module()
class NonInteractionSuppression:
    """Lowers the scores of pairs that do not interact, whatever detector found them.

    One config line gives it to a detector: ``model = dict(suppression=dict(type="NonInteractionSuppression",
    checkpoint="interactiveness.pth"))``. It acts on decoded pairs, after the head and before selection and evaluation.
    It is no module of the host: the host's weights, its checkpoints and its training stay what they are. Source: TIN
    (CVPR 2019), section 3.4; ``multiply`` is equation 6, ``suppress`` the released code.

    Args:
        checkpoint (str | Path, optional): weights of an
            :class:`~hqm_mmdet.models.two_stage.Interactiveness`, which hold its config.
        interactiveness (dict, optional): its config, if the checkpoint holds none.
        host_scores (bool): no network; the host says itself which pairs interact (``pred_pairs.interactiveness``: TIN,
            or a head with :class:`~.query_interactiveness.QueryInteractiveness`). Default: False.
        mode (str): ``suppress``: scores of a pair that passes the thresholds become 0; ``multiply``: scores times the
            probability that the pair interacts. Default: ``suppress``.
        thresholds (Mapping | None): arguments of :class:`SuppressionThresholds`. Default: 0.9 and 0.1. With 1 the
            result is the host's, bit by bit.
        lis (Mapping, optional): constants of :func:`low_grade_suppression`; scores are multiplied by that of the
            object's score, and of the subject's where the detector has one. Default None: not done.
        kept_verbs (Sequence[int]): verbs that say that nothing happens (HICO-DET: 57). Default: none.
        after_choice (bool): of a person's objects only the best of each verb keeps its score, before suppression: the
            released code's order on V-COCO; not for hosts that score HOI classes. Default: False.

    Raises:
        SuppressionError: an unknown mode, neither a checkpoint nor a config, or a model of another kind.
        FileNotFoundError, CheckpointError: the checkpoint is missing, damaged, or does not fit.
    """

    def __init__(
        self,
        checkpoint: str | Path | None = None,
        interactiveness: dict | None = None,
        host_scores: bool = False,
        mode: str = "suppress",
        thresholds: Mapping | None = None,
        lis: Mapping[str, float] | None = None,
        kept_verbs: Sequence[int] = (),
        after_choice: bool = False,
    ):
        if mode not in MODES:
            raise SuppressionError(f"NonInteractionSuppression: mode must be one of {MODES}, got {mode!r}.")
        self.mode, self.lis, self.kept_verbs, self.after_choice = mode, lis, tuple(kept_verbs), after_choice
        self.thresholds = SuppressionThresholds(**(thresholds or {}))
        self.network = None if host_scores else load_interactiveness(checkpoint, interactiveness)

    def __call__(self, batch_inputs: Tensor, samples: SampleList, preprocessor: nn.Module, rescaled: bool) -> None:
        """Change ``pred_pairs`` of a host's samples in place.

        Args:
            batch_inputs (Tensor): (B, 3, H, W), as the host's preprocessor normalised and padded it.
            samples (list[HOIDataSample]): with ``pred_pairs``; their ``poses`` are looked at where there are any.
            preprocessor (nn.Module): the host's, an mmdet ``DetDataPreprocessor``.
            rescaled (bool): whether boxes are in pixels of the original image, else of the network's input.
        """
        if self.network is None:
            for sample in samples:
                sample.pred_pairs = self.apply(sample.pred_pairs, _host_scores(sample))
            return
        self.network.to(batch_inputs.device)
        for image, sample in zip(raw_images(batch_inputs, preprocessor), samples, strict=True):
            scores = self.judge(image[:, : sample.img_shape[0], : sample.img_shape[1]], sample, rescaled)
            sample.pred_pairs = self.apply(sample.pred_pairs, scores)

    def judge(self, image: Tensor, sample: HOIDataSample, rescaled: bool) -> Tensor:
        """Probabilities (P, 2) of a sample's pairs, from the image in the size in which the network knows images.

        Args:
            image (Tensor): (3, H, W) in [0, 255], channels blue, green, red, without padding.
            sample (HOIDataSample): with ``pred_pairs``.
            rescaled (bool): as in :meth:`__call__`.
        """
        boxes = with_poses(_boxes(sample, rescaled), sample)
        size = own_size(self.network.cfg, sample.ori_shape[:2])
        if size != tuple(image.shape[1:]):
            scale = image.new_tensor([size[1] / image.shape[2], size[0] / image.shape[1]])
            boxes.sub_bboxes, boxes.obj_bboxes = boxes.sub_bboxes * scale.repeat(2), boxes.obj_bboxes * scale.repeat(2)
            if "keypoints" in boxes:
                boxes.keypoints = boxes.keypoints[..., :2] * scale
            image = F.interpolate(image[None], size, mode="bilinear", antialias=True)[0]
        return self.network.judge(image, boxes)

    def apply(self, pairs: InstanceData, scores: Tensor) -> InstanceData:
        """Pairs with changed scores of verbs or HOI classes, and ``interactiveness`` (P, 2), ``suppressed`` (P,) bool.

        A pair without object (a box without area) is left alone.

        Args:
            pairs (InstanceData): a ``pred_pairs`` of length P.
            scores (Tensor): (P, 2) probabilities.

        Raises:
            SuppressionError: ``after_choice`` with pairs that score HOI classes.
        """
        present = (pairs.obj_bboxes[:, 2:] > pairs.obj_bboxes[:, :2]).all(1)
        if self.after_choice:
            pairs.verb_scores = _of_best_objects(pairs)
        suppressed = self.thresholds.suppressed(scores, pairs.obj_labels) & present
        if self.mode == "multiply":
            suppressed = torch.zeros_like(suppressed)
        kept = self._kept_columns(pairs)
        for name in score_fields(pairs):
            values = pairs[name]
            if self.mode == "suppress":
                changed = suppress(values, suppressed, kept)
            else:
                changed = torch.where(present[:, None], multiply(values, scores, kept), values)
            pairs[name] = changed * self._lis_factor(pairs) if self.lis else changed
        pairs.interactiveness, pairs.suppressed = scores, suppressed
        return pairs

    def _kept_columns(self, pairs: InstanceData) -> tuple[int, ...]:
        """Columns of the scores whose verb is one of ``kept_verbs``."""
        if "hoi_scores" not in pairs:
            return self.kept_verbs
        return tuple(hoi for hoi, verb in enumerate(pairs.hois.verbs) if verb in self.kept_verbs)

    def _lis_factor(self, pairs: InstanceData) -> Tensor:
        """(P, 1), of the detection scores that the host has."""
        factor = torch.ones(len(pairs), 1, device=pairs.obj_labels.device)
        for name in ("sub_scores", "obj_scores"):
            if name in pairs:
                factor = factor * low_grade_suppression(pairs[name], **self.lis)[:, None]
        return factor


def _boxes(sample: HOIDataSample, rescaled: bool) -> InstanceData:
    """Boxes of a sample's pairs, in pixels of the network's input."""
    pairs = sample.pred_pairs
    scale = pairs.sub_bboxes.new_tensor(scale_of(sample) if rescaled else (1.0, 1.0)).repeat(2)
    return InstanceData(sub_bboxes=pairs.sub_bboxes * scale, obj_bboxes=pairs.obj_bboxes * scale)


def _of_best_objects(pairs: InstanceData) -> Tensor:
    """(P, V) verb scores, 0 where a person has a better object for the verb."""
    if "hoi_scores" in pairs:
        raise SuppressionError(
            "NonInteractionSuppression(after_choice=True) compares scores of verbs; this model scores HOI classes. "
            "Leave it out."
        )
    _, person = torch.unique(pairs.sub_bboxes, dim=0, return_inverse=True)
    return pairs.verb_scores.masked_fill(~best_objects(pairs.verb_scores, person), 0)


def _host_scores(sample: HOIDataSample) -> Tensor:
    if "interactiveness" not in sample.pred_pairs:
        raise SuppressionError(
            "NonInteractionSuppression(host_scores=True): the model does not say which pairs interact. Set "
            "model.bbox_head.interactiveness=dict() and train it, or give a checkpoint of a network."
        )
    return sample.pred_pairs.interactiveness
