"""What suppression does to a host: the same pairs with the same judgements, under several rules."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np
import torch
from mmengine.structures import InstanceData

from hqm_mmdet.apis.suppress_file import FileNames, FileSuppression
from hqm_mmdet.evaluation.functional import interactive_pairs, interactiveness_ap
from hqm_mmdet.evaluation.offline import EvaluationSet, evaluate_file, load_evaluation_set
from hqm_mmdet.models.interactiveness import NonInteractionSuppression, SuppressionThresholds, ThresholdSearch
from hqm_mmdet.utils.atomic_io import write_atomically

PLAIN, DEFAULT, SEARCHED, PRODUCT = "host alone", "0.9 and 0.1", "searched thresholds", "multiply"
ORACLE = "by the labels"  # what a network that is never wrong would bring


@dataclass(frozen=True)
class Outcome:
    """A host and a network of one seed; one JSON file.

    Args:
        host (str), seed (int): which.
        commit (str), versions (dict), date (str): how it was made.
        network (dict): AP of its judgements of the host's test pairs, and how many of these are labelled.
        thresholds (dict): that the search found, by class.
        rules (dict): per rule ``full``, ``rare``, ``non_rare`` (fractions), and where pairs are suppressed how many
            ``right`` and ``wrong``.
    """

    host: str
    seed: int
    commit: str
    versions: dict[str, str]
    date: str
    network: dict[str, float]
    thresholds: dict[str, list[float]]
    rules: dict[str, dict[str, float]]

    def file_name(self) -> str:
        """Of the record."""
        return f"{'_'.join(self.host.lower().replace('+', ' ').split())}_{self.seed}.json"


class JudgedFile:
    """A prediction file whose pairs a network has judged, once for all rules.

    Args:
        predictions (Path): JSON.
        data (Path): the toy set.
        part (str): of it: ``heldout`` or ``test``.
        images (Path): folder of the images.
        checkpoint (Path): the network.
    """

    def __init__(self, predictions: Path, data: Path, part: str, images: Path, checkpoint: Path):
        self.truth: EvaluationSet = load_evaluation_set("toy", str(data / "annotations" / f"{part}_toy.json"))
        names = FileNames.of_metainfo(self.truth.metric.dataset_meta)
        self.run = FileSuppression(NonInteractionSuppression(checkpoint), images, names)
        self.entries = json.loads(predictions.read_text())
        self.pairs: list[tuple[InstanceData, list]] = [self.run.pairs(entry) for entry in self.entries]
        judged = zip(self.entries, self.pairs, strict=True)
        self.scores: list[torch.Tensor] = [self.run.judge(entry, pairs) for entry, (pairs, _) in judged]

    @cached_property
    def interactive(self) -> np.ndarray:
        """(P,) of all pairs, whether a labelled one matches."""
        return np.concatenate([self._matches(e, p) for e, (p, _) in zip(self.entries, self.pairs, strict=True)])

    def _matches(self, entry: Mapping, pairs: InstanceData) -> np.ndarray:
        truth = self.truth.truths[self.truth.position(entry["file_name"])]
        hois = truth["hois"][truth["hois"][:, 1] >= 0]
        labelled = (truth["boxes"][hois[:, column]] for column in (0, 1))
        return interactive_pairs(pairs.sub_bboxes.numpy(), pairs.obj_bboxes.numpy(), *labelled)

    def search(self) -> SuppressionThresholds:
        """Thresholds of every class."""
        labels = np.concatenate([pairs.obj_labels.numpy() for pairs, _ in self.pairs])
        return ThresholdSearch()(torch.cat(self.scores).numpy(), labels, self.interactive)

    def network(self) -> dict[str, float]:
        """AP of the judgements."""
        ap = interactiveness_ap(torch.cat(self.scores).double().numpy(), self.interactive)
        return dict(
            mAP=ap.mean,
            AP_interactive=ap.interactive,
            AP_non_interactive=ap.non_interactive,
            pairs=len(self.interactive),
            interactive_pairs=int(self.interactive.sum()),
        )

    def perfect_scores(self) -> list[torch.Tensor]:
        """(P, 2) per image, as the labels say."""
        counts = [len(pairs) for pairs, _ in self.pairs]
        return list(torch.from_numpy(np.stack([self.interactive, ~self.interactive], 1)).float().split(counts))

    def under(
        self, mode: str, thresholds: SuppressionThresholds, out: Path, scores: list[torch.Tensor] | None = None
    ) -> dict[str, float]:
        """Metrics of the host under a rule.

        Args:
            mode (str), thresholds (SuppressionThresholds): the rule.
            out (Path): the prediction file that it makes.
            scores (list[Tensor], optional): default: the network's.
        """
        scores = self.scores if scores is None else scores
        self.run.suppression.mode, self.run.suppression.thresholds = mode, thresholds
        judged = zip(self.entries, self.pairs, scores, strict=True)
        changed = [self.run.change(entry, *pairs, judgement) for entry, pairs, judgement in judged]
        write_atomically(out, json.dumps(changed).encode())
        found = evaluate_file(out, self.truth).metrics
        numbers = {name: round(found[f"hico/{name}"], 5) for name in ("full", "rare", "non_rare")}
        if mode == "suppress":
            labels = torch.cat([pairs.obj_labels for pairs, _ in self.pairs])
            dropped = thresholds.suppressed(torch.cat(scores), labels).numpy()
            numbers["right"] = int((dropped & ~self.interactive).sum())
            numbers["wrong"] = int((dropped & self.interactive).sum())
        return numbers


def all_rules(test: JudgedFile, searched: SuppressionThresholds, out: Path) -> dict[str, dict[str, float]]:
    """Metrics of the host alone and under every rule."""
    never = SuppressionThresholds(1.0, 1.0)
    rules = {
        PLAIN: ("suppress", never),
        DEFAULT: ("suppress", SuppressionThresholds()),
        SEARCHED: ("suppress", searched),
        PRODUCT: ("multiply", never),
    }
    found = {name: test.under(*rule, out) for name, rule in rules.items()}
    return found | {ORACLE: test.under("suppress", SuppressionThresholds(), out, test.perfect_scores())}
