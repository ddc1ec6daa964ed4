"""What predictions are compared with: annotations of a split and the classes of its data set."""

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from hqm_mmdet.datasets import (
    HICODetDataset,
    HOIADataset,
    HOIDataset,
    PaStaNetHOIDataset,
    ToyHOIDataset,
    VCOCODataset,
)
from hqm_mmdet.datasets.annotations import ImageAnnotations, read_annotations
from hqm_mmdet.datasets.conversion.v_coco import is_official_vcoco
from hqm_mmdet.datasets.problems import AnnotationError, ProblemReport
from hqm_mmdet.datasets.subsets import hico_rare_triplets, hico_valid_pairs
from hqm_mmdet.errors import ConfigError
from hqm_mmdet.registry import METRICS

from ..metrics.base import HOIMetric
from .box_conventions import BoxReading
from .guessing import guess_dataset

# data set -> metric, reader of its annotations
DATASETS = {
    "hico": ("HICODetMetric", HICODetDataset),
    "vcoco": ("VCOCOMetric", VCOCODataset),
    "hoia": ("HOIAMetric", HOIADataset),
    "pastanet": ("PaStaNetHOIMetric", PaStaNetHOIDataset),
    "toy": ("HICODetMetric", ToyHOIDataset),
    "own": ("HICODetMetric", HOIDataset),
}


@dataclass(frozen=True, eq=False)
class EvaluationSet:
    """I images, their ground truth, and the metric.

    Args:
        file_names (tuple[str, ...]): I names, as in the annotation file.
        truths (tuple[dict | None, ...]): I ``gt_hois``; None where the metric reads the truth itself.
        metric (HOIMetric): ready, with the data set's metainfo.
        dataset (str): one of :data:`DATASETS`.
        reader (HOIDataset): reader of the annotation files, not loaded; it knows where training annotations lie.
        by_id (dict[int, int]): COCO image ids -> positions, where names or files tell them.
        reading (BoxReading): how prediction files write boxes. Default: x1, y1, x2, y2 in pixels.
        skip_unknown (bool): leave predictions for images that are not among these out. Default: False, an error.
    """

    file_names: tuple[str, ...]
    truths: tuple[dict | None, ...]
    metric: HOIMetric
    dataset: str
    reader: HOIDataset
    by_id: dict[int, int] = field(default_factory=dict)
    reading: BoxReading = BoxReading()
    skip_unknown: bool = False

    def __post_init__(self):
        exact, base = {}, {}
        for i, name in enumerate(self.file_names):
            exact[os.path.normpath(name)] = i
            base.setdefault(os.path.basename(name), []).append(i)
        # The class is frozen; these only look up what it holds.
        object.__setattr__(self, "_exact", exact)
        object.__setattr__(self, "_base", base)

    def position(self, image: str | int) -> int | None:
        """Where an image stands, by id, by its name in the file, or by its last path component if that is unique."""
        if not isinstance(image, str):
            return self.by_id.get(image)
        if (name := os.path.normpath(image)) in self._exact:
            return self._exact[name]
        same = self._base.get(os.path.basename(image), ())
        return same[0] if len(same) == 1 else None


def load_evaluation_set(
    dataset: str | None,
    ann_file: str,
    coco_file: str | Sequence[str] | None = None,
    protocol: str | None = None,
    zero_shot: str | None = None,
    names_file: str | None = None,
    train_ann_file: str | None = None,
    **options,
) -> EvaluationSet:
    """Read annotations and build the metric.

    Class tables of HICO-DET, V-COCO and HOI-A are packaged, no other file is needed. Those of ToyHOI and of own data
    are what their data set class makes of the training annotations.

    Args:
        dataset (str, optional): one of :data:`DATASETS`; ``own`` is any :class:`~hqm_mmdet.datasets.HOIDataset`.
            None: ``own`` with ``names_file``, else what the image names tell.
        ann_file (str): HOIA-style annotations of the split; for V-COCO also the official ``vcoco_*.json``.
        coco_file (str | Sequence[str], optional): COCO instances, with official V-COCO annotations.
        protocol (str, optional): of the metric; HOI-A has one only. Default: the metric's own.
        zero_shot (str, optional): split of HICO-DET or the toy set, see
            :func:`~hqm_mmdet.datasets.subsets.unseen_triplets`.
        names_file (str, optional): ``names.json`` of own data (``docs/own_data.md``).
        train_ann_file (str, optional): training annotations. Default: the data set's file beside ``ann_file``.
        **options: further arguments of the metric, e.g. ``bootstrap``.

    Returns:
        EvaluationSet: images in the order of the annotation file (official V-COCO: in ascending id).

    Raises:
        FileNotFoundError, AnnotationError: A file is missing or unfit, or does not tell its data set.
        ConfigError: unknown data set, protocol or split, or an option that the data set does not have.
    """
    dataset = dataset or (names_file and "own")
    entries = None if dataset else read_annotations(ann_file)
    dataset = dataset or guess_dataset(entries, str(ann_file), sorted(DATASETS))
    _check_options(dataset, zero_shot, names_file, protocol, options)
    if protocol is not None and dataset != "hoia":
        options["protocol"] = protocol
    split = dict(zero_shot=zero_shot) if zero_shot else {}
    tables = dict(names_file=names_file, vocabulary_ann_file=train_ann_file, **split)
    reader = DATASETS[dataset][1](ann_file=str(ann_file), test_mode=True, lazy_init=True, **tables)
    parser = reader.make_parser(ProblemReport(str(ann_file)), training=False)
    entries = read_annotations(ann_file, reader.HOW_TO_GET) if entries is None else entries
    if _is_official(entries, ann_file, dataset, coco_file):
        options |= dict(ann_file=ann_file, coco_file=coco_file)
        return _official_set(_metric(dataset, reader, [], options), dataset, reader)
    images = [parser.usable(*item) for item in enumerate(parser.read_all(reader.relevant(entries)))]
    return _hoia_style_set(images, _metric(dataset, reader, images, options), dataset, reader)


