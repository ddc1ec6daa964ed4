"""A sampler that can begin in the middle of an epoch."""

from collections.abc import Iterator
from itertools import islice

from mmengine.dataset import DefaultSampler

from hqm_mmdet.registry import DATA_SAMPLERS


@DATA_SAMPLERS.register_module()
class ResumableSampler(DefaultSampler):
    """mmengine's ``DefaultSampler``, same order, with a start position for the next pass.

    Its length stays that of a whole epoch. Arguments are those of ``DefaultSampler``.
    """

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        self._start = 0

    def skip(self, num_samples: int) -> None:
        """Leave out the first samples of this process in the next pass, and only there; nothing of them is loaded."""
        self._start = num_samples

    def __iter__(self) -> Iterator[int]:
        start, self._start = self._start, 0
        return islice(super().__iter__(), start, None)
