"""From files and annotations to arrays."""

import io
import logging

import numpy as np
from mmcv.image import rescale_size
from mmcv.transforms import LoadImageFromFile
from mmdet.datasets.transforms import LoadAnnotations
from mmengine import fileio
from mmengine.logging import print_log
from PIL import Image

from hqm_mmdet.registry import TRANSFORMS

from ..problems import AnnotationError
from .pixels import UPRIGHT, BadImageError, as_shown, as_stored, bad_image, orientation, size_of

MAX_RATIO = 100  # of the sides; resized with its ratio, a narrower image would have no pixel left on one side
POWERS = {10**k for k in range(9)}


@TRANSFORMS.register_module()
class LoadHOIImage(LoadImageFromFile):
    """Load an image as three channels, in the frame its boxes were annotated in.

    Read by Pillow: same pixels as OpenCV's and as fast, but a truncated file is an error. OpenCV returns a half grey
    image for it, or None, depending on its version.

    Photographs of phones are stored turned, and say so (EXIF orientation). Those are counted and told, as boxes that
    were drawn in the other frame would be wrong.

    Required keys: ``img_path``; ``upright`` if the argument is None (without it: False).
    Added keys: ``img`` ((H, W, 3) uint8, BGR), ``img_shape``, ``ori_shape`` (H, W).

    Args:
        upright (bool, optional): True: as a viewer shows it and as prediction reads it (:func:`~.pixels.as_shown`);
            False: as stored (:func:`~.pixels.as_stored`). Default None: what the data set says,
            :class:`~hqm_mmdet.datasets.HOIDataset`.
        scale (tuple[int, int], optional): the size that the image gets anyway, as of mmdet's ``Resize`` with
            ``keep_ratio``. A JPEG file of at least twice that size is decoded at a half, a quarter or an eighth of its
            sides; ``ori_shape`` stays the file's. For pipelines without annotations, whose boxes are in the file's
            pixels; with stored detections or poses the whole image is decoded. Default None, always the whole image.
        backend_args (dict, optional): where files lie, as in mmcv's ``LoadImageFromFile``.
    """

    def __init__(
        self,
        upright: bool | None = None,
        scale: tuple[int, int] | None = None,
        backend_args: dict | None = None,
    ):
        super().__init__(backend_args=backend_args)
        self.upright = upright
        self.scale = scale
        self._turned: set[str] = set()

    def transform(self, results: dict) -> dict:
        """Load ``img_path``.

        Raises:
            BadImageError: the file is missing, truncated, too large for Pillow, no image, or narrower than 1:100.
        """
        path = results["img_path"]
        upright = results.get("upright", False) if self.upright is None else self.upright
        try:
            content = fileio.get(path, backend_args=self.backend_args)
            with Image.open(io.BytesIO(content)) as image:
                turned = orientation(image)
                width, height = size_of(image, upright)
                in_file_pixels = "detections" in results or "poses" in results
                if self.scale is not None and image.format == "JPEG" and not in_file_pixels:
                    # Pillow keeps the decoded image at least as large as what it is asked for
                    image.draft(None, rescale_size(image.size, tuple(self.scale)))
                results["img"] = as_shown(image) if upright else as_stored(image)
        except Exception as error:  # decoders raise whatever they like on damaged bytes
            raise bad_image(path, error) from error
        if max(height, width) > MAX_RATIO * min(height, width):
            raise BadImageError(
                f"image {path} has {width} x {height} pixels and is narrower than 1:{MAX_RATIO}; take it out of "
                "the annotations, or pad it"
            )
        if turned != UPRIGHT:
            self._report(path, turned, upright)
        results["img_shape"], results["ori_shape"] = results["img"].shape[:2], (height, width)
        return results

    def _report(self, path: str, turned: int, upright: bool) -> None:
        """Say it at the 1st, 10th, 100th ... such image of this process."""
        if path in self._turned:
            return
        self._turned.add(path)
        how, other = ("upright", "as stored") if upright else ("as stored", "upright")
        if len(self._turned) in POWERS:
            message = (
                f"{path} is stored turned (EXIF orientation {turned}) and read {how}: its boxes must be in this frame. "
                f"If they were drawn on the image {other}, set dataset.upright={not upright}; see docs/own_data.md. "
                f"Such images so far in this process: {len(self._turned)}."
            )
            print_log(message, logger="current", level=logging.WARNING)


