"""Which hard queries are mined in which iteration (HQM, sections 3.4 and 4.3)."""

from collections.abc import Sequence

from mmengine.model import BaseModule, ModuleDict
from torch import Tensor

from hqm_mmdet.errors import UserError
from hqm_mmdet.models.layers import AttentionRule
from hqm_mmdet.registry import MODELS

from .amm import MaskRule
from .hard_queries import AttentionRecorder, HardQueries, LearnablePass

Chain = tuple[str, ...]


class RoundError(UserError, RuntimeError):
    """Nobody says which round is next; the message says what to add to the config."""


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
            "w/o Q^m"); its reference must not be ``learnable``.
        init_cfg (dict, optional): as in mmengine.

    Raises:
        ValueError: a round names an unknown miner, or there is no round.
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
        named = {name for chains in self.rounds for chain in chains for name in chain}
        named |= {mask_learnable} - {None}
        if not self.rounds or named - set(miners):
            raise ValueError(
                f"rounds {rounds} must name miners out of {sorted(miners)}; unknown: {named - set(miners)}."
            )
        # With several rounds somebody has to say which; staying at the first for ever would go unnoticed.
        self.current_round: int | None = 0 if len(self.rounds) == 1 else None

    def take_round(self, iteration: int) -> None:
        """Choose the round of a training iteration, counted from 0."""
        self.current_round = iteration % len(self.rounds)

    def chains(self) -> list[Chain]:
        """Chains of the current round.

        Raises:
            RoundError: nobody chose a round.
        """
        if self.current_round is None:
            raise RoundError(
                f"JointLearning alternates between {len(self.rounds)} rounds, but nobody says whose turn it is: add "
                "dict(type='AJLHook') to custom_hooks (configs/_base_/query_mining/ajl.py does)."
            )
        return self.rounds[self.current_round]

    def learnable_rule(self) -> AttentionRule | None:
        """What the learnable queries carry through the decoder: a recorder if a miner of this round needs it."""
        if self.mask_learnable:
            return MaskRule(self.miners[self.mask_learnable], None, None)
        needed = any(self.miners[name].needs_attention for chain in self.chains() for name in chain)
        return AttentionRecorder() if needed else None

    def forward(self, learnable: LearnablePass) -> list[HardQueries]:
        """Hard query sets of the current round."""
        mined = []
        for chain in self.chains():
            hard = None
            for name in chain:
                hard = self.miners[name](learnable, hard)
            hard.name = "_".join(chain)
            mined.append(hard)
        return mined

    def idle_term(self) -> Tensor | float:
        """Zero that depends on every parameter, so that those idle in a round (or on a rank without pairs) do not stop
        DistributedDataParallel, which waits for all gradients."""
        return sum(0.0 * parameter.sum() for parameter in self.parameters())


def _chain(names: str | Sequence[str]) -> Chain:
    return (names,) if isinstance(names, str) else tuple(names)
