"""Attention map masking: matched queries that may not look where they looked (HQM, section 3.3)."""

from collections import defaultdict
from dataclasses import dataclass, field, replace

import torch
from torch import Tensor

from hqm_mmdet.errors import ConfigError
from hqm_mmdet.models.layers import AMMAttention, AttentionRecorder, AttentionRule
from hqm_mmdet.registry import MODELS

from .joint_learning import HardQueries, LearnablePass, Miner


def draw_drop_mask(logits: Tensor, top_k: int, gamma: float, shared: bool = False, padded: bool = True) -> Tensor:
    """Draw the positions to drop among the ``top_k`` largest of each row.

    Per row a share ``gamma`` of the candidates is dropped, exactly, without replacement. Candidates are the valid
    positions among the ``top_k`` largest, so small feature maps and padded images keep the share and never lose all.

    Args:
        logits (Tensor): (..., B, H, N, S), minus infinity at padding.
        top_k (int): K.
        gamma (float): dropped share of the candidates.
        shared (bool): draw the ranks once for all images, heads and queries, padded positions included (released code).
            Default False.
        padded (bool): False promises that no position is padding, which spares looking for it. Default True.

    Returns:
        Tensor: (..., B, H, N, S) bool, True = drop.
    """
    k = min(top_k, logits.shape[-1])
    top = logits.topk(k)
    chance = torch.rand(k if shared else top.values.shape, device=logits.device)
    candidate = top.values > float("-inf") if padded or shared else None
    if shared:
        # ranks of K numbers, as the release draws them: padding among the K largest uses up its share
        dropped = (chance.argsort().argsort() < int(gamma * k)) & candidate
    elif not padded:
        dropped = chance.argsort(-1).argsort(-1) < int(gamma * k + 1e-6)
    else:
        order = chance.masked_fill(~candidate, 2).argsort(-1).argsort(-1)  # candidates first, in random order
        # the 1e-6: 0.59 * 100 is 58.999... in float32, and 59 are meant
        dropped = order < (gamma * candidate.sum(-1, keepdim=True) + 1e-6).long()
    return torch.zeros_like(logits, dtype=torch.bool).scatter_(-1, top.indices, dropped)


@dataclass
class MaskRule:
    """Masks each cross-attention of a query set, layer by layer.

    Args:
        settings (AMMQueryGenerator): whose options apply.
        recorder (AttentionRecorder, optional): the learnable pass's projected queries, for the reference ``learnable``.
        source (Tensor, optional): (B, N) long, the learnable query that each query is measured against; None if both
            sets are the same.
        drawn (dict): by layer, what :meth:`draw_together` drew for it.
    """

    settings: "AMMQueryGenerator"
    recorder: AttentionRecorder | None = None
    source: Tensor | None = None
    drawn: dict[AMMAttention, Tensor] = field(default_factory=dict)

    @property
    def renormalise(self) -> bool:
        """Mask before the softmax (True) or after."""
        return self.settings.renormalise

    @torch.no_grad()
    def __call__(self, attention: AMMAttention, queries: Tensor, keys: Tensor, mask: Tensor | None) -> Tensor:
        """(B, H, N, S) bool, True = drop, or float, see :class:`AttentionRule`."""
        settings = self.settings
        if settings.reference == "random":  # any valid position is as good as another
            chances = torch.rand(*queries.shape[:3], keys.shape[2], device=queries.device)
            chances = chances if mask is None else chances.masked_fill(~mask, float("-inf"))
            return draw_drop_mask(chances, keys.shape[2], settings.gamma, settings.shared_draw)
        if settings.reference == "learnable":
            # the same layer of the learnable pass; by module, so CDN's two decoders need no telling apart
            if attention in self.drawn:
                return self.drawn[attention]
            queries = self._of_source(self.recorder.queries[attention])
        logits = attention.logits(queries, keys, mask)
        return draw_drop_mask(logits, settings.top_k, settings.gamma, settings.shared_draw)

    @torch.no_grad()
    def draw_together(self) -> "MaskRule":
        """The same rule, with what the learnable pass's layers of equal shapes tell drawn at once; the rest is drawn
        when its layer asks."""
        if self.settings.shared_draw:  # a draw per layer
            return self
        alike = defaultdict(list)
        for attention, queries in self.recorder.queries.items():
            (keys, mask), *others = self.recorder.memories[attention]
            if not others and (mask is None or mask.shape[-2] == 1):  # the rows here are others than there
                alike[queries.shape, keys.shape, id(mask)].append((attention, queries, keys, mask))
        drawn = {}
        for attentions, queries, keys, masks in (zip(*rows, strict=True) for rows in alike.values()):
            logits = attentions[0].logits(self._of_source(torch.stack(queries)), torch.stack(keys), masks[0])
            settings = self.settings
            dropped = draw_drop_mask(logits, settings.top_k, settings.gamma, padded=masks[0] is not None)
            if self.renormalise:  # as a kernel takes it, so that no layer has to make it
                dropped = dropped if masks[0] is None else dropped | ~masks[0]
                dropped = torch.zeros_like(logits).masked_fill(dropped, float("-inf")).to(queries[0].dtype)
            drawn.update(zip(attentions, dropped.unbind(), strict=True))
        return replace(self, drawn=drawn)

    def _of_source(self, queries: Tensor) -> Tensor:
        """Rows of the source queries, (..., B, H, N, D/H) -> (..., B, H, N', D/H)."""
        if self.source is None:
            return queries
        index = self.source[:, None, :, None].expand(*queries.shape[:-2], -1, queries.shape[-1])
        return queries.gather(-2, index)


