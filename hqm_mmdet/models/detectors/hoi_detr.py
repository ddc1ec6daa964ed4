"""The base of all DETR-style HOI detectors: the data flow, written once."""

from abc import abstractmethod
from collections import OrderedDict
from collections.abc import Mapping, Sequence
from dataclasses import replace

import torch
from mmdet.models.detectors import DETR
from mmdet.structures import OptSampleList, SampleList
from torch import Tensor, nn

from hqm_mmdet.models.execution import (
    checkpoint_parts,
    choose_kernels,
    compile_parts,
    pointwise_convolutions,
    stages_of,
)
from hqm_mmdet.models.folding import FrozenNorms
from hqm_mmdet.models.freezing import TrainableParts
from hqm_mmdet.models.layers import Memory, QuerySet, join_queries, learnable_query_set
from hqm_mmdet.models.losses import weighted
from hqm_mmdet.models.query_mining import LearnablePass
from hqm_mmdet.registry import MODELS
from hqm_mmdet.structures import HOIDataSample


class HOIDETR(DETR, metaclass=TrainableParts):
    """Image to pairs, in one direction.

    .. code:: text

        image -> backbone -> neck -> encoder -> memory
        learnable queries -> decode(memory) -> head -> predictions -> match -> loss         (training)
        mined queries     -> decode(memory) -> head -> loss of the already assigned pairs   (training with mining)
        learnable queries -> decode(memory) -> head.predict -> pred_pairs                   (inference)

    A detector overrides :meth:`decode` (and what feeds it, and builds what they need in ``_init_layers``). One with
    several decoders that query sets pass names them in ``DECODERS``.

    Args:
        query_mining (dict, optional): config of :class:`JointLearning`. Default None, the plain detector.
        trainable (list[str], optional): regular expressions; parameters in whose names none is found are frozen, see
            :func:`~hqm_mmdet.models.freezing.train_only`. Default None, nothing is frozen here.
        channels_last (bool): memory layout of the backbone; True is faster on CPUs and in mixed precision on GPUs.
            Default False.
        compiled (bool | dict): ``torch.compile`` backbone, encoder and decoders when they run first, with these
            arguments (True: none). Worth it for long runs on a GPU; images of many sizes compile many times unless
            ``dict(dynamic=True)``. Default False.
        checkpointed (bool): keep no activations inside of the backbone's stages and the encoder's layers in training,
            which computes them twice. Default False.
        suppression (dict, optional): config of
            :class:`~hqm_mmdet.models.interactiveness.NonInteractionSuppression`. Default None, nothing is suppressed.
        **kwargs: as in mmdet's ``DETR``; ``bbox_head`` is a :class:`PairHead`.
    """

    DECODERS: tuple[str, ...] = ("decoder",)
    # Whether several query sets may go through ``decode`` and the head side by side, see :func:`join_queries`: every
    # prediction of the head is then a query's own, (L, B, N, ...).
    JOINS_QUERIES = True

    def __init__(
        self,
        *,
        query_mining: dict | None = None,
        channels_last: bool = False,
        compiled: bool | dict = False,
        checkpointed: bool = False,
        suppression: dict | None = None,
        **kwargs,
    ):
        super().__init__(**kwargs)  # draws the initial weights; parts added here come after, so that seeds keep theirs
        self.memory_format = torch.channels_last if channels_last else torch.contiguous_format
        self.backbone.to(memory_format=self.memory_format)
        self.pointwise = pointwise_convolutions(self.backbone)
        FrozenNorms(self.backbone)  # prepares it
        if checkpointed:
            checkpoint_parts([*stages_of(self.backbone), *self.encoder.layers])
        self.compiled = compiled
        # Miners and networks of post-processing draw their initial weights aside: with one seed, the detector starts
        # from the same weights with and without them, so that runs can be compared in pairs.
        with torch.random.fork_rng(devices=[]):
            self.query_mining = MODELS.build(query_mining) if query_mining else None
            self.suppression = MODELS.build(suppression) if suppression else None

    def _init_layers(self) -> None:
        self.positional_encoding = MODELS.build({"type": "SinePositionalEncoding", **self.positional_encoding})
        self.encoder = MODELS.build({"type": "HOIEncoder", **self.encoder})
        self.decoder = MODELS.build({"type": "HOIDecoder", **self.decoder})
        self.embed_dims = self.encoder.embed_dims
        self.query_embedding = nn.Embedding(self.num_queries, self.embed_dims)

    def encode(self, batch_inputs: Tensor, batch_data_samples: OptSampleList = None) -> Memory:
        """Images to memory, projected once for each decoder; arguments and result as of :meth:`read_image`."""
        memory = self.read_image(batch_inputs, batch_data_samples)
        return replace(memory, projected={name: getattr(self, name).project(memory) for name in self.DECODERS})

    def read_image(self, batch_inputs: Tensor, batch_data_samples: OptSampleList = None) -> Memory:
        """Backbone, neck and encoder.

        Args:
            batch_inputs (Tensor): (B, 3, H, W), normalised and padded at the right and the bottom.
            batch_data_samples (list[HOIDataSample], optional): their ``img_shape`` tells where padding begins.
                Default None, nothing is padding.

        Returns:
            Memory: tokens of the last feature map, not projected yet.
        """
        features = self.extract_feat(batch_inputs)
        samples = batch_data_samples or [HOIDataSample() for _ in batch_inputs]
        _complete_shapes(samples, batch_inputs)
        # mmdet's own step: flattens the map, makes positions and, if any image is padded, the mask
        encoder_inputs, _ = self.pre_transformer(features, samples)
        mask, pos = encoder_inputs["feat_mask"], encoder_inputs["feat_pos"]
        tokens = self.encoder(encoder_inputs["feat"], pos, mask)
        return Memory(tokens, pos, mask, tuple(features[-1].shape[-2:]))

    def extract_feat(self, batch_inputs: Tensor) -> tuple[Tensor, ...]:
        """Feature maps (B, D, h, w) of images (B, 3, H, W)."""
        choose_kernels(self.pointwise, batch_inputs.device)
        features = super().extract_feat(batch_inputs.contiguous(memory_format=self.memory_format))
        # the transformer views tokens row by row, whatever layout the convolutions liked
        return tuple(feature.contiguous() for feature in features)

    def learnable_queries(self, memory: Memory) -> QuerySet:
        """The detector's own queries, for the images of ``memory``: learnable positions (B, N, D), zero content."""
        return learnable_query_set(self.query_embedding.weight, len(memory.tokens))

    def compile_parts(self) -> None:
        """Compile what ``compiled`` says; subclasses have all their decoders by now."""
        compile_parts([self.backbone, self.encoder, *(getattr(self, name) for name in self.DECODERS)], self.compiled)

    @abstractmethod
    def decode(self, queries: QuerySet, memory: Memory) -> Tensor:
        """Any query set to what the head reads: decoder states (L, B, N, D), or whatever the detector's head wants."""

    def loss(self, batch_inputs: Tensor, batch_data_samples: SampleList) -> dict[str, Tensor]:
        """Loss terms of a batch; ``batch_data_samples`` need ``gt_pairs``."""
        # targets come first: their checks wait for the device, which has nothing to do yet
        _complete_shapes(batch_data_samples, batch_inputs)
        targets = self.bbox_head.targets(batch_data_samples)
        memory = self.encode(batch_inputs, batch_data_samples)
        queries, ahead = self.learnable_queries(memory), {}
        if self.query_mining is not None:
            queries = self.query_mining.prepare(queries)
            ahead = self.query_mining.ahead(queries, targets) if self.JOINS_QUERIES else {}
        preds, *hard_preds = self._decode_together([queries, *ahead.values()], memory)
        assigned = self.bbox_head.assign(preds, targets)
        losses = self.bbox_head.loss(preds, targets, assigned)
        if self.query_mining is not None:
            decoded = dict(zip(ahead, zip(ahead.values(), hard_preds, strict=True), strict=True))
            losses.update(self._hard_loss(LearnablePass(queries, memory, targets, assigned), decoded))
            # a zero, and so no loss of its own: it rides on one that every head has
            losses[self.bbox_head.score_loss] = losses[self.bbox_head.score_loss] + self.query_mining.idle_term()
        return losses

    def _decode_together(self, sets: Sequence[QuerySet], memory: Memory) -> list[dict[str, Tensor]]:
        """The head's predictions for each query set, from one pass through decoder and head."""
        if len(sets) == 1:
            return [self.bbox_head(self.decode(sets[0], memory))]
        sizes = [each.content.shape[1] for each in sets]
        preds = self.bbox_head(self.decode(join_queries(sets), memory))
        parts = {name: value.split(sizes, dim=2) for name, value in preds.items()}
        return [{name: part[i] for name, part in parts.items()} for i in range(len(sets))]

    def _hard_loss(
        self, learnable: LearnablePass, decoded: Mapping[str, tuple[QuerySet, dict[str, Tensor]]] | None = None
    ) -> dict[str, Tensor]:
        """Loss terms of the hard queries of this iteration, prefixed with their name; ``decoded`` holds, by that name,
        queries and predictions of those that went with the learnable ones."""
        losses, decoded = {}, decoded or {}
        for hard in self.query_mining(learnable, {name: queries for name, (queries, _) in decoded.items()}):
            if hard.name in decoded:
                _, preds = decoded[hard.name]
            else:
                preds = self.bbox_head(self.decode(hard, learnable.memory))
            for name, value in self.bbox_head.loss(preds, learnable.targets, hard.assigned, background=False).items():
                losses[f"{hard.name}.{name}"] = weighted(value, hard.weight_of(name))
        return losses

    def parse_losses(self, losses: dict[str, Tensor]) -> tuple[Tensor, dict[str, Tensor]]:
        """Sum of all losses, and them with their sum as ``loss``, as in mmengine, in one addition of all."""
        total = torch.stack([value for name, value in losses.items() if "loss" in name]).sum()
        return total, OrderedDict(loss=total, **losses)

    def predict(self, batch_inputs: Tensor, batch_data_samples: SampleList, rescale: bool = True) -> SampleList:
        """Fill ``pred_pairs`` of the samples.

        Args:
            batch_inputs (Tensor): (B, 3, H, W).
            batch_data_samples (list[HOIDataSample]): with ``ori_shape`` and ``img_shape``.
            rescale (bool): boxes in pixels of the original image, else of the network's input. Default True.
        """
        preds = self._forward(batch_inputs, batch_data_samples)
        for sample, pairs in zip(
            batch_data_samples, self.bbox_head.predict(preds, batch_data_samples, rescale), strict=True
        ):
            sample.pred_pairs = pairs
        if self.suppression is not None:
            self.suppression(batch_inputs, batch_data_samples, self.data_preprocessor, rescale)
        return batch_data_samples

    def _forward(self, batch_inputs: Tensor, batch_data_samples: OptSampleList = None) -> dict[str, Tensor]:
        """Raw predictions of the learnable queries, the dict of the head's ``forward``."""
        memory = self.encode(batch_inputs, batch_data_samples)
        return self.bbox_head(self.decode(self.learnable_queries(memory), memory))


def _complete_shapes(samples: SampleList, batch_inputs: Tensor) -> None:
    """Note the batch's size in each sample; a sample that does not know its own has no padding."""
    whole = tuple(batch_inputs.shape[-2:])
    for sample in samples:
        sample.set_metainfo({"batch_input_shape": whole})
        if "img_shape" not in sample:
            sample.set_metainfo({"img_shape": whole})
