"""Kinds of findings: their level, their name, and what they mean."""

from dataclasses import dataclass

from ..annotations import NO_AREA, NOT_FINITE

ERROR, WARNING, SUSPICIOUS = "error", "warning", "suspicious"
LEVELS = (ERROR, WARNING, SUSPICIOUS)

NEAR_DUPLICATE_IOU = 0.9
TINY_SIDE = 4  # pixels
EXTREME_RATIO = 15
MANY_INVERTED = 0.05  # share of a file's boxes
WHOLE_IMAGE = 0.95  # share of its area


@dataclass(frozen=True)
class Kind:
    """What all findings of a kind have in common.

    Args:
        level (str): ``error``: training or evaluation stops at it or leaves something out; ``warning``: worth knowing;
            ``suspicious``: allowed, and often right, but worth a look.
        name (str): a few words.
        meaning (str): its definition, one sentence.
    """

    level: str
    name: str
    meaning: str


UNREADABLE = Kind(ERROR, "unreadable entry, unknown id or wrong type", "A row that the data set's reader refuses.")
LISTED_TWICE = Kind(ERROR, "image listed twice", "Two entries of the file name the same image.")
TWO_SPLITS = Kind(
    ERROR,
    "image of two splits",
    "An image that an earlier split holds too, by the content of its file; by its path where no files are read.",
)
BAD_BOX = {
    NOT_FINITE: Kind(ERROR, f"bad box, {NOT_FINITE}", "A coordinate is no finite number."),
    NO_AREA: Kind(ERROR, f"bad box, {NO_AREA}", "The box has no area."),
}
OUT_OF_RANGE = Kind(ERROR, "pair out of range", "subject_id or object_id is no position in the image's list of boxes.")
IMAGE_MISSING = Kind(ERROR, "image missing", "There is no such file in the image folder.")
IMAGE_OUTSIDE = Kind(ERROR, "image outside of the folder", "The name leads out of the image folder; it is not read.")
IMAGE_UNREADABLE = Kind(ERROR, "image unreadable", "The file can't be decoded to its end.")
IMAGE_TOO_LARGE = Kind(
    ERROR, "image too large", "The image has more pixels than Pillow reads (PIL.Image.MAX_IMAGE_PIXELS)."
)
BOX_OUTSIDE = Kind(ERROR, "box outside of the image", "No part of the box lies in the image.")

NO_HOI_AT_ALL = Kind(
    ERROR,
    "no HOI in the whole file",
    "No image of the split has an HOI: there is nothing to train on, and metrics are nan.",
)

CORNER_AND_SIZE = Kind(
    WARNING,
    "boxes as x, y, width, height?",
    "Many boxes have x2 < x1 or y2 < y1, as boxes of a corner and a size do where x1, y1, x2, y2 is expected.",
)
BOX_REPEATED = Kind(
    WARNING, "box repeated", "Two boxes of an image have the same class and exactly the same coordinates."
)
MANY_BOXES = Kind(WARNING, "many boxes", "The image has more boxes than training keeps (dataset.max_boxes).")
HOI_REPEATED = Kind(WARNING, "HOI repeated", "The same subject, object and verb are listed twice in an image.")
OWN_OBJECT = Kind(WARNING, "subject is its own object", "subject_id equals object_id.")
UNUSUAL_SUBJECT = Kind(
    WARNING,
    "unusual subject class",
    "The subject of an HOI is no person. Models predict no class of subjects: training takes it for one.",
)
FORBIDDEN = Kind(
    WARNING,
    "forbidden combination",
    "The data set's verb-object table says that the verb does not go with the object: scores masked by it can't find "
    "the triplet.",
)
TURNED = Kind(
    WARNING,
    "image stored turned",
    "The file's EXIF orientation says that viewers turn it, as phones store photographs. Boxes must be in the frame "
    "that dataset.upright names: the upright image, or the stored pixels.",
)
BOX_LEAVES = Kind(WARNING, "box leaves the image", "The box reaches more than a pixel over the image's edge.")
TWO_NAMES = Kind(WARNING, "same picture under two names", "Two image files of a split have the same content.")

NEAR_DUPLICATE = Kind(
    SUSPICIOUS,
    "nearly equal boxes",
    f"Two boxes of the same class in one image, not equal, with an IoU of at least {NEAR_DUPLICATE_IOU}.",
)
SAME_PLACE = Kind(
    SUSPICIOUS,
    "subject and object in one place",
    f"The boxes of a pair have an IoU of at least {NEAR_DUPLICATE_IOU}.",
)
TINY_BOX = Kind(SUSPICIOUS, "tiny box", f"A side of the box is shorter than {TINY_SIDE} pixels.")
EXTREME_SHAPE = Kind(SUSPICIOUS, "extreme shape", f"A box more than {EXTREME_RATIO} times as long as wide.")
COVERS_IMAGE = Kind(SUSPICIOUS, "box covers the image", f"A box over at least {WHOLE_IMAGE:.0%} of the image's area.")
NO_HOI = Kind(SUSPICIOUS, "image without HOI", "Nothing is annotated in it but, at most, boxes.")

KINDS = {kind.name: kind for kind in (*BAD_BOX.values(), *globals().values()) if isinstance(kind, Kind)}
