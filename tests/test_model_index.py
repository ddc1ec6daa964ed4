"""model-index.yml: every config is listed, with results that say whose they are."""

import re

import pytest
import yaml

from tests.conftest import REPOSITORY

INDEX = yaml.safe_load((REPOSITORY / "model-index.yml").read_text(encoding="utf-8"))
MODELS = INDEX["Models"]
CONFIGS = [path for path in REPOSITORY.glob("configs/**/*.py") if "_base_" not in path.parts]


def metrics(model):
    return {name: value for result in model.get("Results", ()) for name, value in result["Metrics"].items()}


def test_every_config_is_listed_once():
    assert sorted(model["Config"] for model in MODELS) == sorted(
        path.relative_to(REPOSITORY).as_posix() for path in CONFIGS
    )


@pytest.mark.parametrize("model", MODELS, ids=lambda model: model["Name"])
def test_entry(model):
    assert model["Config"].endswith(f"/{model['Name']}.py")
    assert model["In Collection"] in {collection["Name"] for collection in INDEX["Collections"]}
    for name, value in metrics(model).items():
        assert ("published" in name) != ("measured" in name) and 0 < value <= 100
    assert ("Measured With" in model.get("Metadata", {})) == any("measured" in name for name in metrics(model))
    assert all(result["Dataset"] and result["Metrics"] for result in model.get("Results", ()))


def test_configs_and_index_publish_the_same():
    for model in MODELS:
        said = re.search(r"Published: ([\d.]+) mAP", (REPOSITORY / model["Config"]).read_text(encoding="utf-8"))
        if said:
            published = [value for name, value in metrics(model).items() if "published" in name]
            assert float(said[1]) in published, model["Name"]