@MODELS.register_module()
class AMMQueryGenerator(Miner):
    """Copies of the matched queries, with a part of their attention masked (Algorithm 1).

    In every head of every cross-attention a share ``gamma`` of the ``top_k`` positions *of the learnable pass* is
    dropped, drawn anew per head and query. As second miner of a chain (CJL) it masks the queries of the first.

    Args:
        top_k (int): K. Capped by the valid positions. Default 100.
        gamma (float): dropped share, in [0, 1). Default 0.4.
        copies (str): ``matched``: the query that the last decoder layer matched to each pair (the paper's N_g queries);
            ``all``: all learnable queries, each layer with its own match (released code). Default ``matched``.
        reference (str): whose largest scores are dropped: ``learnable``; ``own`` (the paper's "w/o A^l"); ``random``
            positions, the same share of all valid ones ("w/o top-K"). Default ``learnable``.
        shared_draw (bool): one draw of ranks per layer for all images, heads and queries (released code). Default
            False.
        renormalise (bool): mask before the softmax (released code); False: after it, as Algorithm 1 is written. Default
            True.
        post_norm (bool): False leaves out the decoder's shared norm before the heads (released combined model). Default
            True.
        loss_weight (float): factor on the losses, beta of equation 5; the released combined model uses 0.8. Default 1.
        init_cfg (dict, optional): as in mmengine. Default None.

    Raises:
        ConfigError: an option is outside of its limits.
    """

    continues = True
    REFERENCES, COPIES = ("learnable", "own", "random"), ("matched", "all")

    def __init__(
        self,
        top_k: int = 100,
        gamma: float = 0.4,
        copies: str = "matched",
        reference: str = "learnable",
        shared_draw: bool = False,
        renormalise: bool = True,
        post_norm: bool = True,
        loss_weight: float = 1.0,
        init_cfg: dict | None = None,
    ):
        super().__init__(init_cfg)
        if not 0 <= gamma < 1 or top_k < 1:
            raise ConfigError(f"AMM's gamma must be in [0, 1) and top_k positive, got gamma={gamma}, top_k={top_k}.")
        if copies not in self.COPIES or reference not in self.REFERENCES:
            raise ConfigError(
                f"AMM's copies must be one of {self.COPIES} and reference one of {self.REFERENCES}, got {copies!r} and "
                f"{reference!r}."
            )
        self.top_k = top_k
        self.gamma = gamma
        self.copies = copies
        self.reference = reference
        self.shared_draw = shared_draw
        self.renormalise = renormalise
        self.post_norm = post_norm
        self.loss_weight = loss_weight

    @property
    def needs_recorder(self) -> bool:
        """Whether the learnable pass must be recorded."""
        return self.reference == "learnable"

    def own_rule(self) -> AttentionRule | None:
        """What masks the learnable queries by their own attention or at random; None with reference ``learnable``."""
        return None if self.needs_recorder else MaskRule(self)

    def forward(self, learnable: LearnablePass, previous: HardQueries | None = None) -> HardQueries:
        """Hard queries with a masking rule.

        Args:
            learnable (LearnablePass): the learnable queries' pass over the same batch.
            previous (HardQueries, optional): queries to mask. Default: copies of learnable ones.

        Raises:
            ValueError: the learnable pass was not recorded, see :meth:`JointLearning.prepare`.
        """
        recorder = learnable.queries.recorder
        if self.needs_recorder and recorder is None:
            raise ValueError("AMM ranks the attention of the learnable pass, but that had no AttentionRecorder.")
        hard = previous or (self._copy_all(learnable) if self.copies == "all" else self._copy_matched(learnable))
        rule = MaskRule(self, recorder, hard.source)
        if self.needs_recorder:
            rule = rule.draw_together()
        return replace(hard, rule=rule, post_norm=self.post_norm, loss_weight=self.loss_weight)

    @staticmethod
    def _copy_all(learnable: LearnablePass) -> HardQueries:
        queries = learnable.queries
        return HardQueries(queries.content, queries.pos, queries.padding_mask, assigned=learnable.assigned)

    @staticmethod
    def _copy_matched(learnable: LearnablePass) -> HardQueries:
        """(B, P) queries, the j-th of an image copies the one matched to its j-th pair."""
        assigned, source = learnable.assigned, learnable.matched_query()
        queries = learnable.queries
        last = assigned.target[-1].expand_as(assigned.target)
        # slots without a match (padding, more pairs than queries) copy query 0 and are masked
        unmatched = None
        if last.shape[1] < source.numel():
            unmatched = torch.ones_like(source, dtype=torch.bool)
            unmatched.index_put_((assigned.image, last[-1]), torch.zeros_like(unmatched[0, 0]))
        return HardQueries(
            content=_rows(queries.content, source),
            pos=_rows(queries.pos, source),
            padding_mask=unmatched,
            assigned=replace(assigned, query=last, target=last),  # query j stands for pair j, in every layer
            source=source,
        )


def _rows(values: Tensor, source: Tensor) -> Tensor:
    """Rows of the source queries, (B, N, D) -> (B, N', D)."""
    return values.gather(1, source[..., None].expand(-1, -1, values.shape[-1]))
