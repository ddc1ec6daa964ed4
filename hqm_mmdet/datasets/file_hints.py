"""What a file that can't be read looks like, and the way out: formats of other code bases, leftovers of dead links."""

import gzip
import json
import re
import zlib
from pathlib import Path

from scipy.io.matlab import MatReadError

from hqm_mmdet_cli.installation import command

# What scipy raises for files that are no MATLAB files of the expected structure, or damaged ones.
MAT_ERRORS = (
    MatReadError,
    LookupError,
    AttributeError,
    ValueError,
    TypeError,
    OSError,
    NotImplementedError,
    zlib.error,
)
HEAD = 8192  # bytes that are looked at
CONVERTER = command("to-hoia")

# A pattern of the file's beginning -> what it is, and what to do. The first that fits counts.
LOOKS = {
    r"\Aversion https://git-lfs": "It is a Git LFS pointer, not the file itself: run `git lfs pull` in its repository, "
    "or download the file.",
    r"<annotations>": f"It looks like CVAT's XML: convert it with `{CONVERTER} cvat`.",
    r'"rectanglelabels"': f"It looks like Label Studio's export: convert it with `{CONVERTER} label-studio`.",
    r"(?i)\A\s*<(!doctype|html|\?xml)": "It is a web page, as dead links leave it: download the file again, by hand.",
    r'"gtboxes"': f"It looks like HoiTransformer's annotations (.odgt): convert them with `{CONVERTER} odgt`.",
    r'"boxes_h".*"actions"': "It looks like V-COCO of fredzzhang/vcoco: convert it with "
    f"`{CONVERTER} vcoco-instances`.",
    r'"boxes_h".*"(hoi|verb)"': f"It looks like HICO-DET of fredzzhang/hicodet: convert it with `{CONVERTER} hicodet`.",
    r'"action_name"': "It looks like V-COCO's official labels: VCOCODataset reads them with coco_file, and "
    f"`{CONVERTER} vcoco` converts them.",
    r'"hoi_prediction"': "It looks like a prediction file: `hqm-mmdet eval` takes it, with annotations as --ann-file.",
    r'"hoi_annotation"': "It looks like an annotation file, not like predictions: give it as --ann-file.",
    r'"h_box".*"o_box"': "It looks like HoiTransformer's results as lines of JSON: `hqm-mmdet eval` reads them from a "
    "file whose name ends in .json.",
    r'"image_id".*"score"': "It looks like COCO's detection results: boxes, but no pairs of them. A two-stage model "
    "takes them as dataset.detections (docs/two_stage.md).",
    r'"(categories|licenses|images)"\s*:': "It looks like a COCO file: boxes, but no pairs of them (docs/own_data.md).",
}


def looks_like(path: str | Path, expected: str = "") -> str:
    """A sentence or two about a file that could not be read, with a space in front; empty if nothing is known.

    Args:
        path (str | Path): the file.
        expected (str): a key of the format that was expected, which is no hint: ``hoi_annotation``, ``hoi_prediction``.
    """
    if not Path(path).is_file():
        return ""
    head = _head(path)
    if not head:
        return " The file is empty: copy or download it again."
    text = head.decode("utf-8", "replace")
    looks = {pattern: hint for pattern, hint in LOOKS.items() if pattern != f'"{expected}"'}
    return next((f" {hint}" for pattern, hint in looks.items() if re.search(pattern, text, re.DOTALL)), "")


def json_hint(error: Exception) -> str:
    """What is wrong with JSON that Python's message does not say, with a space in front; empty if nothing is known."""
    if isinstance(error, json.JSONDecodeError):
        before, rest = error.doc[: error.pos].rstrip(), error.doc[error.pos :].lstrip()
        # The position is behind the comma; Python 3.13 names the comma itself.
        if before.endswith(",") and rest[:1] in ("]", "}"):
            return f" A comma before the closing `{rest[0]}` is no JSON: take it out."
        if rest.startswith(",") and rest[1:].lstrip()[:1] in ("]", "}"):
            return " A comma before a closing bracket is no JSON: take it out."
        if error.msg.startswith("Extra data"):
            return " Something follows the end of the list: take it out."
    return ""


def _head(path: str | Path) -> bytes:
    """The beginning, of a compressed file what it holds."""
    with open(path, "rb") as file:
        head = file.read(HEAD)
    if head[:2] != b"\x1f\x8b":
        return head
    try:
        with gzip.open(path) as file:
            return file.read(HEAD)
    except (OSError, EOFError, zlib.error):
        return head
