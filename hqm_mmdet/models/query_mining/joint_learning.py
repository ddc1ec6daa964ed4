"""What miners read and make, and which of them work in which iteration (HQM, sections 3.4 and 4.3)."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import torch
from mmengine.model import BaseModule, ModuleDict
from torch import Tensor

from hqm_mmdet.errors import ConfigError, MissingHookError
from hqm_mmdet.models.layers import AttentionRecorder, AttentionRule, Memory, QuerySet
from hqm_mmdet.models.task_modules import Assignment, PairTargets
from hqm_mmdet.registry import MODELS

Chain = tuple[str, ...]


@dataclass
class LearnablePass:
    """The learnable queries after decoding and matching: all that miners read.

    Args:
        queries (QuerySet): what went into the decoder.
        memory (Memory): what they read.
        targets (PairTargets): labelled pairs.
        assigned (Assignment): their match, per decoder layer.
    """

    queries: QuerySet
    memory: Memory
    targets: PairTargets
    assigned: Assignment

    def matched_query(self) -> Tensor:
        """(B, P) long: the query that the last decoder layer matched to each pair; 0 where there is none."""
        labels = self.targets.obj_labels
        matched = labels.new_zeros(labels.shape)
        matched[self.assigned.image, self.assigned.target[-1]] = self.assigned.query[-1]
        return matched


@dataclass
class HardQueries(QuerySet):
    """A mined query set.

    Args:
        assigned (Assignment): the pair that each query must find; there is no matching and no background.
        source (Tensor): (B, N) long, the learnable query that each one is measured against.
        sub_boxes, obj_boxes (Tensor, optional): (B, N, 4) centre x, centre y, width, height relative to the image,
            where queries stand for boxes: for detectors that make queries of boxes by themselves. Default None.
        loss_weight (float): factor on its losses. Default 1.0.
        verb_weight (float): further factor on its verb or HOI losses. Default 1.0.
        name (str): prefix of its losses. Set by :class:`JointLearning`.
    """

    assigned: Assignment | None = None
    source: Tensor | None = None
    sub_boxes: Tensor | None = None
    obj_boxes: Tensor | None = None
    loss_weight: float = 1.0
    verb_weight: float = 1.0
    name: str = ""

    def weight_of(self, loss_name: str) -> float:
        """Factor on one of its losses, as the head names them."""
        return self.loss_weight * (self.verb_weight if loss_name.endswith(("loss_verb", "loss_hoi")) else 1.0)


class Miner(BaseModule):
    """Base of all miners: makes a hard query set from the learnable pass, or from the set of another miner."""

    needs_recorder = False  # whether the learnable pass must be recorded for it
    continues = False  # whether it can work on the set of the miner before it in a chain

    def own_rule(self) -> AttentionRule | None:
        """What masks a query set by that set's own attention; None if this miner has no such rule."""
        return None

    def ahead(self, targets: PairTargets) -> HardQueries | None:
        """Its queries, not yet assigned, if labelled pairs are all they are made of: decoded beside the learnable."""
        return None

    def forward(self, learnable: LearnablePass, previous: HardQueries | None = None) -> HardQueries:
        """A new hard query set; what it is made from does not change. ``previous`` is the set of the miner before it in
        a chain; for the first one what it made :meth:`ahead`, if it did."""
        raise NotImplementedError


