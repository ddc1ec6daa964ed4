"""What pages say is there: files, anchors, commands with their options, configs, make targets."""

import ast
import importlib
import pkgutil
import re
from functools import cache

import click
import pytest

import hqm_mmdet
import hqm_mmdet_cli
from hqm_mmdet_cli import COMMANDS
from tests.conftest import REPOSITORY
from tests.doc_pages import DOCS, PAGES, anchors, code_spans, commands, config_names, links, without_variables

SAME = {  # scripts that are commands
    "tools/train.py": "train",
    "tools/test.py": "test",
    "tools/eval_predictions.py": "eval",
    "tools/check_dataset.py": "check-data",
    "tools/detect.py": "detect",
    "tools/model_converters/convert.py": "convert",
    "tools/quickstart.py": "quickstart",
    "tools/dataset_converters/make_toy_hoi.py": "make-toy",
    "tools/dataset_converters/to_hoia.py": "to-hoia",
}
LAUNCHERS = {  # arguments of their own, then those of a command
    "tools/dist_train.sh": ("train", 2, []),
    "tools/dist_test.sh": ("test", 3, ["CHECKPOINT"]),
    "tools/slurm_train.sh": ("train", 4, []),
    "tools/slurm_test.sh": ("test", 5, ["CHECKPOINT"]),
}
BY_NAME = pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(REPOSITORY)))


@BY_NAME
def test_links_and_pictures_exist(page):
    for file, anchor in links(page):
        assert file.is_file(), f"{page.name} links to {file}, which does not exist"
        assert not anchor or anchor in anchors(file), f"{page.name} links to #{anchor}, which {file.name} lacks"


@BY_NAME
def test_links_stay_in_the_folder(page):
    """The site holds docs/ alone."""
    if DOCS in page.parents:
        assert all(DOCS in file.parents for file, _ in links(page))


def test_every_page_is_in_the_navigation_once():
    trees = re.findall(r"```\{toctree\}\n(.*?)```", (DOCS / "index.md").read_text(), re.DOTALL)
    entries = [line for tree in trees for line in tree.splitlines() if line and not line.startswith(":")]
    named = [entry[entry.index("<") + 1 : -1] if entry.endswith(">") else entry for entry in entries]
    assert sorted(named) == sorted(
        page.relative_to(DOCS).with_suffix("").as_posix()
        for page in (*DOCS.rglob("*.md"), *DOCS.rglob("*.ipynb"))
        if page.stem != "index"
    )


def test_reference_has_all_that_packages_export():
    pages = "".join(page.read_text() for page in (DOCS / "api").glob("*.md"))
    named = [importlib.import_module(name) for name in re.findall(r"automodule:: (\S+)", pages)]
    shown = {getattr(module, member) for module in named for member in exported(module)}
    for info in pkgutil.walk_packages(hqm_mmdet.__path__, "hqm_mmdet."):
        package = importlib.import_module(info.name) if info.ispkg else None
        for member in exported(package):
            assert getattr(package, member) in shown, f"{info.name}.{member}"


def exported(module):
    """Names of classes and functions; constants and modules have no docstring of their own."""
    return [member for member in getattr(module, "__all__", ()) if callable(getattr(module, member))]


def test_every_picture_is_shown_and_small():
    shown = {file for page in PAGES for file, _ in links(page)}
    for picture in (DOCS / "images").iterdir():
        assert picture in shown, f"{picture.name} is on no page"
        assert picture.stat().st_size < 400_000, picture.name


@BY_NAME
def test_named_files_exist(page):
    for name in config_names(page):
        if "/_base_/" not in name or "*" not in name:
            assert list(REPOSITORY.glob(name)), f"{page.name} names {name}"


@BY_NAME
def test_commands_parse(page):
    for words in commands(page):
        check(words, f"{page.name}: {' '.join(words)}")


@BY_NAME
def test_commands_in_the_text_exist(page):
    """Commands within a sentence may be incomplete; their names and options are looked up."""
    for span in code_spans(page):
        words = without_variables(span.split())
        if words[:1] == ["hqm-mmdet"] and len(words) > 1 and words[1][0] != "-":
            assert words[1] in COMMANDS, f"{page.name}: {span}"
            assert options(words) <= options_of_command(words[1]), f"{page.name}: {span}"
        elif words[:1] == ["make"] and len(words) > 1:
            assert words[1] in make_targets(), f"{page.name}: {span}"


def check(words, where):
    """Parse a command; those of other programs are not looked at."""
    if words[0] == "make":
        assert {word for word in words[1:] if "=" not in word} <= make_targets(), where
    elif words[0] == "hqm-mmdet":
        parse(words[1], words[2:], where)
    elif words[:3] == ["python", "-m", "hqm_mmdet_cli"]:
        parse(words[3], words[4:], where)
    elif words[0] == "python" and words[1].endswith(".py"):
        check_script(words[1].removeprefix("../../"), words[2:], where)
    elif words[0] in LAUNCHERS:
        command, own, rest = LAUNCHERS[words[0]]
        assert len(words) > own, where
        parse(command, ["CONFIG", *rest, *words[own + 1 :]], where)
    else:
        assert not words[0].startswith("tools/"), where


def check_script(script, args, where):
    if script in SAME:
        parse(SAME[script], args, where)
    else:
        assert (REPOSITORY / script).is_file(), where
        known = options_of_script(script)
        assert options(args) <= known, f"{where}: no option {options(args) - known}"


def parse(name, args, where):
    """As if it were called, without calling it."""
    assert name in COMMANDS, where
    command = hqm_mmdet_cli.main.get_command(None, name)
    try:
        command.make_context(name, list(args))
    except click.exceptions.Exit:  # --help
        pass
    except click.UsageError as error:
        pytest.fail(f"{where}: {error.format_message()}")


def options(words):
    return {word.split("=")[0] for word in words if word.startswith("--")}


@cache
def options_of_command(name):
    params = hqm_mmdet_cli.main.get_command(None, name).params
    return {opt for param in params for opt in (*param.opts, *param.secondary_opts)} | {"--help"}


@cache
def options_of_script(script):
    """Option names in calls of ``add_argument`` or of click's ``option``; the script is not run."""
    calls = [n for n in ast.walk(ast.parse((REPOSITORY / script).read_text())) if isinstance(n, ast.Call)]
    words = [arg.value for call in calls for arg in call.args if isinstance(arg, ast.Constant)]
    return {word for word in words if isinstance(word, str) and word.startswith("--")} | {"--help"}


@cache
def make_targets():
    return set(re.findall(r"^([a-z-]+):", (REPOSITORY / "Makefile").read_text(), re.MULTILINE))
