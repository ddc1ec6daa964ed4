"""What happens to an image, without a page."""

import json

import numpy as np
import pytest

from hqm_mmdet.apis import HOIInferencer
from hqm_mmdet.apis.inference.sources import InputError
from hqm_mmdet.demo import DemoSession, UploadError
from hqm_mmdet.demo.session import MAX_EXAMPLES, RequestError
from hqm_mmdet.visualization import TripletSelection
from hqm_mmdet.visualization.drawing import PALETTE
from tests.apis.conftest import noise
from tests.demo.conftest import encoded
from tests.models.tiny import NUM_QUERIES


@pytest.fixture(scope="module")
def seen(session):
    return session.see(encoded(), "a.png")


def test_the_network_runs_once_per_image_and_once_more_for_attention(session, passes):
    seen = session.see(encoded(), "a.png")
    assert len(passes) == 1
    for selection in (TripletSelection(0.0), TripletSelection(0.9), TripletSelection(0.0, verbs=("hold",))):
        session.show(seen, selection)
    assert len(passes) == 1
    shown = session.show(seen, TripletSelection(0.0))
    for pair in shown.pairs[:3]:
        assert session.attention(seen, shown.pairs, pair.index)
    assert len(passes) == 2


def test_table_picture_and_json_agree_with_prediction(session, seen):
    selection = TripletSelection(0.0, max_pairs=3)
    shown = session.show(seen, selection)
    (again,) = session.inferencer.stream(seen.prediction.image)
    assert shown.pairs == session.inferencer.show(again.sample, selection)
    np.testing.assert_array_equal(shown.picture, session.inferencer.picture(again, selection))
    assert [(row.verb.replace(" ", "_"), round(row.score, 6)) for row in shown.interactions] == [
        (hoi["verb"], hoi["score"]) for hoi in shown.entry["hoi_prediction"]
    ]
    assert {row.subject for row in shown.interactions} == {"person"}
    for row in shown.interactions:
        pair = shown.pairs[row.pair - 1]
        assert row.colour == PALETTE[row.pair - 1]
        assert row.score <= row.object_score == float(again.sample.pred_pairs.obj_scores[pair.index])
    assert json.loads(json.dumps(shown.entry))["file_name"] == "a.png"


def test_nothing_passes(session, seen):
    shown = session.show(seen, TripletSelection(1.0))
    assert not shown.pairs and not shown.interactions and session.describe(seen, shown.pairs) == []
    assert 0 < shown.best_score < 1


def test_names_to_filter_by_are_known_to_the_selection(session, seen):
    everything = session.show(seen, TripletSelection(0.0))
    for label, verb in session.verbs:
        shown = session.show(seen, TripletSelection(0.0, verbs=(verb,)))
        assert {row.verb for row in shown.interactions} == {label}
    found = {row.object for row in everything.interactions}
    for label, name in session.objects:
        shown = session.show(seen, TripletSelection(0.0, objects=(name,)))
        assert {row.object for row in shown.interactions} == {label} & found


def test_pairs_to_choose_from(session, seen):
    shown = session.show(seen, TripletSelection(0.0, verbs=("hold", "sit_on")))
    lines = session.describe(seen, shown.pairs)
    assert [index for _, index in lines] == [pair.index for pair in shown.pairs] and len(lines) == NUM_QUERIES
    assert lines[0][0].startswith("1 (") and "sit on" in lines[0][0]


def test_attention_has_a_cell_per_layer_and_only_of_shown_pairs(session, seen):
    shown = session.show(seen, TripletSelection(0.0, max_pairs=2))
    cells = session.attention(seen, shown.pairs, shown.pairs[1].index)
    assert [name for name, _ in cells] == ["the pair", "decoder layer 1", "decoder layer 2"]
    hidden = (set(range(NUM_QUERIES)) - {pair.index for pair in shown.pairs}).pop()
    assert session.attention(seen, shown.pairs, hidden) == []


def test_models_without_queries_are_known(session):
    seen = session.see(encoded(), "a.png")
    assert session.knows_queries(seen)
    del seen.prediction.sample.pred_pairs.queries
    assert not session.knows_queries(seen)


def test_refused_files(session, passes):
    with pytest.raises(UploadError, match="x.jpg is no image"):
        session.see(b"text", "x.jpg")
    assert not passes


def test_examples(demo_inferencer, tmp_path):
    with pytest.raises(InputError, match="holds no image"):
        DemoSession(demo_inferencer, examples=tmp_path)
    for i in range(MAX_EXAMPLES + 1):
        noise(9, 9, i).save(tmp_path / f"{i:02d}.png")
    session = DemoSession(demo_inferencer, examples=tmp_path)
    assert [path.name for path in session.examples] == [f"{i:02d}.png" for i in range(MAX_EXAMPLES)]
    assert session.read(session.examples[0]).shape == (9, 9, 3)
    (tmp_path / "00.png").write_text("no image")
    with pytest.raises(UploadError, match="00.png is no image"):
        session.read(session.examples[0])


@pytest.fixture(scope="module")
def asked_session(text_checkpoint):
    """Of a model that scores texts, with its CLIP."""
    checkpoint, clip = text_checkpoint
    return DemoSession(HOIInferencer(checkpoint, device="cpu", show_progress=False, clip=clip))


def test_interactions_in_ones_own_words(asked_session, text_checkpoint):
    files = sorted(text_checkpoint[1].parent.iterdir())
    plain = asked_session.see(encoded(), "a.png")
    before = asked_session.show(plain, TripletSelection(1e-6))
    seen = asked_session.see(encoded(), "a.png", "a person repairing a bicycle\n\n a person waving ")
    shown = asked_session.show(seen, TripletSelection(1e-6))
    assert {(row.verb, row.object) for row in shown.interactions} <= {("repairing", "bicycle"), ("wave", "no object")}
    assert shown.interactions
    assert asked_session.attention(seen, shown.pairs, shown.pairs[0].index)
    again = asked_session.show(asked_session.ask(seen, ""), TripletSelection(1e-6))  # the model itself is as it was
    assert again.interactions == before.interactions
    assert sorted(text_checkpoint[1].parent.iterdir()) == files  # texts leave no trace


def test_what_can_not_be_looked_for_is_told(asked_session, session):
    assert asked_session.inferencer.can_be_asked and not session.inferencer.can_be_asked
    seen = asked_session.see(encoded(), "a.png")
    for texts, message in (
        ("riding", "must read like"),
        ("a person feeding a quokka", "'quokka'"),
        ("/etc/secrets.txt", "names of files are not read"),
        ("a person riding a horse\n" * 33, "At most 32 interactions"),
        ("a person riding " + "a" * 300, "of 200 characters"),
    ):
        with pytest.raises(RequestError, match=message):
            asked_session.ask(seen, texts)
