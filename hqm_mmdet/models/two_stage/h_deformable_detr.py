"""H-Deformable-DETR as PViC uses it: found boxes and their states."""

from mmdet.models.detectors import DeformableDETR
from torch import Tensor, nn

from hqm_mmdet.registry import MODELS


@MODELS.register_module()
class HDeformableDETR(DeformableDETR):
    """Deformable DETR in two stages, whose queries' contents are learned (Jia et al., CVPR 2023; PViC's detector).

    Positions come from the encoder's best proposals as in mmdet's, contents do not ("mixed selection"). Refining boxes
    by undetached references ("look forward twice") differs in gradients only. Queries of the one-to-many branch help
    training alone; their contents are part of official weights and idle here, so fine-tuning is one-to-one.

    Args:
        num_one2many (int): further queries that the weights have. Default: 1500.
        **kwargs: as in mmdet's ``DeformableDETR``; ``as_two_stage`` and ``with_box_refine`` are set.
    """

    def __init__(self, *args, num_one2many: int = 1500, **kwargs):
        super().__init__(*args, **kwargs, as_two_stage=True, with_box_refine=True)
        self.query_embedding = nn.Embedding(self.num_queries + num_one2many, self.embed_dims)

    def pre_decoder(self, memory: Tensor, memory_mask: Tensor, spatial_shapes: Tensor) -> tuple[dict, dict]:
        """As in mmdet's ``DeformableDETR``, with learned contents."""
        decoder_inputs, head_inputs = super().pre_decoder(memory, memory_mask, spatial_shapes)
        contents = self.query_embedding.weight[: self.num_queries]
        decoder_inputs["query"] = contents.expand(memory.shape[0], -1, -1)
        return decoder_inputs, head_inputs
