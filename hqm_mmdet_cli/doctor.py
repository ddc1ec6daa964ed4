"""``hqm-mmdet doctor``: what is installed, what is missing, and the command that cures it.

Imports neither the package nor OpenMMLab: it is for environments where that fails.
"""

import importlib
import importlib.metadata
import platform
import re
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import click

ROOT = Path(__file__).resolve().parents[1]
PYTHONS = (3, 10), (3, 13)
STACKS = {
    "default": {"mmdet": "mmdet==3.3.0", "mmengine": "mmengine==0.10.7", "mmcv-lite": "mmcv-lite==2.1.0"},
    "onedl": {name: name for name in ("onedl-mmdetection", "onedl-mmengine", "onedl-mmcv")},
}
# What `import hqm_mmdet` accepts of each (a test compares): from (included), to (excluded).
SERIES = {
    "default": {"mmdet": ((3, 2), (3, 4)), "mmengine": ((0, 9), (0, 11)), "mmcv": ((2, 0), (2, 2))},
    "onedl": {"mmdet": ((3, 5), (4, 0)), "mmengine": ((0, 10), (1, 0)), "mmcv": ((2, 3), (3, 0))},
}
# What requirements/base.txt names (a test compares), torch apart.
REQUIRED = ("click", "jinja2", "matplotlib", "numpy", "pillow", "pycocotools", "safetensors", "scipy", "tensorboard")
OPTIONAL = {
    "onnx": "hqm-mmdet export",
    "onnxruntime": "running and checking exported files",
    "gradio": "hqm-mmdet demo",
}


@dataclass
class Finding:
    """One line of the report.

    Args:
        name (str): what was looked at.
        value (str): what was found.
        cure (str, optional): the command that mends it; None if nothing is wrong.
        problem (bool): whether it stops the package from working; otherwise ``cure`` is a suggestion.
    """

    name: str
    value: str
    cure: str | None = None
    problem: bool = False


@click.command()
def doctor() -> None:
    """Say what is installed, what is missing, and the command that cures it.

    Exit status 1: something must be mended.
    """
    findings = examine()
    for finding in findings:
        sign = "x" if finding.problem else "-" if finding.cure else " "
        click.echo(f"{sign} {finding.name:<22} {finding.value}")
    for finding in findings:
        if finding.cure:
            click.echo(f"\n{'To mend' if finding.problem else 'If you want'} {finding.name}:\n  {finding.cure}")
    problems = sum(finding.problem for finding in findings)
    click.echo(f"\n{problems} problems." if problems else "\nAll that is needed is there.")
    sys.exit(bool(problems))


def examine() -> list[Finding]:
    """All findings. The package itself is tried last, and only if nothing else is wrong."""
    findings = [check_python(), *check_stack(), *check_torch(), *check_distributions()]
    # With a known problem, its error would only hide the cure above it.
    if not any(finding.problem for finding in findings):
        findings.append(check_import())
    return findings


def check_python() -> Finding:
    """Version of Python."""
    value = f"{platform.python_version()} on {platform.platform()}"
    if PYTHONS[0] <= sys.version_info[:2] <= PYTHONS[1]:
        return Finding("Python", value)
    return Finding("Python", value, "python3.12 -m venv .venv   # any of Python 3.10 to 3.13", problem=True)


def check_stack() -> list[Finding]:
    """Versions of OpenMMLab's packages: of one stack, complete, fitting each other."""
    found = {stack: {name: version(name) for name in names} for stack, names in STACKS.items()}
    found["default"]["mmcv-lite"] = found["default"]["mmcv-lite"] or version("mmcv")
    present = [stack for stack, versions in found.items() if any(versions.values())]
    if not present:
        return [Finding("OpenMMLab stack", "none", f"pip install {' '.join(STACKS['default'].values())}", problem=True)]
    if len(present) > 1:
        others = " ".join(name for name, number in found["onedl"].items() if number)
        repair = " ".join(STACKS["default"].values())
        cure = f"pip uninstall {others} && pip install --force-reinstall --no-deps {repair}   # or a fresh environment"
        return [Finding("OpenMMLab stack", "two, which share their import names", cure, problem=True)]
    (stack,) = present
    findings = [Finding("OpenMMLab stack", stack)]
    for name, number in found[stack].items():
        wrong = number is None or not fits(stack, name, number)
        cure = f"pip install {STACKS[stack][name]}" if wrong else None
        findings.append(Finding(name, number or "missing", cure, problem=wrong))
    return findings + (check_setuptools() if stack == "default" else [])


