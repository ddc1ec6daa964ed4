"""Pages with a complete example: its files, taken from the page, in a folder with the project's configs."""

import re
import shutil
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from hqm_mmdet import registry
from tests.conftest import REPOSITORY


@contextmanager
def page_example(page: str, folder: Path, names: list[str], registered: str) -> Iterator[Path]:
    """Write the example of ``docs/<page>`` into ``folder``; its module can be imported and is forgotten afterwards.

    Args:
        page (str): name of the page.
        folder (Path): an empty folder.
        names (list[str]): files that the page must hold, in this order; the first one is the module.
        registered (str): name of the component that the module registers.
    """
    text = (REPOSITORY / "docs" / page).read_text(encoding="utf-8")
    files = re.findall(r"```python\n# (\S+\.py)\n(.+?)```", text, re.DOTALL)
    assert [name for name, _ in files] == names
    shutil.copytree(REPOSITORY / "configs", folder / "configs")
    for name, content in files:
        (folder / name).write_text(content, encoding="utf-8")
    sys.path.insert(0, str(folder))
    try:
        yield folder
    finally:
        sys.path.remove(str(folder))
        sys.modules.pop(names[0].removesuffix(".py"), None)
        for room in (registry.MODELS, registry.DATASETS, registry.METRICS):
            room.module_dict.pop(registered, None)
