"""ToyHOI: rendered scenes, made by :mod:`hqm_mmdet.datasets.toy`."""

import json
from pathlib import Path

from hqm_mmdet.registry import DATASETS
from hqm_mmdet.structures import load_metainfo
from hqm_mmdet_cli.installation import command

from .problems import AnnotationError
from .zero_shot import ZeroShotDataset

_VOCABULARY = ("classes", "verbs")


@DATASETS.register_module()
class ToyHOIDataset(ZeroShotDataset):
    """Procedural scenes in the file layout of the real data sets; made by ``hqm-mmdet make-toy``.

    ``zero_shot="unseen_combination"`` keeps six combinations from training whose verb and object occur in others.
    Arguments as in :class:`~.zero_shot.ZeroShotDataset`.

    Raises:
        FileNotFoundError: the data set was not made, or not to the end.
        AnnotationError: it was made with other classes or verbs than this version's.
    """

    HOIS = "toy_hoi"
    METAINFO = {
        "dataset_type": "toy_hoi",
        "made_for": "drawings of the toy set",
        **{key: load_metainfo("toy_hoi")[key] for key in _VOCABULARY},
    }
    CORRE_FILE = "corre_toy.npy"
    TRAIN_ANN_FILE = "trainval_toy.json"
    HOW_TO_GET = f"Make the data set: `{command('make-toy data/toy_hoi')}`."

    def require_files(self) -> None:
        """Look for the manifest, which is written last, too."""
        self._require_manifest()
        super().require_files()

    def _require_manifest(self) -> None:
        if not self._manifest.is_file():
            raise FileNotFoundError(f"{self._manifest.absolute()} does not exist. {self.HOW_TO_GET}")

    @property
    def _manifest(self) -> Path:
        return Path(self.data_root) / "toy_hoi.json"

    def load_data_list(self) -> list[dict]:
        """Read the annotations after a look at the manifest."""
        self._require_manifest()
        made = json.loads(self._manifest.read_text(encoding="utf-8"))
        # Other names in the same order would be read without complaint, as other classes.
        for key in _VOCABULARY:
            if tuple(made.get(key, ())) != self._metainfo[key]:
                raise AnnotationError(
                    f"{self._manifest.absolute()}: made with {key} {made.get(key)}, but this version has "
                    f"{list(self._metainfo[key])}. Remove the folder. {self.HOW_TO_GET}"
                )
        return super().load_data_list()
