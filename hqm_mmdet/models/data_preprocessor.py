"""Batches on their way to the device."""

from mmdet.models.data_preprocessors import DetDataPreprocessor

from hqm_mmdet.registry import MODELS
from hqm_mmdet.structures import HOIDataSample

__all__ = ["HOIDataPreprocessor"]


@MODELS.register_module()
class HOIDataPreprocessor(DetDataPreprocessor):
    """mmdet's ``DetDataPreprocessor`` that leaves labelled samples on the host.

    A sample holds half a dozen small tensors, each of which would go to the device by itself. The head checks and packs
    those of a whole batch first (:meth:`~hqm_mmdet.models.heads.PairHead.targets`), so that one copy takes all, and no
    check waits for the device. Two-stage detectors read more annotations than pairs, and need mmdet's.

    Args:
        non_blocking (bool): copy inputs without waiting, where they lie in pinned memory (``pin_memory=True`` of the
            data loader). Default True.
        **kwargs: as in mmdet's ``DetDataPreprocessor``.
    """

    def __init__(self, *args, non_blocking: bool = True, **kwargs):
        super().__init__(*args, non_blocking=non_blocking, **kwargs)

    def cast_data(self, data):
        """As in mmengine, except for samples with ``gt_pairs``."""
        return data if isinstance(data, HOIDataSample) and "gt_pairs" in data else super().cast_data(data)
