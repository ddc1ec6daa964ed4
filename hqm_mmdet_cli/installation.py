"""How things are called here: remedies in messages depend on whether this is a checkout or an installed package."""

import importlib.metadata
import shlex
import sys
from functools import cache
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]


def is_checkout() -> bool:
    """Whether the package runs from a checkout, editable installations included."""
    return (ROOT / "configs").is_dir() and (ROOT / "setup.py").is_file()


def project_root() -> Path:
    """The folder that holds ``configs/`` and ``tools/``: the checkout, or ``.mim`` in the installed package."""
    return ROOT if is_checkout() else ROOT / "hqm_mmdet" / ".mim"


def command(line: str) -> str:
    """``hqm-mmdet LINE`` as one types it here; a checkout that is not installed has no such program."""
    return f"hqm-mmdet {line}" if _is_installed() else f"python -m hqm_mmdet_cli {line}"


def install_extra(name: str) -> str:
    """The command that installs an extra."""
    return f"pip install -e '.[{name}]'" if is_checkout() else f"pip install 'hqm_mmdet[{name}]'"


def script(name: str) -> Path:
    """A script of ``tools/``: below the checkout, or where the installed package keeps it."""
    return project_root() / "tools" / name


def resume_command() -> str:
    """The command that this process was started with, with ``--resume``."""
    program, *words = sys.argv
    if "--resume" in words:  # with or without a checkpoint, which would be older than the one to go on from
        position = words.index("--resume")
        del words[position : position + 1 + (position + 1 < len(words) and not words[position + 1].startswith("-"))]
    name = Path(program).name
    start = (
        "python -m hqm_mmdet_cli" if name == "__main__.py" else f"python {program}" if name.endswith(".py") else name
    )
    return f"{start} {shlex.join(words)} --resume"


@cache
def _is_installed() -> bool:
    try:
        importlib.metadata.version("hqm_mmdet")
    except importlib.metadata.PackageNotFoundError:
        return False
    return True
