"""HOTR: pairs are pointers to the instances of a DETR (Kim et al., CVPR 2021)."""

import torch
from mmdet.structures import OptSampleList
from torch import Tensor, nn

from hqm_mmdet.models.layers import InstanceMemory, Memory, PointerStates, QuerySet, learnable_query_set
from hqm_mmdet.registry import MODELS

from .hoi_detr import HOIDETR


@MODELS.register_module()
class HOTR(HOIDETR):
    """A DETR finds instances; a second decoder's queries point to a subject and an object among them.

    .. code:: text

        image -> backbone -> neck -> encoder -> tokens -> instance decoder -> instances     (frozen; runs once)
        any query set -> decoder(tokens) -> head(states, instances) -> pointers, verbs

    So mined queries share the interaction branch, and the instance branch is the same for all.

    The official code differs where noted below, and runs the shared encoder twice. Both runs give the same, unless
    ``frozen_dropout`` is on: there they draw different dropout, here there is one run.

    Args:
        num_instances (int): I, queries of the instance decoder. Default 100.
        instance_decoder (dict, optional): config of the instance decoder; Default: as ``decoder``.
        freeze_instances (bool): backbone, neck, encoder, instance decoder, its queries and its heads do not learn, and
            must come from a checkpoint (``load_from``). False: they learn with DETR's losses, on all their layers.
            Default True.
        frozen_dropout (bool): keep frozen parts in training mode, with dropout, as the official code does. Default
            False.
        decoder, bbox_head (dict): of the interaction branch; the head is a :class:`HOTRHead`.
        **kwargs: as in :class:`HOIDETR`; ``num_queries`` counts interaction queries.
    """

    def __init__(
        self,
        *,
        decoder: dict,
        bbox_head: dict,
        num_instances: int = 100,
        instance_decoder: dict | None = None,
        freeze_instances: bool = True,
        frozen_dropout: bool = False,
        **kwargs,
    ):
        bbox_head = dict(bbox_head, instance_losses=not freeze_instances)
        super().__init__(decoder=decoder, bbox_head=bbox_head, **kwargs)
        self.instance_decoder = MODELS.build({"type": "HOIDecoder", **(instance_decoder or decoder)})
        self.instance_queries = nn.Embedding(num_instances, self.embed_dims)
        self.freeze_instances = freeze_instances
        self.frozen_dropout = frozen_dropout
        if freeze_instances:
            self._instance_branch().requires_grad_(False)

    JOINS_QUERIES = False  # predictions hold instances, too
    INSTANCE_BRANCH = ("backbone", "neck", "encoder", "instance_decoder", "instance_queries", "bbox_head.instance_head")

    def _instance_branch(self) -> nn.ModuleList:
        return nn.ModuleList(self.get_submodule(name) for name in self.INSTANCE_BRANCH)

    @property
    def required_parameters(self) -> tuple[str, ...]:
        """Prefixes of parameters that a checkpoint to start from must hold: frozen ones never leave random values."""
        return tuple(f"{name}." for name in self.INSTANCE_BRANCH) if self.freeze_instances else ()

    def init_weights(self) -> None:
        """As mmdet's DETR, for both decoders."""
        super().init_weights()
        for parameter in self.instance_decoder.parameters():
            if parameter.dim() > 1:
                nn.init.xavier_uniform_(parameter)

    def train(self, mode: bool = True) -> "HOTR":
        """Set the mode; frozen parts stay in evaluation mode unless ``frozen_dropout``."""
        super().train(mode)  # switches everything; the frozen parts are switched back
        if self.freeze_instances and not self.frozen_dropout:
            self._instance_branch().eval()
        return self

    def read_image(self, batch_inputs: Tensor, batch_data_samples: OptSampleList = None) -> InstanceMemory:
        """Images (B, 3, H, W) to tokens and instances, without gradient if the branch is frozen."""
        with torch.set_grad_enabled(torch.is_grad_enabled() and not self.freeze_instances):
            memory = super().read_image(batch_inputs, batch_data_samples)
            queries = learnable_query_set(self.instance_queries.weight, len(memory.tokens))
            projected = self.instance_decoder.project(memory)  # read once, by this one query set, so kept nowhere
            states = self.instance_decoder(queries, projected)
            layers = states[-1:] if self.freeze_instances else states  # the other layers only have losses
            return InstanceMemory(**vars(memory), instances=self.bbox_head.instance_head(layers))

    def decode(self, queries: QuerySet, memory: Memory) -> PointerStates:
        """States of every interaction decoder layer (L, B, N, D), and the instances they point to."""
        return PointerStates(self.decoder(queries, memory.projected["decoder"]), memory.instances)
