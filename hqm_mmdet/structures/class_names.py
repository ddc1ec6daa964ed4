"""One vocabulary in terms of another one, by name."""

from collections.abc import Sequence

from hqm_mmdet.errors import UserError


class ClassNameError(UserError, ValueError):
    """A detector whose classes are not those of the data set; the message names them."""


def match_class_names(classes: Sequence[str], detector_classes: Sequence[str]) -> list[int]:
    """Data set label of every label of a detector, -1 for none.

    Underscores and spaces are the same, and so are capitals and small letters.

    Args:
        classes (Sequence[str]): of the data set, in label order.
        detector_classes (Sequence[str]): of the detector, in label order.

    Raises:
        ClassNameError: the detector lacks a class of the data set, or names one twice.
    """
    theirs = [_plain(name) for name in detector_classes]
    repeated = sorted({name for name in theirs if theirs.count(name) > 1})
    missing = [name for name in classes if _plain(name) not in theirs]
    if missing or repeated:
        raise ClassNameError(
            f"The detector's {len(theirs)} classes lack {missing} of the data set's {len(classes)}, and name "
            f"{repeated} more than once. Use a detector of the data set's classes, or name them in detector_classes."
        )
    ours = {_plain(name): label for label, name in enumerate(classes)}
    return [ours.get(name, -1) for name in theirs]


def plain_name(name: str | None) -> str | None:
    """A class or verb as people write it; None (no object) stays None.

    >>> plain_name("sit_on"), plain_name(None)
    ('sit on', None)
    """
    return None if name is None else name.replace("_", " ")


def _plain(name: str) -> str:
    return plain_name(name).lower()
