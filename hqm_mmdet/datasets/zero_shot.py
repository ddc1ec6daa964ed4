"""Data sets with zero-shot splits: some combinations of verb and object are kept from training."""

from dataclasses import replace

from hqm_mmdet.structures import HOIVocabulary

from .annotations import ImageAnnotations
from .hoi_dataset import HOIDataset
from .subsets import unseen_triplets, without_unseen_pairs


class ZeroShotDataset(HOIDataset):
    """Base of data sets whose HOI classes are packaged.

    Args:
        zero_shot (str, optional): a split of :func:`~.subsets.unseen_triplets`. Training then leaves out, as GEN-VLKT
            and HOICLIP do, every pair that shows an unseen triplet, with all its verbs, and images without a pair left.
            Testing uses all annotations. ``metainfo['unseen']`` lists the unseen (object label, verb) for the metric.
            With ``fraction``, the images are drawn first. Default: None.
        **kwargs: as in :class:`HOIDataset`.

    Raises:
        ConfigError: no such split.
    """

    HOIS: str

    def __init__(self, *args, zero_shot: str | None = None, **kwargs):
        # Before the base class is built, which asks for the class tables.
        self.unseen = unseen_triplets(zero_shot, self.HOIS) if zero_shot else frozenset()
        super().__init__(*args, **kwargs)

    def vocabulary(self, images: list[ImageAnnotations | None]) -> HOIVocabulary:
        """Class tables with the zero-shot split."""
        return replace(super().vocabulary(images), unseen=self.unseen)

    def _select(self, images: list[tuple[int, ImageAnnotations]]) -> list[tuple[int, ImageAnnotations]]:
        # The fraction first, so that all zero-shot splits take parts of the same images.
        chosen = super()._select(images)
        if not self.unseen:
            return chosen
        seen = ((i, without_unseen_pairs(image, self.unseen)) for i, image in chosen)
        return [(i, image) for i, image in seen if image.hois]
