"""Packaging. The OpenMMLab stack is an extra, because there are two: ``pip install '.[default]'`` or ``'.[onedl]'``."""

import re
import shutil
from pathlib import Path

from setuptools import find_packages, setup
from setuptools.command.build_py import build_py

ROOT = Path(__file__).parent
HELPERS = ("step_timing", "launches", "page")  # of benchmarks, which tools need, too
FOR_MIM = ("configs", "tools", *(f"benchmarks/{name}.py" for name in HELPERS), "model-index.yml")
EXTRAS = ("default", "onedl", "clip", "export", "demo", "docs", "tests")


class BuildWithMim(build_py):
    """Puts configs and tools into the built package, where MIM looks for them; the source tree stays as it is."""

    def run(self):
        """Build, then copy."""
        super().run()
        if self.editable_mode:
            return
        target = Path(self.build_lib) / "hqm_mmdet" / ".mim"
        shutil.rmtree(target, ignore_errors=True)
        target.mkdir(parents=True)
        for name in FOR_MIM:
            source = ROOT / name
            if source.is_dir():
                shutil.copytree(source, target / name, ignore=shutil.ignore_patterns("__pycache__", "*.pyc"))
            else:
                (target / name).parent.mkdir(exist_ok=True)
                shutil.copy2(source, target / name)


def requirements(name: str) -> list[str]:
    """Lines of a requirements file."""
    lines = (ROOT / "requirements" / f"{name}.txt").read_text(encoding="utf-8").splitlines()
    return [line for line in lines if line and not line.startswith("#")]


def version() -> str:
    """Version without importing the package, which needs its stack."""
    return re.search(r'__version__ = "(.+)"', (ROOT / "hqm_mmdet" / "version.py").read_text(encoding="utf-8"))[1]


setup(
    name="hqm_mmdet",
    version=version(),
    description="Human-object interaction detection for MMDetection: HQM and the detectors around it",
    long_description=(ROOT / "README.md").read_text(encoding="utf-8") if (ROOT / "README.md").exists() else "",
    long_description_content_type="text/markdown",
    license="Apache-2.0",
    keywords=["computer vision", "human-object interaction", "object detection", "transformer"],
    classifiers=[
        "Operating System :: OS Independent",
        "Programming Language :: Python :: 3",
        *(f"Programming Language :: Python :: 3.{minor}" for minor in range(10, 14)),
    ],
    python_requires=">=3.10,<3.14",
    packages=find_packages(include=["hqm_mmdet", "hqm_mmdet.*", "hqm_mmdet_cli"]),
    package_data={"hqm_mmdet": ["**/*.json", "**/*.j2", "**/*.css", "**/*.js"]},
    install_requires=requirements("base"),
    extras_require={name: requirements(name) for name in EXTRAS},
    entry_points={"console_scripts": ["hqm-mmdet = hqm_mmdet_cli:main"]},
    cmdclass={"build_py": BuildWithMim},
    zip_safe=False,
)
