"""The pages of the documentation as tests read them: commands, links, names of files."""

import re
import shlex
from collections.abc import Iterator
from itertools import groupby, product
from pathlib import Path

from tests.conftest import REPOSITORY

DOCS = REPOSITORY / "docs"
PAGES = [REPOSITORY / name for name in ("README.md", "CHANGELOG.md", "CONTRIBUTING.md")] + sorted(DOCS.rglob("*.md"))
FENCE = re.compile(r"^```(\S*)\n(.*?)^```", re.DOTALL | re.MULTILINE)
ENDS = {"&&", "||", ";", "|", "&"}  # of a command
ASSIGNMENT = re.compile(r"[A-Z_]+=\S*$")


def commands(page: Path) -> list[list[str]]:
    """Words of every command in the page's ``bash`` blocks, without comments and variables set in front."""
    lines = []
    for language, text in FENCE.findall(page.read_text(encoding="utf-8")):
        if language == "bash":
            lines += text.replace("\\\n", " ").splitlines()
    words = [list(group) for line in lines for last, group in groupby(tokens(line), ENDS.__contains__) if not last]
    return [stripped for part in words if (stripped := without_variables(part))]


def tokens(line: str) -> shlex.shlex:
    """Words of a shell line, quotes resolved, comment dropped; ``&&``, ``;`` and the like are words."""
    lexer = shlex.shlex(line, posix=True, punctuation_chars=True)
    lexer.whitespace_split = True
    return lexer


def without_variables(words: list[str]) -> list[str]:
    """Words from the command's name on."""
    start = next((i for i, word in enumerate(words) if not ASSIGNMENT.match(word)), len(words))
    return words[start:]


def code_spans(page: Path) -> list[str]:
    """Texts in back quotes, outside of blocks."""
    return re.findall(r"`([^`\n]+)`", FENCE.sub("", page.read_text(encoding="utf-8")))


def links(page: Path) -> Iterator[tuple[Path, str]]:
    """Target and anchor of every link and picture that stays in the repository."""
    text = FENCE.sub("", page.read_text(encoding="utf-8"))
    for target in re.findall(r"\]\(([^)\s]+)\)", re.sub(r"`[^`\n]*`", "", text)):
        if "://" not in target:
            file, _, anchor = target.partition("#")
            yield ((page.parent / file).resolve() if file else page), anchor


def anchors(page: Path) -> set[str]:
    """Anchors of a page's headings, as code hosts and MyST make them."""
    headings = re.findall(r"^#+ (.+)$", FENCE.sub("", page.read_text(encoding="utf-8")), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


def config_names(page: Path) -> Iterator[str]:
    """Paths of configs and scripts that a page names; ``{a,b}`` and ``[_a]`` are written out, ``*`` stays."""
    text = page.read_text(encoding="utf-8")
    made_here = set(re.findall(r"```python\n# (configs/\S+)", text))
    for name in re.findall(r"(?<![\w/])(?:configs|tools|benchmarks|tests)/[\w/{},\[\]*-]+\.(?:py|sh)\b", text):
        yield from (path for path in written_out(name) if path not in made_here)


def written_out(name: str) -> list[str]:
    """``a{b,c}[_d]`` -> ab, ab_d, ac, ac_d."""
    parts = re.split(r"(\{[^}]*\}|\[[^\]]*\])", name)
    choices = [p[1:-1].split(",") if p[:1] == "{" else ["", p[1:-1]] if p[:1] == "[" else [p] for p in parts]
    return ["".join(words) for words in product(*choices)]
