"""All parts of the page together."""

from collections.abc import Iterable, Sequence

from rich.progress import track

from hqm_mmdet.datasets.overview import DatasetOverview, Example
from hqm_mmdet.structures import plain_name

from ..pictures import ImageFolder
from ..render import Section, render_page
from .distributions import distribution_charts, long_tail
from .gallery import FOUND, gallery_data
from .numbers import NO_OBJECT, object_table, split_numbers, triplet_table, triplets, verb_table
from .source import BrowsedDataset

# Joined in this order.
ASSETS = ("browser/matrix", "browser/gallery", "browser/browser")
# Smaller than in a report, because there are hundreds.
LONG_SIDE = 480


def render_browser(source: BrowsedDataset, images: bool = True, progress: bool = True) -> str:
    """The page of a data set.

    Args:
        source (BrowsedDataset): what it shows.
        images (bool): put image files into it; else boxes stand on grey canvases.
        progress (bool): show a progress bar while images are read.

    Returns:
        str: HTML.
    """

    def bar(examples: Sequence[Example]) -> Iterable[Example]:
        return track(examples, "pictures", disable=not (progress and images))

    folders = [
        ImageFolder(report.image_folder if images else None, LONG_SIDE, report.upright) for report in source.reports
    ]
    figures, pictures = gallery_data(source, folders, bar)
    return render_page(
        "browser/page.html.j2",
        f"{source.name}: what is in the data set",
        _sections(source),
        _data(source, figures, pictures),
        ASSETS,
        source=source,
        num_lost=sum(len(folder.lost) for folder in folders) if images else None,
    )


def _data(source: BrowsedDataset, figures: Sequence[dict], pictures: dict) -> dict:
    overview, splits = source.overview, source.splits
    return dict(
        splits=splits,
        verbs=[*map(plain_name, overview.verbs)],
        objects=[*map(plain_name, overview.classes), NO_OBJECT],
        cells=_cells(overview),
        found=FOUND,
        flags=[dict(name=f.kind.name, counts=f.counts, images=f.images) for f in overview.flags],
        tables=dict(
            verbs=verb_table(overview, splits),
            objects=object_table(overview, splits),
            triplets=triplet_table(overview, splits),
        ),
        figures=figures,
        pictures=pictures,
    )


def _cells(overview: DatasetOverview) -> list[dict]:
    """Triplets that occur, with HOI entries and images by split; ``forbidden`` by the data set's own table."""
    valid, num_classes = overview.valid_pairs, len(overview.classes)
    return [
        dict(
            verb=verb,
            object=label,
            hois=[int(split.hois[verb, label]) for split in overview.splits],
            images=[int(split.images_of[verb, label]) for split in overview.splits],
            forbidden=bool(valid is not None and label < num_classes and not valid[verb, label]),
        )
        for verb, label in triplets(overview)
    ]


def _sections(source: BrowsedDataset) -> list[Section]:
    overview, splits = source.overview, source.splits
    return [
        Section("images", "Images", "browser/images.html.j2", _IMAGES),
        Section("numbers", "Numbers", "browser/numbers.html.j2", _NUMBERS, dict(rows=split_numbers(overview))),
        Section("findings", "What the checks found", "browser/findings.html.j2", _FINDINGS, dict(flags=overview.flags)),
        Section("matrix", "Verbs and objects", "browser/host.html.j2", _MATRIX),
        Section("classes", "Classes", "browser/classes.html.j2", _CLASSES, dict(long_tail=long_tail(overview, splits))),
        Section(
            "distributions",
            "Distributions",
            "browser/charts.html.j2",
            _DISTRIBUTIONS,
            dict(charts=distribution_charts(overview, splits)),
        ),
    ]


_NUMBERS = "One column per annotation file. Repetitions count, a pair counts once whatever its number of verbs."
_FINDINGS = (
    "Errors stop training or evaluation, or cost annotations. Warnings are worth knowing. What is suspicious is "
    "allowed and often right, but worth a look. Choose one to see its images."
)
_MATRIX = "Each square is a verb with an object: the stronger its colour, the more HOIs. Choose one to see its images."
_IMAGES = "Solid boxes are subjects, dashed ones objects. Choose an image to see it large with all that is annotated."
_CLASSES = "Choose a verb, an object or a triplet to see its images. Click a heading to sort."
_DISTRIBUTIONS = "What one image, or one box, is like."
