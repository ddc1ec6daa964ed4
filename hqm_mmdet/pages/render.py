"""From a template and data to one HTML file."""

import base64
import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from hqm_mmdet.utils.atomic_io import write_atomically
from hqm_mmdet.version import __version__
from hqm_mmdet.visualization.drawing import PALETTE

from . import formats

STATIC = Path(__file__).parent / "static"
# Joined in this order: each may use what stands before it.
KIT_SCRIPTS = ("dom", "format", "filters", "table", "overlay", "figures", "lightbox", "plot", "page")


@dataclass(frozen=True)
class Section:
    """A part of a page, listed in its table of contents.

    Args:
        id (str): fragment of its address; ``errors`` for ``index.html#errors``.
        title (str): heading.
        template (str): body, below ``templates/``; sees ``section`` and all that the page sees.
        lead (str): a sentence that tells a stranger how to read it.
        content (Mapping): what the template needs besides, as ``section.content``.
    """

    id: str
    title: str
    template: str
    lead: str
    content: Mapping = field(default_factory=dict)


def render_page(
    template: str, title: str, sections: Sequence[Section], data: Mapping, assets: Sequence[str] = (), **context
) -> str:
    """One page; every text is escaped where it enters.

    Args:
        template (str): below ``templates/``; extends ``base.html.j2``.
        title (str): of the page.
        sections (Sequence[Section]): in order.
        data (Mapping): what scripts read by ``pageData()``: plain values, numbers finite.
        assets (Sequence[str]): the page's own style and script, ``static/NAME.css`` and ``static/NAME.js``.
        **context: further variables of the template.

    Returns:
        str: HTML.

    Raises:
        ValueError: a number of ``data`` is not finite.
    """
    script = _joined([f"kit/{name}.js" for name in KIT_SCRIPTS] + [f"{name}.js" for name in assets])
    style = _joined(["kit/base.css", "kit/components.css"] + [f"{name}.css" for name in assets])
    return (
        _environment()
        .get_template(template)
        .render(
            title=title,
            sections=sections,
            data=data,
            style=Markup(style),
            script=Markup(script),
            script_hash=_hash(script),
            version=__version__,
            palette=PALETTE,
            **context,
        )
    )


def write_page(folder: str | Path, html: str) -> Path:
    r"""Write ``folder/index.html``, complete or not at all.

    File names that are no Unicode (Python holds their bytes as lone surrogates) are written as ``\udcfc``.

    Returns:
        Path: the file.

    Raises:
        OSError: it can't be written.
    """
    path = Path(folder) / "index.html"
    write_atomically(path, html.encode(errors="backslashreplace"))
    return path


@lru_cache(maxsize=1)
def _environment() -> Environment:
    environment = Environment(
        loader=PackageLoader("hqm_mmdet.pages"),
        autoescape=True,
        # A misspelt name must fail instead of leaving a gap in the page.
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    # JSON.parse knows no NaN: better an error here than a page that does not start.
    environment.policies["json.dumps_kwargs"] = dict(allow_nan=False, separators=(",", ":"), ensure_ascii=False)
    environment.filters |= dict(
        percent=formats.percent,
        points=formats.points,
        count=formats.count,
        plural=formats.plural,
        share=formats.share,
    )
    return environment


def _joined(names: Sequence[str]) -> str:
    """Files of ``static/``, one after the other; a page may have a style only, or a script only."""
    files = [STATIC / name for name in names]
    return "\n".join(file.read_text(encoding="utf-8") for file in files if file.is_file())


def _hash(script: str) -> str:
    """What the page's security policy knows its one script by; any other script does not run."""
    return base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
