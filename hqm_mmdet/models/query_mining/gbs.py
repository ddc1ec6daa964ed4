"""Ground-truth box shifting: queries that know a pair's place only roughly (HQM, section 3.2)."""

from dataclasses import replace

import torch
from mmdet.models.layers import MLP
from torch import Tensor

from hqm_mmdet.models.task_modules import PairTargets
from hqm_mmdet.registry import MODELS, TASK_UTILS

from .joint_learning import HardQueries, LearnablePass, Miner


def pair_geometry(sub_boxes: Tensor, obj_boxes: Tensor) -> Tensor:
    """The 12 numbers of equation 4: both boxes, offset of their centres, both areas.

    Args:
        sub_boxes, obj_boxes (Tensor): (..., 4) centre x, centre y, width, height relative to the image.

    Returns:
        Tensor: (..., 12).
    """
    # subject minus object, as in the released code
    offset = sub_boxes[..., :2] - obj_boxes[..., :2]
    areas = [boxes[..., 2:].prod(-1, keepdim=True) for boxes in (sub_boxes, obj_boxes)]
    return torch.cat([sub_boxes, obj_boxes, offset, *areas], -1)


@MODELS.register_module()
class GBSQueryGenerator(Miner):
    """One query per labelled pair, made of its shifted boxes: ``q = tanh(FFN(12 numbers))`` (equation 3).

    The query is the position part; the content starts at zero (released code). Queries of an image see each other only.

    Args:
        embed_dims (int): D, width of both layers. Default 256.
        shift (dict, optional): config of the box shift; None encodes the true boxes (the paper's "w/o Shift"). Default:
            :class:`IoUBoxShift`.
        noise_std (float): standard deviation of Gaussian noise on the queries (the paper's variant "w Gaussian noise",
            which goes without shift). The paper does not give its size. Default 0.0.
        loss_weight (float): factor on the losses, beta of equation 5; the released combined model uses 0.8. Default 1.
        verb_weight (float): further factor on the verb losses; 2 in the released combination with CDN. Default 1.0.
        mask_padding (bool): False lets the slots that an image's pairs leave free, encodings of zero boxes, be seen by
            the image's queries (released combination with CDN). Default True.
        init_cfg (dict, optional): as in mmengine. Default None.
    """

    def __init__(
        self,
        embed_dims: int = 256,
        shift: dict | None = dict(type="IoUBoxShift"),  # noqa: B006 (configs are never changed)
        noise_std: float = 0.0,
        loss_weight: float = 1.0,
        verb_weight: float = 1.0,
        mask_padding: bool = True,
        init_cfg: dict | None = None,
    ):
        super().__init__(init_cfg)
        self.mlp = MLP(12, embed_dims, embed_dims, 2)
        self.shift = TASK_UTILS.build(shift) if shift else None
        self.noise_std = noise_std
        self.loss_weight = loss_weight
        self.verb_weight = verb_weight
        self.mask_padding = mask_padding

    def ahead(self, targets: PairTargets) -> HardQueries:
        """(B, P) queries of labelled pairs, which need nothing else; not yet assigned."""
        sub_boxes, obj_boxes = targets.sub_boxes, targets.obj_boxes
        if self.shift is not None:
            sub_boxes, obj_boxes = self.shift(sub_boxes, obj_boxes, targets.sizes)
        pos = self.encode(sub_boxes, obj_boxes)
        return HardQueries(
            content=torch.zeros_like(pos),
            pos=pos,
            # slots beyond an image's pairs are queries too, so the batch is one tensor; masked, they change nothing
            padding_mask=targets.padding_mask if self.mask_padding and targets.is_padded else None,
            sub_boxes=sub_boxes,
            obj_boxes=obj_boxes,
            loss_weight=self.loss_weight,
            verb_weight=self.verb_weight,
        )

    def forward(self, learnable: LearnablePass, previous: HardQueries | None = None) -> HardQueries:
        """(B, P) queries, the j-th of an image stands for its j-th pair.

        Args:
            learnable (LearnablePass): the learnable queries' pass over the same batch.
            previous (HardQueries, optional): what :meth:`ahead` made before that pass. Default: it is made here.
        """
        targets = learnable.targets
        return replace(
            self.ahead(targets) if previous is None else previous,
            assigned=learnable.assigned.with_slots(targets.counts),
            source=learnable.matched_query(),  # for AMM as next miner (CJL), which masks where that query looked
        )

    def encode(self, sub_boxes: Tensor, obj_boxes: Tensor) -> Tensor:
        """Boxes (B, P, 4) cxcywh relative to the image -> queries (B, P, D)."""
        queries = self.mlp(pair_geometry(sub_boxes, obj_boxes)).tanh()
        return queries + self.noise_std * torch.randn_like(queries) if self.noise_std else queries
