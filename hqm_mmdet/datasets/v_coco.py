"""V-COCO: 80 object classes (COCO's), 29 verbs (26 actions, three of them with two roles)."""

from hqm_mmdet.registry import DATASETS
from hqm_mmdet.structures import load_metainfo
from hqm_mmdet_cli.installation import command

from .annotations import read_json
from .class_tables import valid_pairs_of_rules
from .conversion.v_coco import HOW_TO_GET, is_official_vcoco, vcoco_entries
from .hoi_dataset import HOIDataset
from .problems import AnnotationError

_TABLE, _COCO = load_metainfo("v_coco"), load_metainfo("hico_det")


@DATASETS.register_module()
class VCOCODataset(HOIDataset):
    """V-COCO, from HOIA-style files in QPIC's layout, or from the official labels and COCO's boxes.

    Expected layout::

        data/v-coco/
            images/train2014/COCO_train2014_000000000009.jpg ...      (training: trainval, 5,400 images)
            images/val2014/COCO_val2014_000000000042.jpg ...          (test, 4,946 images)
            annotations/trainval_vcoco.json
            annotations/test_vcoco.json
            annotations/corre_vcoco.npy     (optional; the same table follows from packaged rules)
            data/vcoco/vcoco_{trainval,test}.json, data/instances_vcoco_all_2014.json      (official, for VCOCOMetric)

    Without the files in ``annotations`` it reads the official ones: ``ann_file='data/vcoco/vcoco_trainval.json',
    coco_file='data/instances_vcoco_all_2014.json'``. That takes as long as reading the COCO file does; converting once
    (``hqm-mmdet to-hoia vcoco``) gives the same samples faster.

    A pair may lack its object, its label is then 80. Models in which this is a class have 81 object classes (QPIC,
    CDN). Verbs are in the order of QPIC, ids 0-28. There is no rare set.

    Args:
        coco_file (str, optional): COCO instances file under ``data_root``; ``ann_file`` is then an official file.
        **kwargs: as in :class:`HOIDataset`.

    Raises:
        AnnotationError: official labels without ``coco_file``, or files that do not belong together.
    """

    METAINFO = {**_COCO, **{key: _TABLE[key] for key in ("dataset_type", "verbs", "verb_ids")}}
    CORRE_FILE = "corre_vcoco.npy"
    VALID_PAIRS = valid_pairs_of_rules(_TABLE, _COCO["classes"])
    HAS_RARE_SET = False
    TRAIN_ANN_FILE = "trainval_vcoco.json"
    UPRIGHT = False  # as the official code reads images
    HOW_TO_GET = (
        "Expected layout: data/v-coco/{images/{train2014,val2014},annotations/{trainval_vcoco.json,test_vcoco.json},"
        "data/{vcoco/vcoco_test.json,instances_vcoco_all_2014.json}}; "
        f"images come from COCO 2014. {HOW_TO_GET}"
    )

    def __init__(self, *args, coco_file: str | None = None, **kwargs):
        # Before the base class is built, which reads the entries.
        self.coco_file = coco_file
        super().__init__(*args, **kwargs)

    def read_entries(self, path: str | None = None, hint: str = "") -> list[dict]:
        """Entries, converted in memory if the file holds official labels."""
        path = path or self.ann_file
        content = super().read_entries(path, hint)
        if self.coco_file is not None:
            coco_file = self._under_root(self.coco_file)
            instances = read_json(coco_file, f"It holds the boxes. {self.HOW_TO_GET}")
            return vcoco_entries(content, instances, self._metainfo["verbs"], (path, coco_file))
        if is_official_vcoco(content):
            raise AnnotationError(
                f"{path}: holds official V-COCO labels, which name boxes of COCO. Set dataset.coco_file to "
                f"instances_vcoco_all_2014.json, or convert it with `{command('to-hoia vcoco')}`."
            )
        return content
