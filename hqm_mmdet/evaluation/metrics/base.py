"""What the metrics of all data sets share."""

import logging
from abc import abstractmethod
from collections.abc import Mapping, Sequence
from typing import Any, Protocol

import numpy as np
from mmengine.evaluator import BaseMetric
from mmengine.logging import print_log
from mmengine.structures import BaseDataElement

from ..functional import JudgedCandidates, bootstrap_intervals, within_fractions
from .records import Record, drop_repeated
from .vocabulary import EvalVocabulary


class Ranking(Protocol):
    """Candidates of I images, matched and ranked: all that is needed for metrics, also of a resample of the images."""

    num_images: int
    headline: str  # key of the metric's main value among the means
    name: str  # conventions, for titles

    def means(self, image_weights: np.ndarray | None = None) -> dict[str, float]:
        """Metrics; ``image_weights`` (I,) int says how often each image counts."""

    def table(self) -> str:
        """Metrics as text for the log."""

    def judged(self) -> JudgedCandidates:
        """All candidates that the headline value is computed from, and who took what; K classes."""

    def other_aps(self) -> dict[str, np.ndarray]:
        """Further APs of the K classes by name, (K,) each."""

    def class_sets(self) -> dict[str, np.ndarray]:
        """Sets that means are reported for: ``rare``, ``unseen``; (K,) bool each."""


class HOIMetric(BaseMetric):
    """Keeps a small record per image, ranks all records at the end, and reports means.

    Repeated images (samplers fill the last batch) count once, images of the data set without a result are reported by a
    warning. A subclass says what a record is and how records are ranked.

    Args:
        bootstrap (int): resamples of the images for 95 % confidence intervals, reported as ``<key>_low`` and
            ``<key>_high``. Default: 0, none.
        **kwargs: ``collect_device``, ``prefix`` and ``collect_dir`` of mmengine's ``BaseMetric``.
    """

    def __init__(self, bootstrap: int = 0, **kwargs) -> None:
        super().__init__(**kwargs)
        self.bootstrap = bootstrap
        self.knows_all_images = False  # else a subclass counts those without a result, and says so
        self._num_expected: int | None = None
        self._vocabulary: tuple[Mapping | None, EvalVocabulary] | None = None

    NEEDS_RARE_SET = True
    FRACTIONS = False  # whether all values lie in [0, 1]; then intervals do, too

    @property
    def vocabulary(self) -> EvalVocabulary:
        """Class tables of the data set."""
        # The evaluator sets dataset_meta after construction, and may set another one later.
        if self._vocabulary is None or self._vocabulary[0] is not self.dataset_meta:
            self._vocabulary = self.dataset_meta, EvalVocabulary.from_metainfo(self.dataset_meta, self.NEEDS_RARE_SET)
        return self._vocabulary[1]

    @abstractmethod
    def make_record(self, sample: Mapping) -> Record:
        """Reduce a predicted sample (``HOIDataSample.to_dict()``) to what evaluation needs."""

    @abstractmethod
    def rank(self, records: list[Record]) -> Ranking:
        """Match and rank the candidates of the whole set."""

    def process(self, data_batch: Any, data_samples: Sequence[dict | BaseDataElement]) -> None:
        """Keep the records of a batch.

        Args:
            data_batch (Any): not used.
            data_samples (Sequence): see :meth:`make_record`.
        """
        for sample in data_samples:
            sample = sample.to_dict() if isinstance(sample, BaseDataElement) else sample
            # At once: a sample holds 11,700 scores of HICO-DET, its record 100 candidates.
            self.results.append(self.make_record(sample))

    def evaluate(self, size: int) -> dict[str, float]:
        """Gather the records of all processes and evaluate; ``size`` is the length of the data set."""
        # Of the data set, without what samplers repeat; compute_metrics is not told it.
        self._num_expected = size
        return super().evaluate(size)

    def compute_metrics(self, results: list[Record]) -> dict[str, float]:
        """Evaluate the whole set and log a table.

        Args:
            results (list[Record]): records of all ranks.

        Returns:
            dict[str, float]: metrics without prefix.
        """
        records = drop_repeated(results)
        missing = (self._num_expected or 0) - len(records)
        if missing > 0 and not self.knows_all_images:
            message = f"{missing} of {self._num_expected} images have no result; their ground truth is not counted."
            print_log(f"{type(self).__name__}: {message}", logger="current", level=logging.WARNING)
        metrics, table = self.summarize(records)
        print_log("\n" + table, logger="current")
        return metrics

    def summarize(self, records: list[Record]) -> tuple[dict[str, float], str]:
        """Metrics without prefix, confidence intervals included, and a table of them as text."""
        ranking = self.rank(records)
        metrics = ranking.means()
        if not self.bootstrap:
            return metrics, ranking.table()
        intervals = bootstrap_intervals(ranking.means, ranking.num_images, self.bootstrap)
        title = f"95 % confidence, {self.bootstrap} resamples of the images"
        if self.FRACTIONS:
            intervals = {key: within_fractions(interval) for key, interval in intervals.items()}
        rows = {key: (metrics[key], *interval) for key, interval in intervals.items()}
        for key, (_, low, high) in rows.items():
            metrics |= {f"{key}_low": low, f"{key}_high": high}
        return metrics, ranking.table() + "\n" + text_table(title, ("value", "low", "high"), rows)


def text_table(title: str, columns: Sequence[str], rows: Mapping[str, Sequence[float]]) -> str:
    """Numbers in columns below a title."""
    width = max([13, *(len(name) for name in rows)]) + 1
    lines = [title, " " * width + "".join(f"{c:>12}" for c in columns)]
    for name, values in rows.items():
        lines.append(f"{name:<{width}}" + "".join(f"{value:>12.4f}" for value in values))
    return "\n".join(lines)
