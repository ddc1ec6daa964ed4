"""From arrays to a sample."""

import numpy as np
import torch
from mmdet.datasets.transforms import PackDetInputs
from mmengine.structures import InstanceData

from hqm_mmdet.datasets.stored_detections import detections_in_frame, poses_of_sample
from hqm_mmdet.errors import ConfigError
from hqm_mmdet.registry import TRANSFORMS
from hqm_mmdet.structures import HOIDataSample, new_pairs


@TRANSFORMS.register_module()
class PackHOIInputs(PackDetInputs):
    """Pack an image and its pairs.

    Pairs are rebuilt from the boxes that survived: a pair whose subject or object was cropped away vanishes; a pair
    without object needs its subject only, and gets a zero object box and label C (number of object classes).

    Required keys: those of mmdet's ``PackDetInputs``; with ground truth also ``gt_instances_ids``, ``gt_pairs_ids``,
    ``gt_pairs_verbs`` (see :class:`LoadHOIAnnotations`) and ``num_classes``.
    Returned keys: ``inputs`` ((3, H, W) uint8 tensor), ``data_samples`` (:class:`HOIDataSample` with ``gt_instances``
    and ``gt_pairs``, pixels of the image as the transforms left it). ``gt_hois``, the ground truth as annotated, is
    always part of the sample's metainfo where the data set gives it. So are its ``detections`` and ``poses``, fields.

    Args:
        meta_keys (Sequence[str]): keys for the sample's metainfo, as in ``PackDetInputs``.
    """

    def transform(self, results: dict) -> dict:
        """Pack.

        Raises:
            ConfigError: a transform dropped boxes without dropping their ids.
        """
        packed = super().transform(results)
        plain = packed["data_samples"]
        sample = HOIDataSample(metainfo=plain.metainfo)
        for field, value in plain.items():
            setattr(sample, field, value)
        # Not by meta_keys, which a config may replace: metrics can't do without it.
        if "gt_hois" in results:
            sample.set_metainfo(dict(gt_hois=results["gt_hois"]))
        if "gt_pairs_ids" in results:
            sample.gt_pairs = self._pairs(results)
        if "detections" in results:
            sample.detections = detections_in_frame(results)
        if "poses" in results:
            sample.poses = poses_of_sample(results)
        packed["data_samples"] = sample
        return packed

    def _pairs(self, results: dict) -> InstanceData:
        # mmdet's box type, or a plain array where a transform took it out.
        # In NumPy until the end: on a handful of numbers every torch operation costs more than it computes.
        boxes = np.asarray(getattr(results["gt_bboxes"], "tensor", results["gt_bboxes"]), dtype=np.float32)  # (N, 4)
        labels = np.asarray(results["gt_bboxes_labels"], dtype=np.int64)  # (N,)
        ids, verbs = results["gt_pairs_ids"], results["gt_pairs_verbs"]
        rows = self._rows(results["gt_instances_ids"], ids, len(boxes))
        has_object = ids[:, 1] >= 0
        keep = (rows[:, 0] >= 0) & ((rows[:, 1] >= 0) | ~has_object)
        (subject, obj), present = rows[keep].T, has_object[keep]
        obj_bboxes = np.zeros((len(obj), 4), np.float32)
        obj_bboxes[present] = boxes[obj[present]]
        obj_labels = np.full(len(obj), results["num_classes"])
        obj_labels[present] = labels[obj[present]]
        arrays = boxes[subject], obj_bboxes, obj_labels
        return new_pairs(*map(torch.from_numpy, arrays), verb_labels=torch.from_numpy(verbs[keep]))

    @staticmethod
    def _rows(survivors: np.ndarray, ids: np.ndarray, num_boxes: int) -> np.ndarray:
        """Row of each pair's boxes among the survivors, (P, 2); -1 where there is none."""
        if len(survivors) != num_boxes:
            raise ConfigError(
                f"{len(survivors)} gt_instances_ids for {num_boxes} boxes: a transform dropped boxes but not their ids "
                "(mmdet's FilterAnnotations does). Leave it out; RandomCrop handles both."
            )
        row_of = np.full(max(survivors.max(initial=-1), ids.max(initial=-1)) + 2, -1)  # the last one stands for id -1
        row_of[survivors] = np.arange(num_boxes)
        return row_of[ids]
