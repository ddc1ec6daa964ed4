"""Where the data sets to check come from: a config, or files."""

from collections.abc import Iterator, Sequence

from mmengine.config import Config
from mmengine.registry import DefaultScope

from hqm_mmdet.configuring import config_errors
from hqm_mmdet.errors import ConfigError
from hqm_mmdet.registry import DATASETS, component_names
from hqm_mmdet_cli.nearest import nearest

from ..annotations import find_annotations
from ..hoi_dataset import HOIDataset
from ..problems import AnnotationError


def datasets_of_config(cfg: Config, splits: Sequence[str] = ("train", "val", "test")) -> dict[str, HOIDataset]:
    """Data sets of a config's dataloaders by name, annotations not yet read; equal ones (val and test) once.

    Wrappers (``RepeatDataset``, ``ConcatDataset``) are looked through.

    Raises:
        AnnotationError: a data set is none of this package's, or there is none.
    """
    datasets: dict[str, HOIDataset] = {}
    seen: list[dict] = []
    for split in splits:
        loader = cfg.get(f"{split}_dataloader")
        with config_errors(cfg):
            if loader and not (isinstance(loader, dict) and "dataset" in loader):
                raise ConfigError(f"{split}_dataloader has no `dataset`, a dict with the type of a data set.")
            parts = [*_leaves(loader["dataset"], f"{split}_dataloader.dataset")] if loader else []
        for i, part in enumerate(parts):
            # Validation and test mostly share a data set: told by all but how its images are prepared.
            settings = {key: value for key, value in part.items() if key not in ("pipeline", "lazy_init")}
            if settings not in seen:
                seen.append(settings)
                with config_errors(cfg):
                    _require_known(part, split, cfg.filename)
                    datasets[f"{split}[{i}]" if len(parts) > 1 else split] = _build(settings)
    if not datasets:
        raise AnnotationError(f"The config has no {' or '.join(f'{split}_dataloader' for split in splits)}.")
    return datasets


def require_files_of(cfg: Config, splits: Sequence[str]) -> None:
    """Find out that annotations, image folders or files of evaluators are missing, before anything is read.

    Data sets of other packages are left alone.

    Raises:
        FileNotFoundError: something is; the message says how to get it.
        ConfigError: a data set can't be built.
    """
    for split in splits:
        loader = cfg.get(f"{split}_dataloader")
        parts = [*_leaves(loader["dataset"], f"{split}_dataloader.dataset")] if loader else []
        with config_errors(cfg):
            for part in parts:
                _require_known(part, split, cfg.filename)
                if _is_ours(part.get("type")):
                    _build({key: value for key, value in part.items() if key != "pipeline"}).require_files()
        evaluators = cfg.get(f"{split}_evaluator") or []
        for evaluator in evaluators if isinstance(evaluators, list) else [evaluators]:
            for key, file in evaluator.items() if isinstance(evaluator, dict) else ():
                if key.endswith("_file") and isinstance(file, str) and "://" not in file and not find_annotations(file):
                    raise FileNotFoundError(f"{file} ({split}_evaluator.{key}) does not exist. See docs/data.md.")


def datasets_of_files(
    dataset: str,
    ann_files: Sequence[str],
    images: Sequence[str] | None = None,
    names_file: str | None = None,
    coco_file: str | None = None,
) -> dict[str, HOIDataset]:
    """Data sets by annotation file, annotations not yet read.

    Args:
        dataset (str): registered class.
        ann_files (Sequence[str]): one per split, the one to train on first.
        images (Sequence[str], optional): one folder for all, or one per split; default: the current folder.
        names_file (str, optional): see :class:`HOIDataset`.
        coco_file (str, optional): see :class:`VCOCODataset`.

    Raises:
        AnnotationError: the numbers of files and folders differ, or the class is none of this package's.
    """
    folders = list(images or ["."])
    folders = folders * len(ann_files) if len(folders) == 1 else folders
    if len(folders) != len(ann_files):
        raise AnnotationError(f"{len(ann_files)} annotation files, but {len(folders)} image folders.")
    given = dict(names_file=names_file, coco_file=coco_file)
    options = {key: value for key, value in given.items() if value is not None}
    return {
        ann_file: _build(
            # The first file is trained on, others are evaluated; their rules differ (max_boxes).
            dict(type=dataset, ann_file=ann_file, data_prefix=dict(img=folder), test_mode=i > 0, **options)
        )
        for i, (ann_file, folder) in enumerate(zip(ann_files, folders, strict=True))
    }


def _leaves(cfg: dict, place: str) -> Iterator[dict]:
    """Configs of the data sets inside of wrappers.

    Raises:
        ConfigError: something else than a table is in a data set's place.
    """
    if not isinstance(cfg, dict):
        raise ConfigError(f"{place} is {cfg!r}, and should be a dict with the type of a data set.")
    inner = [cfg["dataset"]] if "dataset" in cfg else cfg.get("datasets")
    if inner is None:
        yield cfg
    else:
        for each in inner:
            yield from _leaves(each, place)


def _require_known(part: dict, split: str, file: str | None) -> None:
    """Refuse a type that no registry has, with its nearest name, before it is looked up."""
    kind = part.get("type")
    if isinstance(kind, str) and kind.rpartition(".")[2] not in component_names():
        guess = nearest(kind, sorted(component_names()))
        raise ConfigError(f"Config {file}: {split}_dataloader.dataset.type: there is no component {kind!r}.{guess}")


def _build(settings: dict) -> HOIDataset:
    # A config that is only read, not run, has set no scope.
    with DefaultScope.overwrite_default_scope("hqm_mmdet"):
        if not _is_ours(settings["type"]):
            raise AnnotationError(f"{settings['type']} is no HOI data set of this package, so it can't be checked.")
        return DATASETS.build(dict(settings, lazy_init=True, pipeline=[]))


def _is_ours(kind: str | type | None) -> bool:
    with DefaultScope.overwrite_default_scope("hqm_mmdet"):
        kind = DATASETS.get(kind) if isinstance(kind, str) else kind
    return isinstance(kind, type) and issubclass(kind, HOIDataset)
