"""Detection files: any mmdet detector on a folder of images."""

import json
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import numpy as np
from mmdet.apis import inference_detector, init_detector
from rich.progress import track

from hqm_mmdet.datasets.transforms import LoadHOIImage
from hqm_mmdet.structures import ClassNameError, match_class_names
from hqm_mmdet.utils.atomic_io import write_atomically

from .inference.sources import find_images
from .pipeline import pad_narrow


def write_detections(
    config: str | Path,
    checkpoint: str | Path,
    images: str | Path,
    out: str | Path,
    metainfo: Mapping | None = None,
    score_thr: float = 0.05,
    device: str = "cpu",
    progress: bool = True,
    upright: bool = True,
) -> int:
    """Detect, and write COCO's result JSON, which ``dataset.detections`` reads.

    Args:
        config, checkpoint (str | Path): the detector, with mmdet's test pipeline.
        images (str | Path): folder, file or pattern.
        out (str | Path): the file to write; ``image_id`` is the name of the image file.
        metainfo (Mapping, optional): ``classes`` and ``category_ids`` of the HOI data set, whose ids are written. Other
            classes are left out. Default None: the detector's labels, from 1.
        score_thr (float): least score. Default: 0.05.
        device (str): where the detector runs. Default: ``cpu``.
        progress (bool): show a progress bar. Default: True.
        upright (bool): the frame of the boxes, that of the data set that will read them, see
            :class:`~hqm_mmdet.datasets.HOIDataset`. Default: True.

    Returns:
        int: boxes written.

    Raises:
        FileNotFoundError, CheckpointError: a file is missing or unfit.
        InputError, BadImageError: no image.
        ClassNameError: the detector lacks classes of the data set.
    """
    sources = list(find_images(images))
    for path in (config, checkpoint):
        if not Path(path).is_file():
            raise FileNotFoundError(f"{path} does not exist. Give a detector's local config and checkpoint.")
    model = init_detector(str(config), str(checkpoint), palette="random", device=device)
    ids = _category_ids(model.dataset_meta.get("classes"), metainfo, str(checkpoint))
    entries, load = [], LoadHOIImage(upright)
    for source in track(sources, "detecting", disable=not progress):
        image = load(dict(img_path=str(source.content)))["img"]
        found = inference_detector(model, pad_narrow(image)).pred_instances.cpu().numpy()
        entries += _entries(Path(source.name).name, found, ids, score_thr)
    write_atomically(out, (json.dumps(entries, separators=(",", ":")) + "\n").encode())
    return len(entries)


def _category_ids(theirs: Sequence[str] | None, metainfo: Mapping | None, name: str) -> dict[int, int | str]:
    """Category id to write for each label of the detector."""
    if theirs is None:
        raise ClassNameError(
            f"{name} does not name its classes, so they can't be told. Put them into its dataset_meta."
        )
    if metainfo is None:
        return {label: label + 1 for label in range(len(theirs))}
    labels = match_class_names(metainfo["classes"], theirs)
    return {theirs_: metainfo["category_ids"][ours] for theirs_, ours in enumerate(labels) if ours >= 0}


def _entries(name: str, found, ids: Mapping[int, int | str], score_thr: float) -> Iterator[dict]:
    boxes = np.asarray(found.bboxes, np.float64)
    corner_and_size = np.concatenate([boxes[:, :2], boxes[:, 2:] - boxes[:, :2]], 1).round(2).tolist()
    for box, label, score in zip(corner_and_size, found.labels.tolist(), found.scores.tolist(), strict=True):
        if label in ids and score >= score_thr:
            yield dict(image_id=name, category_id=ids[label], bbox=box, score=round(score, 6))
