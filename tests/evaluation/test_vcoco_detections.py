import json

import numpy as np
import pytest

from hqm_mmdet.evaluation.functional import to_official_detections, verb_mask_by_object

VERBS = ("hold_obj", "stand", "cut_instr", "cut_obj")
NO_OBJECT = 2


def convert(scores, labels=(1, NO_OBJECT), **kwargs):
    sub = np.array([[0, 0, 9, 9], [1, 1, 5, 5]], dtype=np.float32)
    return to_official_detections(7, sub, sub + 1, np.array(labels), np.array(scores), VERBS, NO_OBJECT, **kwargs)


def test_roles_and_agents():
    first, second = convert([[0.1, 0.2, 0.3, 0.4], [0.5, 0.6, 0.8, 0.7]])
    assert first == {
        "image_id": 7,
        "person_box": [0, 0, 9, 9],
        "hold_obj": [1, 1, 10, 10, 0.1],
        "hold_agent": 0.1,
        "stand_agent": 0.2,
        "cut_instr": [1, 1, 10, 10, 0.3],
        "cut_obj": [1, 1, 10, 10, 0.4],
        "cut_agent": 0.4,
    }
    assert np.isnan(second["cut_obj"][:4]).all() and second["cut_obj"][4] == 0.7
    assert second["cut_agent"] == 0.8 and set(second) == set(first)


def test_verb_mask():
    valid_pairs = np.array([[1, 0], [1, 1], [1, 1], [1, 1]])
    first, second = convert(np.ones((2, 4)), verb_mask=verb_mask_by_object(valid_pairs, NO_OBJECT))
    assert first["hold_agent"] == 0 and second["hold_agent"] == 1 and first["stand_agent"] == 1


def test_no_pairs():
    assert to_official_detections(7, [], [], [], np.zeros((0, 4)), VERBS, NO_OBJECT) == []


def test_wrong_number_of_verbs_names_the_image():
    with pytest.raises(ValueError, match="image 7"):
        convert(np.ones((2, 3)))


@pytest.fixture(scope="module")
def official(reference_dir):
    files = reference_dir / "qpic" / "vcoco_official_detections.json", reference_dir / "qpic" / "postprocess.npz"
    for file in files:
        if not file.exists():
            pytest.skip(f"no file {file}")
    return json.loads(files[0].read_text()), np.load(files[1])


@pytest.mark.parity
@pytest.mark.parametrize("masked_before", [True, False])
def test_parity(official, masked_before):
    """Detections of every image, from masked scores, and from scores still to be masked."""
    answer, arrays = official
    image_ids = list(dict.fromkeys(d["image_id"] for d in answer["detections"]))
    ours = []
    for i, image_id in enumerate(image_ids):
        ours += detections(arrays, i, image_id, answer, masked_before)
    assert len(ours) == len(answer["detections"])
    for detection, expected in zip(ours, answer["detections"], strict=True):
        assert set(detection) == set(expected)
        for key, value in expected.items():
            wanted = np.array(value, dtype=float)  # null -> NaN
            np.testing.assert_allclose(detection[key], wanted, rtol=0, atol=0 if masked_before else 1e-6, err_msg=key)


def detections(arrays, i, image_id, answer, masked_before):
    prefix = f"vcoco_synth_image{i}_"
    boxes, labels = arrays[prefix + "boxes"], arrays[prefix + "labels"]
    sub, obj = arrays[prefix + "subject_id"], arrays[prefix + "object_id"]
    scores, mask = arrays[prefix + "scores"], None
    if not masked_before:
        mask = verb_mask_by_object(arrays["vcoco_correct_mat"], answer["missing_category_id"])
        scores = raw_scores(arrays["vcoco_synth_in_obj_logits"][i], arrays["vcoco_synth_in_verb_logits"][i])
    vocabulary = answer["verb_classes"], answer["missing_category_id"]
    return to_official_detections(image_id, boxes[sub], boxes[obj], labels[obj], scores, *vocabulary, mask)


def raw_scores(obj_logits, verb_logits):
    """Sigmoid of the verb logits times the largest object probability, "no object" left out."""
    exp = np.exp(obj_logits - obj_logits.max(1, keepdims=True))
    obj_scores = (exp / exp.sum(1, keepdims=True))[:, :-1].max(1, keepdims=True)
    return obj_scores / (1 + np.exp(-verb_logits))
