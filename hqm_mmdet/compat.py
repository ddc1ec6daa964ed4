"""The only place that knows of OpenMMLab's version quirks, besides ``internals`` (private names that are read).

Imported before anything else of the package. It checks that one working stack is installed, makes
mmdet importable without compiled ops, makes checkpoint loading refuse code on every stack (``mmengine_doors``), and
makes mmengine find the project's configs (``config_addresses``).

Two stacks are supported; both own the import names ``mmdet``, ``mmengine`` and ``mmcv``, so an
environment holds exactly one of them:

* default: OpenMMLab's own mmdet, mmengine, and mmcv-lite (or mmcv with compiled ops);
* onedl: the maintained forks onedl-mmdetection, onedl-mmengine, onedl-mmcv.

``requirements/constraints*.txt`` name the versions that the whole suite passes with: mmdet 3.3.0, mmengine 0.10.7,
mmcv-lite 2.1.0; onedl-mmdetection 3.5.1, onedl-mmengine 0.10.12, onedl-mmcv 2.3.6. :data:`SERIES` is what is accepted.
"""

import importlib.machinery
import importlib.metadata
import importlib.util
import re
import sys
import types

from .config_addresses import open_config_addresses
from .mmengine_doors import secure_checkpoint_loading
from .plain_ops import PLAIN_OPS

DEFAULT_STACK = ("mmdet", "mmengine", ("mmcv-lite", "mmcv"))
ONEDL_STACK = ("onedl-mmdetection", "onedl-mmengine", ("onedl-mmcv",))
# From (included) to (excluded). mmdet 3.0 and 3.1 refuse mmcv 2.1, and 3.3 refuses mmcv 2.2. Models, hooks and
# inference passed their tests with mmdet 3.2.0, and with mmengine 0.9.1. Of the forks, nothing older was tried.
SERIES = {
    "default": {"mmdet": ((3, 2), (3, 4)), "mmengine": ((0, 9), (0, 11)), "mmcv": ((2, 0), (2, 2))},
    "onedl": {"mmdet": ((3, 5), (4, 0)), "mmengine": ((0, 10), (1, 0)), "mmcv": ((2, 3), (3, 0))},
}
INSTALL_HINT = (
    "Install one stack into a fresh environment: "
    "`pip install 'torch>=2.1' 'setuptools<82' mmdet==3.3.0 mmengine==0.10.7 mmcv-lite==2.1.0`, or the forks "
    "`pip install 'torch>=2.1' onedl-mmdetection onedl-mmengine onedl-mmcv`. See README, Installation."
)


def installed_version(name: str) -> str | None:
    """Version of an installed distribution, or None."""
    try:
        return importlib.metadata.version(name)
    except importlib.metadata.PackageNotFoundError:
        return None


def installed_stacks() -> dict[str, dict[str, str | None]]:
    """Versions of every stack of which at least one distribution is installed.

    Returns:
        dict: ``{'default': {'mmdet': '3.3.0', 'mmengine': '0.10.7', 'mmcv': '2.1.0'}}``, None for what is missing.
    """
    found = {}
    for stack, names in (("default", DEFAULT_STACK), ("onedl", ONEDL_STACK)):
        versions = [next(filter(None, map(installed_version, (n,) if isinstance(n, str) else n)), None) for n in names]
        if any(versions):
            found[stack] = dict(zip(("mmdet", "mmengine", "mmcv"), versions, strict=True))
    return found


def check_stack() -> str:
    """Name of the installed OpenMMLab stack, ``'default'`` or ``'onedl'``.

    Raises:
        ImportError: no stack, an incomplete one, both at once, or a version that can't work; the message says what to
            install.
    """
    found = installed_stacks()
    # Both at once import without a word, and half of one stack then runs on half of the other.
    if len(found) != 1:
        state = "no OpenMMLab stack is" if not found else f"two OpenMMLab stacks are ({found})"
        raise ImportError(f"hqm_mmdet: {state} installed. {INSTALL_HINT}")
    stack, versions = found.popitem()
    missing = [name for name, version in versions.items() if version is None]
    if missing:
        raise ImportError(f"hqm_mmdet: {', '.join(missing)} of the {stack} stack not installed. {INSTALL_HINT}")
    for name, (first, beyond) in SERIES[stack].items():
        if not first <= series(versions[name]) < beyond:
            accepted = f"{first[0]}.{first[1]} or newer, below {beyond[0]}.{beyond[1]}"
            raise ImportError(
                f"hqm_mmdet: needs {name} {accepted}, found {versions[name]} of the {stack} stack. {INSTALL_HINT}"
            )
    return stack


def series(version: str) -> tuple[int, int]:
    """``3.3.0`` -> (3, 3); also of pre-releases and local builds, ``2.1.0rc1+cu121``."""
    major, minor = re.match(r"(\d+)\.(\d+)", version).groups()
    return int(major), int(minor)


class _MissingOps(types.ModuleType):
    """Stands in for ``mmcv._ext``: importable; an op raises when called, unless ``plain_ops`` has it."""

    def __getattr__(self, name: str):
        if name.startswith("__"):
            raise AttributeError(name)

        def missing_op(*args, **kwargs):
            raise NotImplementedError(
                f"The compiled op `{name}` of mmcv was called, but this mmcv holds no compiled ops. hqm_mmdet's own "
                "models need none, and a few have a plain version; for mmdet models that need more, install `mmcv` "
                "with ops for your torch and CUDA version."
            )

        return missing_op


def provide_missing_ops() -> bool:
    """Put a placeholder in place of a missing ``mmcv._ext``; True if one was needed.

    mmdet imports mmcv's op wrappers at import time, whether or not a model uses them. What ``plain_ops`` has works.
    """
    if "mmcv._ext" in sys.modules or importlib.util.find_spec("mmcv._ext") is not None:
        return isinstance(sys.modules.get("mmcv._ext"), _MissingOps)
    placeholder = _MissingOps("mmcv._ext", "Placeholder for mmcv's compiled ops.")
    vars(placeholder).update(PLAIN_OPS)
    # Without a spec, mmengine's question whether there are compiled ops fails; without a loader, its answer is no.
    placeholder.__spec__ = importlib.machinery.ModuleSpec("mmcv._ext", loader=None)
    sys.modules["mmcv._ext"] = placeholder
    return True


def setup() -> str:
    """Apply everything; returns the name of the stack."""
    stack = check_stack()
    provide_missing_ops()
    secure_checkpoint_loading()
    open_config_addresses()
    return stack
