"""HOI-A: 11 object classes, 10 verbs."""

from hqm_mmdet.registry import DATASETS
from hqm_mmdet.structures import load_metainfo

from .class_tables import valid_pairs_of_rules
from .hoi_dataset import HOIDataset

_TABLE = load_metainfo("hoi_a")


@DATASETS.register_module()
class HOIADataset(HOIDataset):
    """HOI-A with the annotation files of PPDM, in the folder layout of PPDM's and HQM's authors::

        data/hoia/
            images/trainval/...png
            images/test/test_000000.png ...
            annotations/train_2019.json
            annotations/test_2019.json
            annotations/corre_hoia.npy      (optional; its 17 combinations are packaged)

    Object ids in the files are strings, "1" ... "11" (person = "1" = label 0), verb ids are integers 1 ... 10. 8,787
    test images; the training file has 29,842 (published). Every pair has an object. The data set has no rare set.
    """

    METAINFO = {key: _TABLE[key] for key in ("dataset_type", "subject_label", "classes", "verbs")}
    CORRE_FILE = "corre_hoia.npy"
    VALID_PAIRS = valid_pairs_of_rules(_TABLE, _TABLE["classes"])
    HAS_RARE_SET = False
    TRAIN_ANN_FILE = "train_2019.json"
    UPRIGHT = False  # as the official code reads images
    HOW_TO_GET = (
        "Expected layout: data/hoia/{images/{trainval,test},annotations/{train_2019.json,test_2019.json}}; both come "
        "from the HOI-A authors (PPDM, picdataset.com). See docs/data.md."
    )
