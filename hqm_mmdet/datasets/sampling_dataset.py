"""How samples are drawn from a data set: reproducibly, and what becomes of images that can't be read."""

import logging
from collections.abc import Sequence

import cv2
from mmdet.datasets import BaseDetDataset
from mmengine.logging import print_log

from hqm_mmdet.errors import ConfigError

from .seeding import SharedInteger, start_streams, streams_put_back
from .transforms import BadImageError


class SamplingDataset(BaseDetDataset):
    """mmdet's data set with random streams that depend on (seed, epoch, index) only, and clear errors for bad images.

    Args:
        on_bad_image (str): 'error', or 'skip': training takes another image in place of a missing or unreadable one.
        seed (int, optional): makes a sample a function of (seed, epoch, index), whatever the number of workers; see
            :meth:`set_epoch`. None leaves random numbers to mmengine. Not used in test mode.
        **kwargs: as in mmdet's ``BaseDetDataset``.

    Raises:
        ConfigError: unknown ``on_bad_image``.
    """

    HOW_TO_GET: str = "See docs/data.md."

    def __init__(self, *args, on_bad_image: str = "error", seed: int | None = None, **kwargs):
        if on_bad_image not in ("error", "skip"):
            raise ConfigError(f"on_bad_image must be 'error' or 'skip', got {on_bad_image!r}.")
        # Set before the base class is built, which loads the annotations.
        self.on_bad_image = on_bad_image
        self.seed = seed
        # Persistent workers hold copies of the data set; a change reaches them through shared memory only.
        self._epoch = SharedInteger()
        self._bad_images: set[str] = set()
        super().__init__(*args, **kwargs)

    @property
    def epoch(self) -> int:
        """The epoch that samples are drawn for."""
        return self._epoch.get()

    def set_epoch(self, epoch: int) -> None:
        """Tell all processes the epoch; matters where ``seed`` is set."""
        self._epoch.set(epoch)

    def __getitem__(self, idx: int) -> dict:
        """The packed sample. Repeats of an index within an epoch (``RepeatDataset``) are equal if ``seed`` is set."""
        return self.__getitems__([idx])[0]

    def __getitems__(self, indices: Sequence[int]) -> list[dict]:
        """A batch's samples, as torch's loader asks for them: the outer streams are kept and put back once.

        A subclass that changes samples overrides :meth:`prepare_data`, which is called either way.
        """
        if self.seed is None or self.test_mode:
            return [super(SamplingDataset, self).__getitem__(idx) for idx in indices]
        samples, epoch, size = [], self.epoch, len(self)
        with streams_put_back():
            for idx in indices:
                start_streams(self.seed, epoch, idx % size)
                samples.append(super().__getitem__(idx))
        return samples

    def prepare_data(self, idx: int) -> dict | None:
        """Run the pipeline; None (mmengine then takes another image) for a bad image that is to be skipped.

        Raises:
            BadImageError: an image is missing or can't be decoded; names the annotation file and the entry.
            ConfigError: a step of the pipeline has settings that fit no image.
        """
        try:
            return super().prepare_data(idx)
        except BadImageError as error:
            message = f"{self.ann_file}: entry {self.get_data_info(idx)['img_id']}: {error}."
            if self.test_mode or self.on_bad_image == "error":
                remedy = "" if self.test_mode else " Or set dataset.on_bad_image='skip' to train without it."
                raise BadImageError(f"{message} Restore the file. {self.HOW_TO_GET}{remedy}") from error
            self._note_bad_image(message)
            return None
        except cv2.error as error:
            entry = self.get_data_info(idx)["img_id"]
            raise ConfigError(
                f"{self.ann_file}: entry {entry}: dataset.pipeline can't prepare its image: {error}. Look at its scale."
            ) from error

    def _note_bad_image(self, message: str) -> None:
        if message not in self._bad_images:
            self._bad_images.add(message)
            count = f"Skipped; images so far in this process: {len(self._bad_images)}."
            print_log(f"{message} {count}", logger="current", level=logging.WARNING)
