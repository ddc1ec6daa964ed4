"""HTML of the demo's results. Pictures are part of it, so that nothing is written to disk."""

import base64
import io
import json
from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path

import numpy as np
from jinja2 import Environment, FileSystemLoader
from PIL import Image

from hqm_mmdet.visualization import TripletSelection, sheet_of

from .session import ShownImage

JPEG_QUALITY = 88


def empty_view(examples: bool) -> str:
    """What stands there before the first image; ``examples``: whether there are some to choose from."""
    return _template("empty").render(examples=examples)


def refusal_view(message: str) -> str:
    """Why a file was not taken."""
    return _template("refusal").render(message=message)


def result_view(shown: ShownImage, selection: TripletSelection) -> str:
    """Picture, downloads and the table of interactions."""
    return _template("result").render(
        shown=shown,
        selection=selection,
        filtered=bool(selection.verbs or selection.objects),
        picture=_picture_url(shown.picture),
        picture_name=f"{Path(shown.name).stem}_pairs.jpg",
        json=_url("application/json", json.dumps([shown.entry], indent=1).encode()),
        json_name=f"{Path(shown.name).stem}_pairs.json",
    )


def attention_view(cells: Sequence[tuple[str, np.ndarray]], pair: str, image: str) -> str:
    """A pair's attention.

    Args:
        cells (Sequence[tuple[str, ndarray]]): name and picture: the pair, then its attention in each layer.
        pair (str): describes it.
        image (str): its name.
    """
    return _template("attention").render(
        cells=[(name, _picture_url(cell)) for name, cell in cells],
        pair=pair,
        sheet=_picture_url(sheet_of([cell for _, cell in cells])),
        sheet_name=f"{Path(image).stem}_attention.jpg",
    )


@lru_cache
def _environment() -> Environment:
    return Environment(
        loader=FileSystemLoader(Path(__file__).parent / "templates"),
        autoescape=True,  # names of classes, verbs and files are text, whatever they look like
        trim_blocks=True,
        lstrip_blocks=True,
    )


def _template(name: str):
    return _environment().get_template(f"{name}.html.j2")


def _picture_url(picture: np.ndarray) -> str:
    stream = io.BytesIO()
    Image.fromarray(picture).save(stream, "JPEG", quality=JPEG_QUALITY)
    return _url("image/jpeg", stream.getvalue())


def _url(media_type: str, content: bytes) -> str:
    return f"data:{media_type};base64,{base64.b64encode(content).decode()}"
