"""HICO-DET: 80 object classes (COCO's), 117 verbs, 600 valid combinations."""

from dataclasses import replace

from hqm_mmdet.registry import DATASETS
from hqm_mmdet.structures import HOIVocabulary

from .annotations import ImageAnnotations
from .class_tables import load_metainfo
from .hoi_dataset import HOIDataset
from .subsets import unseen_triplets, without_unseen_pairs


@DATASETS.register_module()
class HICODetDataset(HOIDataset):
    """HICO-DET with the annotation files of PPDM and QPIC, in the folder layout of the official HQM code.

    Nothing is renamed or converted::

        data/hico_20160224_det/
            images/train2015/HICO_train2015_00000001.jpg ...
            images/test2015/HICO_test2015_00000001.jpg ...
            annotations/trainval_hico.json
            annotations/test_hico.json
            annotations/corre_hico.npy      (optional; derived from trainval_hico.json)

    Object labels are COCO's 80 classes in order (person = 0), from category ids 1-90; verb labels are verb ids 1-117
    minus 1. Training boxes are 0-based, test boxes 1-based in the official files; QPIC and its successors read both as
    they are, and so does this class.

    Entries: 37,633 training and 9,546 test images have box pairs (the rest of the announced 38,118 and 9,658 is not in
    the files). In training 4 of them have more than 100 boxes; see ``max_boxes``.

    Args:
        zero_shot (str, optional): a split of :func:`~.subsets.unseen_triplets`. Training then leaves out, as GEN-VLKT
            and HOICLIP do, every pair that shows an unseen triplet, with all its verbs, and images without a pair left.
            Testing uses all annotations. ``metainfo['unseen']`` lists the unseen (object label, verb) for the metric.
            With ``fraction``, the images are drawn first.
        **kwargs: as in :class:`HOIDataset`.

    Raises:
        ConfigError: no such split.
    """

    METAINFO = load_metainfo("hico_det")
    CORRE_FILE = "corre_hico.npy"
    TRAIN_ANN_FILE = "trainval_hico.json"
    HOW_TO_GET = (
        "Expected layout: data/hico_20160224_det/{images/{train2015,test2015},"
        "annotations/{trainval_hico.json,test_hico.json,corre_hico.npy}}; images come from the HICO-DET archive "
        "(hico_20160224_det.tar.gz), annotations from the PPDM authors. See docs/data.md."
    )

    def __init__(self, *args, zero_shot: str | None = None, **kwargs):
        # Before the base class is built, which asks for the class tables.
        self.unseen = unseen_triplets(zero_shot) if zero_shot else frozenset()
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
