"""The recipes of docs/inference.md for other tools, each where its library is installed."""

import json
import re
from dataclasses import asdict

import numpy as np
import pytest

from hqm_mmdet.apis.inference.prediction import Prediction
from hqm_mmdet.structures import HOIDataSample
from tests.conftest import REPOSITORY
from tests.doc_pages import FENCE

PAGE = (REPOSITORY / "docs" / "inference.md").read_text(encoding="utf-8")
SECTION = PAGE[PAGE.index("### In other tools") :]
RECIPES = {
    re.findall(r"^import (\w+)$", text, re.M)[-1]: text
    for language, text in FENCE.findall(SECTION)
    if language == "python" and text.startswith("import ")
}


@pytest.fixture
def names(metainfo, triplets):
    image = np.zeros((80, 100, 3), np.uint8)
    return dict(prediction=Prediction("a.jpg", image, HOIDataSample(), metainfo), triplets=triplets, asdict=asdict)


@pytest.fixture
def metainfo():
    return dict(classes=("person", "cup"), verbs=("hold", "wave"))


@pytest.fixture
def triplets():
    from hqm_mmdet.apis.inference.triplets import Triplet

    person, cup = (10.0, 20.0, 40.0, 70.0), (35.0, 30.0, 45.0, 40.0)
    return [
        Triplet("a.jpg", person, cup, "cup", "hold", 0.8),
        Triplet("a.jpg", person, None, None, "wave", 0.5),
    ]


def test_every_recipe_is_known():
    assert set(RECIPES) == {"pandas", "json", "supervision", "fiftyone"}


@pytest.mark.parametrize("library", sorted(RECIPES))
def test_recipe(library, names):
    pytest.importorskip(library)
    exec(RECIPES[library], names)
    if library == "json":
        written = json.loads(names["text"])
        assert [a["category"] for a in written["annotations"]] == ["person", "cup"]
        assert written["annotations"][1]["bbox"] == [35.0, 30.0, 10.0, 10.0]
        pairs = [(r["subject_id"], r["object_id"], r["verb"]) for r in written["relations"]]
        assert pairs == [(0, 1, "hold"), (0, None, "wave")]
    if library == "pandas":
        assert names["table"]["verb"].tolist() == ["hold", "wave"]
    if library == "supervision":
        assert names["detections"].xyxy.tolist() == [[35, 30, 45, 40]]
        assert list(names["detections"]["class_name"]) == ["hold cup"]
    if library == "fiftyone":
        assert len(names["sample"].predictions.detections) == 3
