"""model-index.yml: every config is listed, with results that say whose they are."""

import importlib.util
import re

import yaml

from hqm_mmdet_cli.model_index import ModelIndex
from tests.conftest import REPOSITORY

INDEX = ModelIndex.read(REPOSITORY)
IMPORTED = yaml.safe_load((REPOSITORY / "model-index.yml").read_text(encoding="utf-8"))["Import"]
MODELS = [model for name in IMPORTED for model in yaml.safe_load((REPOSITORY / name).read_text("utf-8"))["Models"]]
CONFIGS = [path for path in REPOSITORY.glob("configs/**/*.py") if "_base_" not in path.parts]


def metrics(model):
    return {name: value for result in model.get("Results", ()) for name, value in result["Metrics"].items()}


def test_index_imports_every_metafile():
    files = (REPOSITORY / "configs" / "metafiles").glob("*.yml")
    assert sorted(IMPORTED) == sorted(file.relative_to(REPOSITORY).as_posix() for file in files)
    assert len(MODELS) == len(INDEX.models)


def test_first_published_result():
    assert INDEX.models["qpic_hico"].published == ("mAP full", 29.07)
    assert INDEX.models["qpic_toy"].published is None and INDEX.models["qpic_toy"].collection == "QPIC"


def test_every_config_is_listed_once():
    assert sorted(model["Config"] for model in MODELS) == sorted(
        path.relative_to(REPOSITORY).as_posix() for path in CONFIGS
    )


def test_entries_say_whose_their_results_are():
    collections = set(INDEX.collections)
    for model in MODELS:
        name, numbers = model["Name"], metrics(model)
        assert model["Config"].endswith(f"/{name}.py") and model["In Collection"] in collections, name
        assert all(
            ("published" in key) != ("measured" in key) and 0 < value <= 100 for key, value in numbers.items()
        ), name
        assert ("Measured With" in model.get("Metadata", {})) == any("measured" in key for key in numbers), name
        assert all(result["Dataset"] and result["Metrics"] for result in model.get("Results", ())), name


def test_configs_and_index_publish_the_same():
    for model in MODELS:
        said = re.search(r"Published: ([\d.]+) mAP", (REPOSITORY / model["Config"]).read_text(encoding="utf-8"))
        if said:
            published = [value for name, value in metrics(model).items() if "published" in name]
            assert float(said[1]) in published, model["Name"]


def test_model_zoo_is_made_of_the_index():
    spec = importlib.util.spec_from_file_location("zoo", REPOSITORY / "tools" / "analysis_tools" / "model_zoo.py")
    zoo = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(zoo)
    page = (REPOSITORY / "docs" / "model_zoo.md").read_text(encoding="utf-8")
    assert zoo.lists(INDEX) in page, f"run: {zoo.COMMAND}"
    for model in MODELS:
        if "Converted From" in model:
            assert f"`{model['Config']}`" in page and model["Converted From"]["Weights"] in page