@TRANSFORMS.register_module()
class LoadHOIAnnotations(LoadAnnotations):
    """Boxes and pairs of an image, ready for mmdet's geometric transforms.

    Boxes are clipped to the original image; those left without area are dropped (QPIC does the same in training).
    Pairs keep naming boxes by their index in ``instances``: ``gt_instances_ids`` carries it through crops, and
    :class:`PackHOIInputs` rebuilds the pairs. The transform stands before the geometric ones, so that the ground truth
    follows them. Test pipelines do without: metrics read ``gt_hois``, in the frame of the original image.

    An image without ``pairs`` passes unchanged: one's own, predicted with a test pipeline that has this transform.

    Required keys: ``instances``, ``pairs`` (rows of subject index, object index or -1, list of verbs), ``num_verbs``,
    ``ori_shape``, ``img_path``, ``strict``.
    Added keys: mmdet's ``gt_bboxes`` (HorizontalBoxes (N, 4)), ``gt_bboxes_labels`` (N,), ``gt_ignore_flags`` (N,), and
    ``gt_instances_ids`` (N,) int64, ``gt_pairs_ids`` (P, 2) int64, ``gt_pairs_verbs`` (P, V) float32 multi-hot.

    Args:
        **kwargs: as in mmdet's ``LoadAnnotations``.
    """

    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        self._num_outside = 0

    def transform(self, results: dict) -> dict:
        """Add the keys above.

        Raises:
            AnnotationError: a box lies outside of the image, and the data set is strict.
        """
        if "pairs" not in results:
            return results
        results = super().transform(results)
        self._load_pairs(results)
        self._clip(results)
        return results

    def _load_pairs(self, results: dict) -> None:
        pairs = results["pairs"]
        # Multi-hot: verbs of the same two boxes are one pair.
        verbs = np.zeros((len(pairs), results["num_verbs"]), dtype=np.float32)
        for row, (_, _, positives) in zip(verbs, pairs, strict=True):
            row[positives] = 1
        results["gt_pairs_ids"] = np.array([p[:2] for p in pairs], dtype=np.int64).reshape(-1, 2)
        results["gt_pairs_verbs"] = verbs

    def _clip(self, results: dict) -> None:
        boxes = results["gt_bboxes"]
        boxes.clip_(results["ori_shape"])
        keep = ((boxes.widths > 0) & (boxes.heights > 0)).numpy()
        if not keep.all():
            self._report(results, int(np.argmin(keep)))
        # Pairs stay as they are: they name boxes by their old index, which gt_instances_ids carries on.
        results["gt_bboxes"] = boxes[keep]
        for key in ("gt_bboxes_labels", "gt_ignore_flags"):
            results[key] = results[key][keep]
        results["gt_instances_ids"] = np.flatnonzero(keep)

    def _report(self, results: dict, box: int) -> None:
        """Say it at the 1st, 10th, 100th ... image of this process; all of them would bury the log."""
        height, width = results["ori_shape"]
        message = (
            f"{results['img_path']}: box {box} = {results['instances'][box]['bbox']} has no area inside of the image, "
            f"which is {width} x {height} pixels. Is it the right image, with its original size?"
        )
        if results["strict"]:
            raise AnnotationError(f"{message} Correct the annotation, or set dataset.strict=False to drop such boxes.")
        self._num_outside += 1
        if self._num_outside in POWERS:
            count = f"Such boxes are dropped; images so far in this process: {self._num_outside}."
            print_log(f"{message} {count}", logger="current", level=logging.WARNING)
