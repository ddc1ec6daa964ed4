"""The interactiveness network as a model of its own."""

import torch
from mmengine.structures import InstanceData
from torch import Tensor

from hqm_mmdet.registry import MODELS

from .two_stage_hoi import TwoStageHOI


@MODELS.register_module()
class Interactiveness(TwoStageHOI):
    """Tells pairs that interact from pairs that do not, of any detector and any vocabulary.

    It is trained as any two-stage model, independently of the detector that it helps later: positives are labelled
    pairs with jitter, negatives a detector's (or annotated) boxes in pairs that match no label. What the pairs do is
    never looked at, so data sets of different vocabularies mix. Source: TIN (CVPR 2019), section 3.

    Args:
        bbox_head (dict): config of an :class:`~hqm_mmdet.models.interactiveness.InteractivenessHead`.
        **kwargs: as in :class:`TwoStageHOI`.
    """

    @torch.no_grad()
    def judge(self, image: Tensor, pairs: InstanceData) -> Tensor:
        """Probabilities (P, 2) that pairs interact, and that they do not.

        Args:
            image (Tensor): (3, H, W) in [0, 255], channels blue, green, red.
            pairs (InstanceData): ``sub_bboxes``, ``obj_bboxes`` (P, 4) x1, y1, x2, y2 in pixels of ``image``;
                ``keypoints`` (P, 17, 2 or 3) where there are any.
        """
        inputs = self.data_preprocessor(dict(inputs=[image]))["inputs"]
        (feature,) = self.extract_feat(inputs)
        return self._scores(feature, pairs)["interactiveness_logits"].sigmoid()
