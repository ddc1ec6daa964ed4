"""How boxes, pairs and triplets are distributed, as charts."""

import math
from collections.abc import Iterable, Sequence

import numpy as np

from hqm_mmdet.datasets.overview import DatasetOverview
from hqm_mmdet.structures import HOIVocabulary

from ..charts import Axis, Chart, Line

SERIES = 6


def distribution_charts(overview: DatasetOverview, splits: Sequence[str]) -> list[Chart]:
    """Histograms: boxes, persons and pairs per image, sizes of boxes; lines of all splits in each."""
    per_image = [
        ("Boxes per image", "boxes", [s.boxes_per_image for s in overview.splits]),
        ("Persons per image", "persons", [s.persons_per_image for s in overview.splits]),
        ("Pairs per image", "pairs", [s.pairs_per_image for s in overview.splits]),
    ]
    charts = [_per_image(title, what, values, splits) for title, what, values in per_image]
    return charts + [_box_sizes([s.box_sizes for s in overview.splits], splits)]


def long_tail(overview: DatasetOverview, splits: Sequence[str]) -> Chart:
    """HOI entries of each triplet class, most frequent first."""
    counts = [np.sort(s.hois[:, :-1][s.hois[:, :-1] > 0])[::-1] for s in overview.splits]
    most = max([int(c[0]) for c in counts if len(c)], default=1)
    longest = max(1, *map(len, counts))
    # Colours begin anew after the last one.
    lines = [Line([*enumerate(c.tolist(), 1)], i % SERIES) for i, c in enumerate(counts)]
    rare = HOIVocabulary.RARE_BELOW
    guide = [Line([(1, rare), (longest + 1, rare)], guide=True)]
    return Chart(
        "HOI entries of each triplet",
        Axis("triplets, most frequent first", 1, longest + 1, whole=True),
        # Just below 1, so that classes with one entry lie on the chart.
        Axis("HOI entries", 0.9, max(20.0, 1.3 * most), log=True),
        lines=lines + guide,
        legend=_legend(splits),
    )


def _per_image(title: str, what: str, values: Sequence[np.ndarray], splits: Sequence[str]) -> Chart:
    """Share of images by number; a last bin takes the few images beyond the 97th percentile."""
    cap = max([int(np.percentile(v, 97)) for v in values if len(v)], default=0) + 1
    shares = [np.bincount(np.minimum(v, cap), minlength=cap + 1) / max(len(v), 1) for v in values]
    edges = np.arange(cap + 2) - 0.5
    return Chart(
        title,
        Axis(f"{what} ({cap} = {cap} or more)", -0.5, cap + 0.5, whole=True),
        _share_axis("% of images", shares),
        lines=[Line(_steps(edges, share), i % SERIES) for i, share in enumerate(shares)],
        legend=_legend(splits),
    )


def _box_sizes(values: Sequence[np.ndarray], splits: Sequence[str]) -> Chart:
    """Share of boxes by size; the first bin takes the thousandth that is smaller, too."""
    ends = [end for v in values if len(v) for end in np.percentile(v, (0.1, 100))] or [8.0, 64.0]
    low, high = math.floor(math.log2(max(min(ends), 1.0))), math.ceil(math.log2(max(ends)))
    # Half octaves, at least three octaves of them; + 0.5 includes the last edge.
    edges = 2.0 ** np.arange(low, max(high, low + 3) + 0.5, 0.5)
    shares = [np.histogram(np.clip(v, edges[0], edges[-1]), edges)[0] / max(len(v), 1) for v in values]
    return Chart(
        "Size of boxes",
        Axis("square root of the area, pixels", edges[0], edges[-1], log=True),
        _share_axis("% of boxes", shares),
        lines=[Line(_steps(edges, share), i % SERIES) for i, share in enumerate(shares)],
        legend=_legend(splits),
    )


def _share_axis(label: str, shares: Sequence[np.ndarray]) -> Axis:
    top = max([float(share.max()) for share in shares], default=0.0)
    return Axis(label, 0, math.ceil(20 * top) / 20 or 1.0, scale=100)


def _steps(edges: Iterable[float], heights: np.ndarray) -> list[tuple[float, float]]:
    """Outline of the bars of a histogram."""
    edges = np.repeat(np.asarray(edges, float), 2)[1:-1]
    return [*zip(edges.tolist(), np.repeat(heights, 2).tolist(), strict=True)]


def _legend(splits: Sequence[str]) -> list[tuple[int, str, str]]:
    return [(i % SERIES, "line", name) for i, name in enumerate(splits)] if len(splits) > 1 else []
