"""ToyHOI: rendered scenes, made by :mod:`hqm_mmdet.datasets.toy`."""

import json
from pathlib import Path

from hqm_mmdet.registry import DATASETS

from .class_tables import load_metainfo
from .hoi_dataset import HOIDataset
from .problems import AnnotationError

_VOCABULARY = ("classes", "verbs")


@DATASETS.register_module()
class ToyHOIDataset(HOIDataset):
    """Procedural scenes in the file layout of the real data sets; see ``tools/dataset_converters/make_toy_hoi.py``.

    Raises:
        FileNotFoundError: the data set was not made, or not to the end.
        AnnotationError: it was made with other classes or verbs than this version's.
    """

    METAINFO = {"dataset_type": "toy_hoi", **{key: load_metainfo("toy_hoi")[key] for key in _VOCABULARY}}
    CORRE_FILE = "corre_toy.npy"
    TRAIN_ANN_FILE = "trainval_toy.json"
    HOW_TO_GET = "Make the data set: `python tools/dataset_converters/make_toy_hoi.py data/toy_hoi`."

    def load_data_list(self) -> list[dict]:
        """Read the annotations after a look at the manifest, which is written last."""
        manifest = Path(self.data_root) / "toy_hoi.json"
        if not manifest.is_file():
            raise FileNotFoundError(f"{manifest.absolute()} does not exist. {self.HOW_TO_GET}")
        made = json.loads(manifest.read_text(encoding="utf-8"))
        # Other names in the same order would be read without complaint, as other classes.
        for key in _VOCABULARY:
            if tuple(made.get(key, ())) != self._metainfo[key]:
                raise AnnotationError(
                    f"{manifest.absolute()}: made with {key} {made.get(key)}, but this version has "
                    f"{list(self._metainfo[key])}. Remove the folder. {self.HOW_TO_GET}"
                )
        return super().load_data_list()
