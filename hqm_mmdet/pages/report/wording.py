"""What numbers are called, in words that a newcomer follows."""

from hqm_mmdet.evaluation.analysis import MetricDifference

from ..formats import is_nothing

DATASET_NAMES = dict(
    hico="HICO-DET", vcoco="V-COCO", hoia="HOI-A", toy="ToyHOI", pastanet="PaStaNet-HOI", own="own data set"
)
KNOWN_OBJECT = "known object: each class on the images that show its object"

# key -> name, what it says
METRICS = {
    "hico/full": ("mAP full", "mean average precision over all classes with ground truth"),
    "hico/rare": ("mAP rare", "over classes with fewer than 10 training instances"),
    "hico/non_rare": ("mAP non-rare", "over classes with 10 or more training instances"),
    "hico/max_recall": ("max recall", "share of labelled triplets found at any rank, mean over classes"),
    "hico/seen": ("mAP seen", "over classes that the zero-shot split trains on"),
    "hico/unseen": ("mAP unseen", "over classes that the zero-shot split keeps from training"),
    "hico/harmonic": ("harmonic mean", "of mAP seen and mAP unseen: low if either is"),
    "vcoco/role_s1": ("AP role, scenario 1", "24 roles; where no object is annotated, none may be predicted"),
    "vcoco/role_s2": ("AP role, scenario 2", "24 roles; where no object is annotated, any box will do"),
    "vcoco/agent": ("AP agent", "person and action alone, 26 actions"),
    "vcoco/role_s1_25": ("AP role, scenario 1, 25 roles", "with point_instr, as the official script averages"),
    "vcoco/role_s2_25": ("AP role, scenario 2, 25 roles", "with point_instr, as the official script averages"),
    "pastanet/full": ("mAP", "mean average precision over all classes with ground truth"),
    "pastanet/max_recall": ("max recall", "share of labelled triplets found at any rank, mean over classes"),
    "hoia/mAP": ("mAP", "mean average precision over the verbs"),
    "hoia/max_recall": ("max recall", "share of labelled triplets found at any rank, mean over verbs"),
}

# kind of error or limit -> what it is; docs/errors.md defines them
ERRORS = {
    "duplicate": "right, but the labelled triplet already went to a better-scored candidate",
    "verb": "boxes and object class of a labelled pair, with a verb that it does not have",
    "object class": "verb and both boxes are right, the object class is not",
    "association": "a right subject and a right object that do not belong together",
    "object box": "right but for the object box, which overlaps too little",
    "subject box": "right but for the subject box, which overlaps too little",
    "several": "near a labelled pair, with more than one thing wrong",
    "background": "near no labelled pair",
    "missed": "labelled triplets that no candidate finds, and none misses by one step",
    "false positives": "all wrong candidates removed",
    "false negatives": "all labelled triplets that were not found taken out of the count",
}
NO_WORDS = "no interval"


def metric_name(key: str) -> str:
    """Short name; a key that is not known stands for itself.

    >>> metric_name("hico/ko_rare"), metric_name("own/other")
    ('mAP rare, known object', 'own/other')
    """
    if key in METRICS:
        return METRICS[key][0]
    plain = key.replace("/ko_", "/")
    return f"{METRICS[plain][0]}, known object" if plain in METRICS else key


def metric_meaning(key: str) -> str:
    """What it says; empty for a key that is not known."""
    if key in METRICS:
        return METRICS[key][1]
    return KNOWN_OBJECT if key.replace("/ko_", "/") in METRICS else ""


def verdict(difference: MetricDifference) -> str:
    """``better`` or ``worse`` if the interval excludes zero, else ``within noise``.

    A metric without value, e.g. of a rare set that no image shows, has no interval either.
    """
    if is_nothing(difference.low) or is_nothing(difference.high):
        return NO_WORDS
    if difference.low > 0:
        return "better"
    return "worse" if difference.high < 0 else "within noise"
