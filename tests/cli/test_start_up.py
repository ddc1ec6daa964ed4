"""Help and mistakes are answered without importing what does the work."""

import importlib
from dataclasses import fields

import pytest

from hqm_mmdet.checkpoints import SOURCES
from hqm_mmdet.checkpoints.convert import DATASETS as CONVERTED
from hqm_mmdet.checkpoints.files import FORMATS
from hqm_mmdet.checkpoints.initialise import INITIALISERS
from hqm_mmdet.cli.to_hoia import CONVERTERS, ODGT_TABLES, TOOLS
from hqm_mmdet.cli.training import WISHES
from hqm_mmdet.datasets.toy import ToySettings
from hqm_mmdet.evaluation.analysis import RESAMPLES
from hqm_mmdet.evaluation.exchange import FORMATS as WRITTEN
from hqm_mmdet.evaluation.offline import DATASETS
from hqm_mmdet.evaluation.offline.box_conventions import CONVENTIONS
from hqm_mmdet.models.interactiveness.non_interaction_suppression import MODES
from hqm_mmdet.utils.distributed import LAUNCHERS
from tests.cli.test_group import start

ANN = ("--ann-file", "none.json")
MODEL = ("--checkpoint", "none.pth")
MISTAKES = {
    "predict": [("a.jpg", *MODEL), ("a.jpg",), (".", *MODEL), (".", *MODEL, "--top-k", "0")],
    "demo": [(*MODEL,), (*MODEL, "--port", "-1")],
    "train": [
        ("none.py",),
        ("qpic_toy", "--resume", "none.pth"),
        ("qpic_toy", "--load-from", "none.pth"),
        ("qpic_toy", "--epochs", "0"),
        ("qpic_toy", "--cfg-options", "a"),
        ("qpic_toy", "--epoch", "1"),
    ],
    "configs": [("yolo",), ("--copy", "none"), ("--inherit",)],
    "test": [("qpic_toy", "none.pth"), ("none.pth", "qpic_toy.py"), ("qpic_toy", "none.pth", "--out", "x.txt")],
    "eval": [("none.json", *ANN), ("none.json", *ANN, "--boxes", "yx"), ("none.json", *ANN, "--json", "/")],
    "convert-predictions": [("none.json", "out", "--to", "field", *ANN), ("none.json", "out", "--to", "x", *ANN)],
    "report": [("none.json", *ANN)],
    "detect": [("c.py", "none.pth", "--images", ".", "--out", "o.json")],
    "suppress": [("none.json", "--images", ".", "--out", "o.json", *MODEL)],
    "search-thresholds": [("none.json", "--images", ".", "--out", "o.json", *MODEL, *ANN)],
    "convert": [("none.pth", "o.pth"), ("none.pth", "/"), ("none.pth", "o.pth", "--source", "x")],
    "publish": [("none.pth", "out")],
    "export": [(*MODEL, "--out", "o.onnx")],
    "make-toy": [("--num-train", "-1"), ("/proc/toy",)],
    "to-hoia": [("hicodet", "none.json", "o.json"), ("x",)],
    "check-data": [(), ("none.py",), ("--dataset", "HOIDataset", *ANN)],
    "browse": [("none.py", "--out", "o")],
    "quickstart": [("--config", "none.py")],
}


@pytest.mark.parametrize("name", MISTAKES)
def test_help_and_mistakes_import_nothing_heavy(name, tmp_path):
    for words in (("--help",), *MISTAKES[name]):
        done = start(name, *words, cwd=tmp_path)
        assert done.returncode == (0 if words == ("--help",) else 2), (words, done.stderr)
        assert done.stdout.endswith("[]\n"), (words, done.stdout)
        assert "Traceback" not in done.stderr


def declared(place):
    module, _, name = place.partition(".")
    return getattr(importlib.import_module(f"hqm_mmdet_cli.{module}"), name)


@pytest.mark.parametrize(
    ("place", "table"),
    [
        ("options.LAUNCHERS", LAUNCHERS),
        ("convert.SOURCES", tuple(SOURCES)),
        ("convert.MODELS", tuple(INITIALISERS)),
        ("convert.DATASETS", CONVERTED),
        ("evaluation_options.DATASETS", tuple(sorted(DATASETS))),
        ("evaluation_options.CONVENTIONS", tuple(CONVENTIONS)),
        ("convert_predictions.FORMATS", {name: form.what for name, form in WRITTEN.items()}),
        ("publish.FORMATS", FORMATS),
        ("report.RESAMPLES", RESAMPLES),
        ("suppress.MODES", MODES),
        ("to_hoia.DATASETS", tuple(ODGT_TABLES)),
    ],
)
def test_what_options_offer_is_what_the_library_has(place, table):
    assert declared(place) == table


def test_options_are_the_fields_that_they_set():
    defaults = {param.name: param.default for param in declared("make_toy.make_toy").params}
    assert {field.name: field.default for field in fields(ToySettings)}.items() <= defaults.items()
    assert set(declared("to_hoia.to_hoia").commands) == {*CONVERTERS, *TOOLS}
    assert set(WISHES) <= {param.name for param in declared("train.train").params}
