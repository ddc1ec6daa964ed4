"""HTML of results."""

import base64
import io
import json
import re

import pytest
from PIL import Image

from hqm_mmdet.demo.views import attention_view, empty_view, refusal_view, result_view
from hqm_mmdet.visualization import TripletSelection
from tests.demo.conftest import SCRIPT, encoded


@pytest.fixture(scope="module")
def seen(session):
    return session.see(encoded(), "a&b.png")


def content_of(html, media_type):
    return [base64.b64decode(data) for data in re.findall(f'="data:{media_type};base64,([^"]+)"', html)]


def view(session, seen, *arguments, **options):
    selection = TripletSelection(*arguments, **options)
    return result_view(session.show(seen, selection), selection)


def test_names_stay_text(session, seen):
    html = view(session, seen, 0.0)
    assert SCRIPT not in html and "&lt;script&gt;alert(1)&lt;/script&gt;" in html and "a&amp;b.png" in html
    assert SCRIPT not in refusal_view(f"{SCRIPT} is no image")


def test_picture_and_json_can_be_downloaded(session, seen):
    html = view(session, seen, 0.0, max_pairs=2)
    shown = session.show(seen, TripletSelection(0.0, max_pairs=2))
    (entry,) = content_of(html, "application/json")
    assert json.loads(entry) == [shown.entry]
    for picture in content_of(html, "image/jpeg"):
        assert Image.open(io.BytesIO(picture)).size == shown.picture.shape[1::-1]
    assert 'download="a&amp;b_pairs.jpg"' in html and 'download="a&amp;b_pairs.json"' in html


def test_why_nothing_is_shown(session, seen):
    assert "The best one has 0." in view(session, seen, 1.0)
    best = session.show(seen, TripletSelection(0.0)).best_score
    rare = min(
        session.verbs, key=lambda verb: session.show(seen, TripletSelection(0.0, verbs=verb[1:])).interactions[0].score
    )
    filtered = view(session, seen, best, verbs=rare[1:])
    assert "of the chosen verbs and objects" in filtered and "Choose other verbs" in filtered


def test_one_interaction_is_not_plural(session, seen):
    html = view(session, seen, 0.0, top_k=1)
    assert "<strong>1 interaction</strong> of 1 pair in" in html
    assert "with 1 pair drawn" in html


def test_attention(session, seen):
    shown = session.show(seen, TripletSelection(0.0))
    cells = session.attention(seen, shown.pairs, shown.pairs[0].index)
    html = attention_view(cells, "1 (<hold>)", "a.png")
    assert len(content_of(html, "image/jpeg")) == len(cells) + 1
    assert html.count("<figcaption>decoder layer") == 2 and "1 (&lt;hold&gt;)" in html


def test_empty_page_names_examples_where_there_are_some():
    assert "choose an example" in empty_view(True) and "example" not in empty_view(False)
