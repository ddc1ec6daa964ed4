"""HOICLIP: GEN-VLKT whose interaction decoder reads CLIP's image tokens (Ning et al., CVPR 2023)."""

from dataclasses import replace

from mmdet.structures import OptSampleList
from torch import Tensor

from hqm_mmdet.models.layers import CLIPMemory, QuerySet
from hqm_mmdet.registry import MODELS

from .genvlkt import GENVLKT, build_tower


@MODELS.register_module()
class HOICLIP(GENVLKT):
    """GEN-VLKT with a second memory.

    .. code:: text

        image --> backbone, encoder --> tokens --> decoder --> subject, object states
        image --> CLIP's frozen tower --> CLIP tokens --.            | their mean in the last layer as content
                                          tokens -------+--> interaction_decoder --> CLIP's projection --> HOI classes

    Both memories go through the same cross-attentions, and their results are summed, see
    :class:`KnowledgeIntegrationDecoder`.
    Mined queries take the same way: the rule of a masked pair masks each memory by its own map.

    Args:
        clip (dict): config of :class:`FrozenCLIPVision`; it runs once per image.
        interaction_decoder (dict): config of the :class:`KnowledgeIntegrationDecoder` as far as it differs from
            ``decoder``; its width is that of CLIP's image tower.
        **kwargs: as in :class:`GENVLKT`; ``bbox_head`` is a :class:`HOICLIPHead`.
    """

    interaction_decoder_type = "KnowledgeIntegrationDecoder"

    def __init__(self, *, clip: dict, interaction_decoder: dict, **kwargs):
        super().__init__(interaction_decoder=interaction_decoder, **kwargs)
        self.clip = build_tower(clip)

    def read_image(self, batch_inputs: Tensor, batch_data_samples: OptSampleList = None) -> CLIPMemory:
        """Tokens of the detector and of CLIP."""
        memory = super(GENVLKT, self).read_image(batch_inputs, batch_data_samples)
        tokens = self.clip_tokens(self.clip, batch_inputs, batch_data_samples)
        return CLIPMemory(**vars(memory), clip_tokens=tokens, image_embeds=tokens[:, 0] @ self.clip.proj)

    def _interactions(self, queries: QuerySet, guides: Tensor, memory: CLIPMemory) -> Tensor:
        """Features (L, B, N, e) in CLIP's joint space."""
        guided = replace(queries, content=guides[-1])
        return self.interaction_decoder(guided, memory.projected["interaction_decoder"]) @ self.clip.proj
