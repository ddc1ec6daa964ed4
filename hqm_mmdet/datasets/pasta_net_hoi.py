"""PaStaNet-HOI: HICO-DET's classes without "no interaction", on more images."""

from hqm_mmdet.registry import DATASETS
from hqm_mmdet.structures import load_metainfo

from .hico_det import HICODetDataset
from .hoi_dataset import HOIDataset
from .subsets import hico_valid_pairs

_HICO = load_metainfo("hico_det")
NO_INTERACTION = _HICO["verbs"].index("no_interaction")
NO_INTERACTION_ID = NO_INTERACTION + 1


def _without(values: tuple) -> tuple:
    return (*values[:NO_INTERACTION], *values[NO_INTERACTION + 1 :])


@DATASETS.register_module()
class PaStaNetHOIDataset(HOIDataset):
    """PaStaNet-HOI of the extended TIN (TPAMI 2021): 520 HOIs, 80 object classes, 116 verbs, more than 110,000 images.

    What is public about it is that it takes HICO-DET's HOIs without the 80 of ``no_interaction``, whose labels are
    incomplete, on HICO-DET's images and more, and the published mAP of three methods. Its split and its labels come
    with HAKE, in a form that this project has not seen; this class reads them as HOIA-style files with HICO-DET's ids
    (verbs 1 to 117, of which 58 does not occur). HICO-DET's own files are read too: entries of verb 58 are left out, as
    they are in prediction files. A rare set is not published.
    """

    METAINFO = {
        **HICODetDataset.METAINFO,
        "verbs": _without(HICODetDataset.METAINFO["verbs"]),
        "verb_ids": _without(tuple(range(1, len(_HICO["verbs"]) + 1))),
        "left_out_verb_ids": (NO_INTERACTION_ID,),
    }
    VALID_PAIRS = hico_valid_pairs()[[verb != NO_INTERACTION for verb in range(len(_HICO["verbs"]))]]
    HAS_RARE_SET = False
    TRAIN_ANN_FILE = "trainval_pastanet.json"
    UPRIGHT = False  # as the official code reads images
    HOW_TO_GET = "PaStaNet-HOI comes with HAKE (hake-mvig.cn); see docs/data.md for the form of its annotations here."

    def relevant(self, entries: list[dict]) -> list[dict]:
        """Entries without the HOIs of ``no_interaction``."""
        return [
            {**entry, "hoi_annotation": [hoi for hoi in hois if hoi.get("category_id") != NO_INTERACTION_ID]}
            if isinstance(entry, dict) and isinstance(hois := entry.get("hoi_annotation"), list)
            else entry
            for entry in entries
        ]
