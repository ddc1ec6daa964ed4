"""The project's own configs, in a checkout or in an installed package."""

from pathlib import Path

from .installation import command, project_root
from .nearest import nearest


def project_configs() -> dict[str, Path]:
    """The project's configs by name, ``qpic_hqm_toy``; fragments (``_base_``) are none."""
    files = sorted((project_root() / "configs").rglob("*.py"))
    return {file.stem: file for file in files if "_base_" not in file.parts}


def find_config(config: str) -> Path:
    """Path of a config: a file here, one in the project, or the name of one of the project's.

    Args:
        config (str): ``configs/qpic_hqm_toy.py``, ``qpic_hqm_toy.py`` or ``qpic_hqm_toy``.

    Raises:
        FileNotFoundError: no such config; the message names the nearest one.
    """
    root = project_root()
    path = next((place for place in (Path(config), root / config, root / "configs" / config) if place.is_file()), None)
    if path is not None:
        return path
    known, name = project_configs(), Path(config).name.removesuffix(".py")
    # A folder that leads nowhere is a mistake, also where the name at its end is known.
    if name in known and Path(config).name == config:
        return known[name]
    raise FileNotFoundError(
        f"Config {config} does not exist, neither here nor in {root}.{nearest(name, sorted(known))} "
        f"`{command('configs')}` lists them."
    )