@MODELS.register_module()
class JointLearning(BaseModule):
    """Owns the miners and takes them in turn. Training only; inference never reaches it.

    Args:
        miners (dict[str, dict]): configs by name; the name prefixes their losses.
        rounds (list): one round is taken per training iteration, in turn (:class:`AJLHook` tells which). A round is a
            list of chains, each of which gives one hard query set; a chain is a miner's name, or a list of names of
            which each works on the result of the one before. With miners ``gbs`` and ``amm``:
            alternate (AJL) ``[["gbs"], ["amm"]]``, parallel (PJL) ``[["gbs", "amm"]]``, cascaded (CJL)
            ``[[["gbs", "amm"]]]``.
        mask_learnable (str, optional): name of an AMM miner that masks the learnable queries themselves (the paper's
            "w/o Q^m"), in every round; its reference must not be ``learnable``. Default None.
        init_cfg (dict, optional): as in mmengine. Default None.

    Raises:
        ConfigError: no round, an unknown miner, a chain or ``mask_learnable`` that its miners cannot do.
    """

    def __init__(
        self,
        miners: dict[str, dict],
        rounds: Sequence[Sequence[str | Sequence[str]]],
        mask_learnable: str | None = None,
        init_cfg: dict | None = None,
    ):
        super().__init__(init_cfg)
        self.miners = ModuleDict({name: MODELS.build(cfg) for name, cfg in miners.items()})
        self.rounds: list[list[Chain]] = [[_chain(chain) for chain in chains] for chains in rounds]
        self.mask_learnable = mask_learnable
        self._check()
        # With several rounds somebody has to say which; staying at the first for ever would go unnoticed.
        self.current_round: int | None = 0 if len(self.rounds) == 1 else None

    def _check(self) -> None:
        """Refuse what would fail, or silently do less, in the first iterations."""
        chains = [chain for chains in self.rounds for chain in chains]
        named = [name for chain in chains for name in chain]
        if self.mask_learnable:
            named.append(self.mask_learnable)
        if not self.rounds:
            raise ConfigError('query_mining.rounds is empty; for a single miner write rounds=[["NAME"]].')
        for name in named:
            if name not in self.miners:
                raise ConfigError(f"query_mining: there is no miner {name!r}; miners are {sorted(self.miners)}.")
        for chain in chains:
            if not chain or not all(self.miners[name].continues for name in chain[1:]):
                raise ConfigError(
                    f"query_mining.rounds: the chain {list(chain)} is empty or names a miner that makes new queries "
                    "(such as GBS) after the first place. It must be the first miner of its chain, or have its own."
                )
        for round_ in self.rounds:
            if len({_loss_prefix(chain) for chain in round_}) < len(round_):  # one's losses would replace the other's
                raise ConfigError(f"query_mining.rounds: {round_} gives two query sets the same name.")
        if self.mask_learnable and self.miners[self.mask_learnable].own_rule() is None:
            raise ConfigError(
                f"query_mining.mask_learnable={self.mask_learnable!r} must be an AMM miner with reference='own' or "
                "'random': learnable queries cannot be masked by a pass that only they make."
            )

    def take_round(self, iteration: int) -> None:
        """Choose the round of a training iteration, counted from 0."""
        self.current_round = iteration % len(self.rounds)

    def chains(self) -> list[Chain]:
        """Chains of the current round.

        Raises:
            MissingHookError: nobody chose a round.
        """
        if self.current_round is None:
            raise MissingHookError(
                f"JointLearning alternates between {len(self.rounds)} rounds, but nobody says whose turn it is: add "
                "dict(type='AJLHook') to custom_hooks (configs/_base_/query_mining/ajl.py does)."
            )
        return self.rounds[self.current_round]

    def prepare(self, queries: QuerySet) -> QuerySet:
        """The learnable queries as they go through the decoder: recorded if a miner of this round needs it."""
        recorded = any(self.miners[name].needs_recorder for chain in self.chains() for name in chain)
        rule = self.miners[self.mask_learnable].own_rule() if self.mask_learnable else None
        return replace(queries, rule=rule, recorder=AttentionRecorder() if recorded else None)

    def ahead(self, queries: QuerySet, targets: PairTargets) -> dict[str, HardQueries]:
        """Hard query sets of the current round that can be decoded together with the learnable ``queries``, by name.

        None where the learnable ones are watched or masked: that is for them alone.
        """
        if queries.recorder is not None or queries.rule is not None:
            return {}
        made = {_loss_prefix(chain): self.miners[chain[0]].ahead(targets) for chain in self.chains() if len(chain) == 1}
        return {name: each for name, each in made.items() if each is not None}

    def forward(self, learnable: LearnablePass, ahead: Mapping[str, HardQueries] | None = None) -> list[HardQueries]:
        """Hard query sets of the current round; ``ahead`` holds what :meth:`ahead` made of them."""
        mined = []
        for chain in self.chains():
            hard = (ahead or {}).get(_loss_prefix(chain))
            for name in chain:
                hard = self.miners[name](learnable, hard)
            mined.append(replace(hard, name=_loss_prefix(chain)))
        return mined

    def idle_term(self) -> Tensor | float:
        """Zero that depends on every parameter, so that those idle in a round (or on a rank without pairs) do not stop
        DistributedDataParallel, which waits for all gradients."""
        parameters = [parameter for parameter in self.parameters() if parameter.requires_grad]
        return _ZeroGradients.apply(*parameters) if parameters else 0.0


class _ZeroGradients(torch.autograd.Function):
    """Zero, of which the derivative by each argument is zero; reads none of them."""

    @staticmethod
    def forward(ctx, *parameters: Tensor) -> Tensor:
        ctx.save_for_backward(*parameters)
        return parameters[0].new_zeros(())

    @staticmethod
    def backward(ctx, grad: Tensor) -> tuple[Tensor, ...]:
        return tuple(torch.zeros_like(parameter) for parameter in ctx.saved_tensors)


def _chain(names: str | Sequence[str]) -> Chain:
    return (names,) if isinstance(names, str) else tuple(names)


def _loss_prefix(chain: Chain) -> str:
    return "_".join(chain)