def fits(stack: str, name: str, number: str) -> bool:
    """Whether a package of a stack is of a series that works with the others."""
    package = {"onedl-mmdetection": "mmdet"}.get(name, name.removeprefix("onedl-").removesuffix("-lite"))
    first, beyond = SERIES[stack][package]
    return first <= tuple(int(part) for part in re.findall(r"\d+", number)[:2]) < beyond


def check_setuptools() -> list[Finding]:
    """mmengine 0.10 uses ``pkg_resources``, which setuptools 82 removed."""
    number = version("setuptools")
    wrong = number is None or int(number.split(".")[0]) >= 82
    return [Finding("setuptools", number or "missing", "pip install 'setuptools<82'" if wrong else None, problem=wrong)]


def check_torch() -> list[Finding]:
    """PyTorch, its build and the GPUs that it sees."""
    try:
        torch = importlib.import_module("torch")
    except (ImportError, OSError) as error:
        return [Finding("torch", f"can't be imported: {error}", "pip install 'torch>=2.1'", problem=True)]
    old = tuple(int(part) for part in torch.__version__.split(".")[:2]) < (2, 1)
    build = f"CUDA {torch.version.cuda}" if torch.version.cuda else "CPU build"
    value = f"{torch.__version__} ({build})"
    return [
        Finding("torch", value, "pip install --upgrade 'torch>=2.1'" if old else None, problem=old),
        check_gpu(torch),
    ]


def check_gpu(torch) -> Finding:
    """GPUs, and why a present one is not used."""
    if torch.cuda.is_available():
        names = [torch.cuda.get_device_name(i) for i in range(torch.cuda.device_count())]
        return Finding("GPU", ", ".join(names))
    if shutil.which("nvidia-smi") is None:
        return Finding("GPU", "none; the CPU works for everything")
    if torch.version.cuda is None:
        cure = "pip uninstall torch && pip install torch   # on Linux PyPI has the CUDA build; else see pytorch.org"
        return Finding("GPU", "there is a driver, but torch is a CPU build", cure)
    return Finding(
        "GPU", "torch can't use it", "nvidia-smi   # its driver must be as new as torch's CUDA, see pytorch.org"
    )


def check_distributions() -> list[Finding]:
    """The other packages."""
    findings = []
    for name in REQUIRED:
        number = version(name)
        cure = None if number else f"pip install {name}"
        findings.append(Finding(name, number or "missing", cure, problem=number is None))
    for name, purpose in OPTIONAL.items():
        number = version(name)
        findings.append(Finding(name, number or f"missing; for {purpose}", None if number else f"pip install {name}"))
    return findings


def check_import() -> Finding:
    """Whether the package can be imported; in a process of its own, which may fail as it likes."""
    code = "import hqm_mmdet; print(hqm_mmdet.__version__, 'in', hqm_mmdet.__path__[0])"
    command = [sys.executable, "-c", f"import sys; sys.path.insert(0, {str(ROOT)!r}); {code}"]
    done = subprocess.run(command, capture_output=True, text=True)
    if done.returncode == 0:
        return Finding("hqm_mmdet", done.stdout.strip())
    reason = (done.stderr.strip().splitlines() or [f"exit status {done.returncode}"])[-1]
    cure = "make a fresh environment: README, Installation; the whole story: python -c 'import hqm_mmdet'"
    return Finding("hqm_mmdet", f"can't be imported: {reason}", cure, problem=True)


def version(name: str) -> str | None:
    """Version of an installed distribution."""
    try:
        return importlib.metadata.version(name)
    except importlib.metadata.PackageNotFoundError:
        return None
