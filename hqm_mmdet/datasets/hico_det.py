"""HICO-DET: 80 object classes (COCO's), 117 verbs, 600 valid combinations."""

from hqm_mmdet.registry import DATASETS
from hqm_mmdet.structures import load_metainfo

from .zero_shot import ZeroShotDataset


@DATASETS.register_module()
class HICODetDataset(ZeroShotDataset):
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

    ``zero_shot`` takes the nine splits of GEN-VLKT and HOICLIP. Arguments as in :class:`~.zero_shot.ZeroShotDataset`.
    """

    HOIS = "hico_det"
    METAINFO = load_metainfo("hico_det")
    CORRE_FILE = "corre_hico.npy"
    TRAIN_ANN_FILE = "trainval_hico.json"
    UPRIGHT = False  # as the official code reads images
    HOW_TO_GET = (
        "Expected layout: data/hico_20160224_det/{images/{train2015,test2015},"
        "annotations/{trainval_hico.json,test_hico.json,corre_hico.npy}}; images come from the HICO-DET archive "
        "(hico_20160224_det.tar.gz), annotations from the PPDM authors. See docs/data.md."
    )
