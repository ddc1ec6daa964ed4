"""GEN-VLKT: guided queries find subject and object, a second decoder their interaction (Liao et al., CVPR 2022)."""

from dataclasses import replace

import torch
from mmdet.structures import OptSampleList
from torch import Tensor, nn

from hqm_mmdet.errors import ConfigError
from hqm_mmdet.models.clip import FrozenCLIPVision
from hqm_mmdet.models.heads import InteractionStates
from hqm_mmdet.models.layers import CLIPMemory, Memory, QuerySet, learnable_query_set, split_pairs
from hqm_mmdet.registry import MODELS

from .hoi_detr import HOIDETR


def build_tower(config: dict) -> FrozenCLIPVision:
    """CLIP's image tower of a config."""
    return MODELS.build({"type": "FrozenCLIPVision", **config})


@MODELS.register_module()
class GENVLKT(HOIDETR):
    """Two queries per pair in one decoder, and a decoder of interactions that they guide.

    .. code:: text

        subject query + pair query --> decoder --> subject states --> subject box
        object query  + pair query -->         --> object states  --> object box, object class
                                                      | mean of both, layer by layer
                                                      v as positions, content zero
                                                interaction_decoder --> HOI classes

    A query set holds pairs: its positions have 2D channels, the subject's before the object's. So a shifted pair (GBS)
    is one row, whose encoder has 2D outputs (``_base_/query_mining/ajl_two_roles.py``), a masked one (AMM) is a copy of
    one. The pair's rule masks subject, object and interaction, each by its own map.

    Args:
        decoder (dict): config of the instance decoder.
        interaction_decoder (dict, optional): what the interaction decoder's config has other than ``decoder``.
            Default: nothing. It needs as many layers.
        mimic_clip (dict, optional): config of :class:`FrozenCLIPVision`, for a head with ``loss_image``; training
            only. Default None.
        **kwargs: as in :class:`HOIDETR`; ``bbox_head`` is a :class:`HOIClassHead`.

    Raises:
        ConfigError: the decoders differ in depth.
    """

    DECODERS = ("decoder", "interaction_decoder")
    JOINS_QUERIES = False  # the decoder takes a pair's two queries apart
    interaction_decoder_type = "HOIDecoder"

    def __init__(
        self, *, decoder: dict, interaction_decoder: dict | None = None, mimic_clip: dict | None = None, **kwargs
    ):
        super().__init__(decoder=decoder, **kwargs)
        self.interaction_decoder = MODELS.build(
            {"type": self.interaction_decoder_type, **decoder, **(interaction_decoder or {})}
        )
        if self.interaction_decoder.num_layers != self.decoder.num_layers:
            raise ConfigError(
                f"{type(self).__name__} pairs the layers of its decoders: decoder has {self.decoder.num_layers}, "
                f"interaction_decoder {self.interaction_decoder.num_layers}. Give both the same num_layers."
            )
        self.mimic_clip = build_tower(mimic_clip) if mimic_clip else None

    def _init_layers(self) -> None:
        super()._init_layers()
        self.subject_embedding = nn.Embedding(self.num_queries, self.embed_dims)
        self.object_embedding = nn.Embedding(self.num_queries, self.embed_dims)

    def init_weights(self) -> None:
        """As in mmdet's ``DETR``, for the second decoder too; pair queries are uniform in [0, 1)."""
        super().init_weights()
        for parameter in self.interaction_decoder.parameters():
            if parameter.dim() > 1:
                nn.init.xavier_uniform_(parameter)
        nn.init.uniform_(self.query_embedding.weight)

    def read_image(self, batch_inputs: Tensor, batch_data_samples: OptSampleList = None) -> Memory:
        """As in :class:`HOIDETR`; in training with CLIP's image embeddings, where the head's loss needs them."""
        memory = super().read_image(batch_inputs, batch_data_samples)
        if self.mimic_clip is None or not self.training:
            return memory
        tokens = self.clip_tokens(self.mimic_clip, batch_inputs, batch_data_samples)
        return CLIPMemory(**vars(memory), image_embeds=tokens[:, 0] @ self.mimic_clip.proj)

    def clip_tokens(self, tower: FrozenCLIPVision, batch_inputs: Tensor, batch_data_samples: OptSampleList) -> Tensor:
        """CLIP's tokens (B, 1 + P, c) of the network's own inputs without padding, so no pipeline has to make them.

        A sample may carry its own view instead, ``clip_image`` (3, S, S), RGB in 0..255.

        Args:
            tower (FrozenCLIPVision): the image tower.
            batch_inputs (Tensor): (B, 3, H, W), normalised and padded.
            batch_data_samples (list[HOIDataSample], optional): their ``img_shape`` tells where padding begins.
        """
        mean, std = (getattr(self.data_preprocessor, name) for name in ("mean", "std"))
        images = []
        for i, image in enumerate(batch_inputs):
            sample = batch_data_samples[i] if batch_data_samples else {}
            if "clip_image" in sample:
                images.append(sample.clip_image.to(image))
                continue
            height, width = sample.get("img_shape", image.shape[1:])[:2]
            images.append(image[:, :height, :width] * std + mean)
        return tower(tower.views(images))

    def learnable_queries(self, memory: Memory) -> QuerySet:
        """Pairs (B, N, 2D): subject and object position, each plus the position that the pair shares; zero content."""
        shared = self.query_embedding.weight
        pos = torch.cat([self.subject_embedding.weight + shared, self.object_embedding.weight + shared], -1)
        return learnable_query_set(pos, len(memory.tokens))

    def decode(self, queries: QuerySet, memory: Memory) -> InteractionStates:
        """States of subjects, objects and interactions of every decoder layer."""
        if queries.pos.shape[-1] != 2 * self.embed_dims:
            raise ConfigError(
                f"{type(self).__name__} takes pairs with {2 * self.embed_dims} channels, twice its width, but mined "
                f"queries have {queries.pos.shape[-1]}. Use configs/_base_/query_mining/ajl_two_roles.py, or set "
                "query_mining.miners.gbs.embed_dims."
            )
        states = self.decoder(split_pairs(queries), memory.projected["decoder"])
        num_pairs = queries.pos.shape[1]
        # guides are always normalised states, whatever the head of this query set reads
        guides = states if queries.post_norm else self.decoder.post_norm(states)
        guides = (guides[:, :, :num_pairs] + guides[:, :, num_pairs:]) / 2
        return InteractionStates(
            states[:, :, :num_pairs],
            states[:, :, num_pairs:],
            self._interactions(queries, guides, memory),
            getattr(memory, "image_embeds", None),
        )

    def _interactions(self, queries: QuerySet, guides: Tensor, memory: Memory) -> Tensor:
        """States (L, B, N, ...) of the interactions that (L, B, N, D) guides point at."""
        guided = replace(queries, content=torch.zeros_like(guides[0]), pos=guides)
        return self.interaction_decoder(guided, memory.projected["interaction_decoder"])
