"""What the interactiveness of pairs does to a host's scores: the arithmetic, on arrays of one image."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import torch
from torch import Tensor

from hqm_mmdet.errors import UserError
from hqm_mmdet.utils.untrusted_values import parse_json

from .interactiveness_head import INTERACTIVE, NON_INTERACTIVE


class ThresholdError(UserError, ValueError):
    """Thresholds that can't be used; the message names file, entry and remedy."""


@dataclass(frozen=True)
class SuppressionThresholds:
    """When a pair is taken for non-interactive: ``P(non-interactive) > above and P(interactive) < below``.

    Args:
        above (float): default 0.9.
        below (float): default 0.1.
        per_class (Mapping[int, tuple[float, float]]): ``above`` and ``below`` of some object labels.

    Raises:
        ThresholdError: a threshold is not in [0, 1].
    """

    above: float = 0.9
    below: float = 0.1
    per_class: Mapping[int, tuple[float, float]] = field(default_factory=dict)

    def __post_init__(self):
        for label, values in {"all": (self.above, self.below), **self.per_class}.items():
            if len(values) != 2 or not all(0 <= value <= 1 for value in values):
                raise ThresholdError(f"Thresholds of object class {label} must be two numbers in [0, 1], got {values}.")

    def suppressed(self, scores: Tensor, obj_labels: Tensor) -> Tensor:
        """(P,) bool, which pairs do not interact.

        Args:
            scores (Tensor): (P, 2), probabilities of being interactive and of not being so; in double precision, so
                that a score at a threshold is decided as the number in the file says.
            obj_labels (Tensor): (P,) long.
        """
        limits = torch.tensor([self.above, self.below], dtype=torch.float64, device=scores.device)
        limits = limits.repeat(len(scores), 1)
        for label, values in self.per_class.items():
            limits[obj_labels == label] = limits.new_tensor(values)
        scores = scores.double()
        return (scores[:, NON_INTERACTIVE] > limits[:, 0]) & (scores[:, INTERACTIVE] < limits[:, 1])

    @classmethod
    def from_file(cls, path: str | Path, classes: tuple[str, ...]) -> "SuppressionThresholds":
        """Read what the search of thresholds writes: ``{"above": .9, "below": .1, "per_class": {name: [.9, .1]}}``.

        Raises:
            FileNotFoundError: no such file.
            ThresholdError: another structure, an unknown class, or a number out of range.
        """
        try:
            content = parse_json(Path(path).read_text(encoding="utf-8"))
            per_class = {classes.index(name): tuple(pair) for name, pair in content.get("per_class", {}).items()}
            return cls(content["above"], content["below"], per_class)
        except FileNotFoundError:
            raise FileNotFoundError(f"{path} does not exist; `hqm-mmdet search-thresholds` writes it.") from None
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            raise ThresholdError(
                f"{path}: {error}. Expected {{'above': number, 'below': number, 'per_class': {{class: [above, "
                f"below]}}}}, classes by name, e.g. {classes[0]!r}."
            ) from error

    def as_json(self, classes: tuple[str, ...]) -> str:
        """What :meth:`from_file` reads."""
        per_class = {classes[label]: list(values) for label, values in sorted(self.per_class.items())}
        return json.dumps(dict(above=self.above, below=self.below, per_class=per_class), indent=1) + "\n"


def low_grade_suppression(scores: Tensor, a: float, b: float, c: float, d: float = 0.0) -> Tensor:
    """LIS, which pushes detections of middling scores down: ``a / (1 + exp(b - c s)) + d``.

    Source: TIN (CVPR 2019), equation 5. The released code has (6, 10, 1.4, 0) for HICO-DET, on scores in [0, 1] nearly
    exponential, and (6, 6, 7, 0) for V-COCO; other projects quote (8.3, 12, 10, 0) from the paper.

    Args:
        scores (Tensor): (...,) detection scores.
        a, b, c, d (float): see above. Default of ``d``: 0.
    """
    return a / (1 + torch.exp(b - c * scores)) + d


def suppress(verb_scores: Tensor, suppressed: Tensor, kept_verbs: tuple[int, ...] = ()) -> Tensor:
    """Scores of suppressed pairs become 0; all other numbers stay bit by bit.

    Args:
        verb_scores (Tensor): (P, V).
        suppressed (Tensor): (P,) bool.
        kept_verbs (tuple[int]): verbs that say that nothing happens (HICO-DET's ``no_interaction``, 57). Default: none.
    """
    affected = suppressed[:, None].repeat(1, verb_scores.shape[1])
    affected[:, list(kept_verbs)] = False
    return verb_scores.masked_fill(affected, 0)


def best_objects(verb_scores: Tensor, subjects: Tensor) -> Tensor:
    """(P, V) bool, the best object of every person and verb; of equals the first.

    TIN's V-COCO code suppresses after this choice, so that a suppressed winner has no second: everything else is set
    to 0 first.

    Args:
        verb_scores (Tensor): (P, V).
        subjects (Tensor): (P,) long, which person each pair has.
    """
    persons, person = torch.unique(subjects, return_inverse=True)
    rows = person[:, None].expand_as(verb_scores)
    best = verb_scores.new_full((len(persons), verb_scores.shape[1]), float("-inf"))
    best.scatter_reduce_(0, rows, verb_scores, "amax")
    winners = verb_scores == best[person]  # several where scores are equal
    order = torch.arange(len(person), device=person.device)[:, None].expand_as(verb_scores)
    first = order.new_full(best.shape, len(person))
    first.scatter_reduce_(0, rows, torch.where(winners, order, len(person)), "amin")
    return order == first[person]


def multiply(verb_scores: Tensor, scores: Tensor, kept_verbs: tuple[int, ...] = ()) -> Tensor:
    """Scores times P(interactive), the paper's equation 6; ``kept_verbs`` stay. Arguments as above."""
    factor = scores[:, INTERACTIVE, None].to(verb_scores.dtype).repeat(1, verb_scores.shape[1])
    factor[:, list(kept_verbs)] = 1
    return verb_scores * factor