def _check_options(
    dataset: str, zero_shot: str | None, names_file: str | None, protocol: str | None, options: Mapping
) -> None:
    if dataset not in DATASETS:
        raise ConfigError(f"unknown data set {dataset!r}; choose one of {sorted(DATASETS)}.")
    if zero_shot and dataset not in ("hico", "toy"):
        raise ConfigError(f"zero-shot splits belong to HICO-DET and the toy set, not to {dataset!r}.")
    if dataset == "own" and names_file is None:
        raise ConfigError("own data need names_file (--names-file names.json), see docs/own_data.md.")
    if dataset != "own" and names_file is not None:
        raise ConfigError(f"names_file is for own data (dataset 'own'); the names of {dataset!r} are packaged.")
    if dataset == "hoia" and protocol not in (None, "hoia"):
        raise ConfigError(f"HOI-A has one protocol, 'hoia', got {protocol!r}.")
    if dataset == "hoia" and "pair_nms" in options:
        raise ConfigError("pair_nms or --pair-nms is not for HOI-A, whose protocol has none.")


def _is_official(entries: list, ann_file: str, dataset: str, coco_file: str | Sequence[str] | None) -> bool:
    official = is_official_vcoco(entries)
    if official != (coco_file is not None) or (official and dataset != "vcoco"):
        raise AnnotationError(
            f"{ann_file}: official V-COCO labels go with dataset 'vcoco' and coco_file, COCO's instances of that "
            "split; HOIA-style annotations go without."
        )
    return official


def _metric(dataset: str, reader: HOIDataset, images: list[ImageAnnotations], options: Mapping) -> HOIMetric:
    # Not build(), which looks in the default scope, whoever has set it in this process.
    metric = METRICS.get(DATASETS[dataset][0])(**options)
    metric.dataset_meta = _metainfo(dataset, reader, images)
    return metric


def _metainfo(dataset: str, reader: HOIDataset, images: list[ImageAnnotations]) -> dict:
    info = reader.metainfo
    # The 600 classes and the rare set of HICO-DET are packaged: no training file is needed.
    if dataset != "hico":
        return info | reader.vocabulary(images).as_metainfo()
    tables = dict(
        valid_pairs=hico_valid_pairs(), rare_triplets=sorted(hico_rare_triplets()), unseen=sorted(reader.unseen)
    )
    return info | tables


def _official_set(metric: HOIMetric, dataset: str, reader: HOIDataset) -> EvaluationSet:
    truth = metric.ground_truth()
    by_id = {image_id: i for i, image_id in enumerate(truth.image_ids)}
    return EvaluationSet(truth.file_names, (None,) * len(by_id), metric, dataset, reader, by_id)


def _hoia_style_set(
    images: list[ImageAnnotations], metric: HOIMetric, dataset: str, reader: HOIDataset
) -> EvaluationSet:
    names = tuple(image.file_name for image in images)
    # count() for all names would be quadratic.
    repeated = sorted(name for name in set(names) if names.count(name) > 1) if len(set(names)) < len(names) else []
    if repeated:
        raise AnnotationError(
            f"{reader.ann_file}: image {repeated[0]} occurs more than once. Take the other entries out."
        )
    truths = tuple(image.as_truth() for image in images)
    return EvaluationSet(names, truths, metric, dataset, reader, coco_ids(names))


def coco_ids(names: Sequence[str]) -> dict[int, int]:
    """Ids that COCO writes into file names, ``COCO_val2014_000000000042.jpg``."""
    digits = [os.path.splitext(os.path.basename(name))[0].rsplit("_", 1)[-1] for name in names]
    return {int(text): i for i, text in enumerate(digits) if text.isdecimal() and len(text) < 19}
