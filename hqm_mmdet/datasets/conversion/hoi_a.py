"""HOI-A as published, a dialect of the HOIA-style format."""

from collections.abc import Sequence

from rich.progress import track

from ..problems import AnnotationError


def hoia_entries(entries: Sequence[dict], file: str = "annotations", progress: bool = False) -> list[dict]:
    """Entries with integer ids and the format's own keys only.

    HOI-A writes object ids as strings and may hold more per image; :class:`~hqm_mmdet.datasets.HOIADataset` reads it as
    it is. Other code wants integers.

    Args:
        entries (Sequence[dict]): content of ``train_2019.json`` or ``test_2019.json``.
        file (str): its name, for messages.
        progress (bool): show a progress bar.

    Raises:
        AnnotationError: a key is missing, or an id is no integer.
    """
    return [_entry(i, raw, file) for i, raw in enumerate(track(entries, "HOI-A images", disable=not progress))]


def _entry(position: int, raw: dict, file: str) -> dict:
    try:
        boxes = [dict(bbox=list(box["bbox"]), category_id=int(box["category_id"])) for box in raw["annotations"]]
        keys = ("subject_id", "object_id", "category_id")
        hois = [{key: int(hoi[key]) for key in keys} for hoi in raw["hoi_annotation"]]
        return dict(file_name=raw["file_name"], annotations=boxes, hoi_annotation=hois)
    except (KeyError, TypeError, ValueError) as error:
        raise AnnotationError(
            f"{file}: entry {position}: {type(error).__name__} {error}; expected file_name, annotations (bbox, "
            "category_id) and hoi_annotation (subject_id, object_id, category_id). Correct the entry."
        ) from error
