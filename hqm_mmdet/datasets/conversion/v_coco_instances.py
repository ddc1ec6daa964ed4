"""V-COCO as JSON of fredzzhang/vcoco, which UPT, PViC and SCG read."""

from collections.abc import Mapping

from rich.progress import track

from ..file_hints import looks_like
from ..problems import AnnotationError
from .pairs import pair_entry

KEYS = ("annotations", "classes", "images")


def vcoco_instances_entries(content: Mapping, table: Mapping, file: str, progress: bool = False) -> list[dict]:
    """HOIA-style entries of ``instances_vcoco_{train,val,trainval,test}.json``, images without pair included.

    The format knows 24 actions with an object: HOIs without object, and those of ``point``, are not in it. So trained
    models are those of UPT's protocol; V-COCO's evaluation needs the official files.

    Args:
        content (Mapping): of the file: ``annotations``, one per image with ``file_name`` and the equally long
            ``boxes_h``, ``boxes_o``, ``actions`` (positions in ``classes``), ``objects`` (COCO's ids); ``classes``.
        table (Mapping): metainfo of V-COCO.
        file (str): its name, for messages.
        progress (bool): show a progress bar. Default: False.

    Raises:
        AnnotationError: another structure or other names.
    """
    if not isinstance(content, Mapping) or any(key not in content for key in KEYS):
        raise AnnotationError(
            f"{file}: no instances file of fredzzhang/vcoco (keys {', '.join(KEYS)}).{looks_like(file)}"
        )
    names = [str(name).replace(" ", "_") for name in content["classes"]]
    if unknown := sorted(set(names) - set(table["verbs"])):
        raise AnnotationError(f"{file}: actions {unknown} are not V-COCO's. Is it a file of fredzzhang/hicodet?")
    verbs = [table["verbs"].index(name) for name in names]
    labels = {category: label for label, category in enumerate(table["category_ids"])}
    entries = []
    for n, image in enumerate(track(content["annotations"], "V-COCO images", disable=not progress)):
        try:
            columns = (image[key] for key in ("boxes_h", "boxes_o", "objects", "actions"))
            rows = [(h, o, labels[int(obj)], verbs[action]) for h, o, obj, action in zip(*columns, strict=True)]
            entries.append(pair_entry(image["file_name"], rows, table))
        except (KeyError, IndexError, TypeError, ValueError) as error:
            raise AnnotationError(
                f"{file}: image {n}: {type(error).__name__} {error}; boxes_h, boxes_o, actions and objects must be "
                "lists of one length, with the file's actions and COCO's ids."
            ) from error
    return entries
