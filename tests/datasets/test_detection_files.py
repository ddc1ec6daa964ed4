import json
import pickle

import numpy as np
import pytest
import torch
from mmengine.structures import InstanceData

from hqm_mmdet.datasets.detection_files import ClassMap, DetectionError, read_detections
from hqm_mmdet.datasets.stored_detections import attach_detections, detections_in_frame
from hqm_mmdet.safe_loading import CheckpointError
from hqm_mmdet.structures import ClassNameError

NAMES = ["COCO_val2014_000000000042.jpg", "b.png", "HICO_test2015_00000007.jpg"]
IDS = ClassMap([1, 3, 90])


def entry(image_id, category_id=1, bbox=(10, 20, 30, 40), score=0.5):
    return dict(image_id=image_id, category_id=category_id, bbox=list(bbox), score=score)


def write(tmp_path, content, name="detections.json"):
    path = tmp_path / name
    if name.endswith(".json"):
        path.write_text(json.dumps(content))
    else:
        path.write_bytes(pickle.dumps(content))
    return path


def dumped(image, boxes=((1, 2, 3, 4),), labels=(0,), scores=(0.5,), **more):
    tensors = (torch.tensor(boxes, dtype=torch.float32).view(-1, 4), torch.tensor(labels), torch.tensor(scores))
    return dict(img_path=image, pred_instances=dict(zip(("bboxes", "labels", "scores"), tensors, strict=True)), **more)


def test_coco_results_by_number_and_name(tmp_path):
    path = write(tmp_path, [entry(42), entry("b.png", 90), entry("folder/b.jpg", 3), entry(7, score=0.25), entry(99)])
    found, missing = read_detections(path, NAMES, IDS)
    assert [len(image) for image in found] == [1, 2, 1] and missing == ()
    assert found[0].boxes.tolist() == [[10, 20, 40, 60]] and found[1].labels.tolist() == [2, 1]
    assert found[2].scores.tolist() == [0.25]


def test_unknown_classes_are_left_out_and_silence_is_named(tmp_path):
    found, missing = read_detections(write(tmp_path, [entry(42), entry(42, 2)]), NAMES, IDS)
    assert len(found[0]) == 1 and missing == ("b.png", "HICO_test2015_00000007.jpg")


@pytest.fixture
def told(monkeypatch):
    """What goes to the log."""
    texts = []
    for module in ("detection_files", "stored_detections"):
        monkeypatch.setattr(f"hqm_mmdet.datasets.{module}.print_log", lambda text, **kwargs: texts.append(text))
    return texts


def test_entries_about_other_images_are_counted_and_named(tmp_path, told):
    found, _ = read_detections(write(tmp_path, [entry(42), entry("other.jpg"), entry(99)]), NAMES, IDS)
    assert [len(image) for image in found] == [1, 0, 0]
    assert "detections.json: 2 entries are about images that the data set does not have" in told[0]
    assert "'other.jpg'" in told[0] and "images of this split" in told[0]


def test_images_that_a_file_is_silent_about_are_counted_and_named(tmp_path, told):
    items = [dict(img_path=f"images/{name}") for name in NAMES]
    attach_detections(items, write(tmp_path, [entry(42)]), dict(category_ids=[1, 3, 90], classes=("a", "b", "c")))
    assert "detections.json: nothing about 2 of 3 images" in told[0] and "b.png" in told[0]


def test_a_file_of_other_classes_is_refused(tmp_path):
    with pytest.raises(DetectionError, match="none of its 2 boxes is of a class.*1, 3, 90.*detect --dataset") as error:
        read_detections(write(tmp_path, [entry(42, 2), entry("b.png", 4)]), NAMES, IDS)
    assert "detections.json" in str(error.value)
    found, missing = read_detections(write(tmp_path, [dumped("b.png", (), (), ())], "none.pkl"), NAMES, IDS)
    assert not any(map(len, found)) and "b.png" not in missing  # nothing found is an answer


def test_boxes_outside_of_the_image_are_counted_and_the_file_is_named(told):
    results = sample([[10, 20, 30, 40], [300, 0, 400, 9], [30, 20, 30, 40]])
    results["detections"]["file"] = "detections.json"
    assert len(detections_in_frame(results).bboxes) == 1
    assert "detections.json: 2 of 3 boxes of a.png have no area inside of the image" in told[0]
    assert "original image" in told[0]


def test_pickles_of_mmdet(tmp_path):
    path = write(tmp_path, [dumped("x/b.png", ((1, 2, 3, 4), (5, 6, 7, 8)), (1, 7), (0.5, 0.25))], "d.pkl")
    found, missing = read_detections(path, NAMES, IDS)
    assert found[1].boxes.tolist() == [[1, 2, 3, 4]] and len(missing) == 2
    by_name = ClassMap.by_name([1, 3, 90], ("person", "hot_dog", "cup"), ("cup", "Hot Dog", "sky", "person"))
    path = write(tmp_path, [dumped("b.png", ((1, 2, 3, 4),) * 4, (0, 1, 2, 3), (0.5,) * 4)], "e.pkl")
    assert read_detections(path, NAMES, by_name)[0][1].labels.tolist() == [2, 1, 0]


@pytest.mark.parametrize(
    "content,message",
    [
        ([entry(99)], "none of its 1 entries belongs to one of the 3 images"),
        ([entry(42), entry(42, score=float("nan"))], "entry 1 has a box or a score that is not finite"),
        ([entry(42, bbox=(0, 0, float("inf"), 1))], "entry 0 has a box"),
        ([dict(image_id=42, bbox=[1, 2, 3, 4])], "entry 0.*score"),
        ([entry(42, bbox=(1, 2, 3))], "entry 0"),
        (dict(annotations=[]), "holds a dict"),
    ],
)
def test_bad_json(tmp_path, content, message):
    with pytest.raises(DetectionError, match=message) as error:
        read_detections(write(tmp_path, content), NAMES, IDS)
    assert "detections.json" in str(error.value)


def test_bad_files(tmp_path):
    with pytest.raises(FileNotFoundError, match="tools/detect.py"):
        read_detections(tmp_path / "none.json", NAMES, IDS)
    (tmp_path / "text.json").write_text("[{")
    with pytest.raises(DetectionError, match="no JSON"):
        read_detections(tmp_path / "text.json", NAMES, IDS)
    with pytest.raises(CheckpointError, match="could run code"):
        read_detections(write(tmp_path, [InstanceData()], "code.pkl"), NAMES, IDS)
    with pytest.raises(DetectionError, match="1 boxes, 2 labels and 1 scores"):
        read_detections(write(tmp_path, [dumped("b.png", labels=(0, 1))], "short.pkl"), NAMES, IDS)


def test_a_detector_must_know_the_classes():
    with pytest.raises(ClassNameError, match=r"lack \['cup'\] of the data set's 2"):
        ClassMap.by_name([1, 2], ("person", "cup"), ("person", "car"))
    with pytest.raises(ClassNameError, match=r"\['person'\] more than once"):
        ClassMap.by_name([1], ("person",), ("person", "Person"))


def test_items_get_their_detections(tmp_path):
    items = [dict(img_path=f"images/{name}") for name in NAMES]
    attach_detections(items, write(tmp_path, [entry(42)]), dict(category_ids=[1, 3, 90], classes=("a", "b", "c")))
    assert [len(item["detections"]["boxes"]) for item in items] == [1, 0, 0]


def sample(boxes, **changes):
    boxes = np.array(boxes, np.float32)
    detections = dict(boxes=boxes, labels=np.arange(len(boxes)), scores=np.ones(len(boxes), np.float32))
    return dict(img_path="a.png", detections=detections, ori_shape=(100, 200), img_shape=(100, 200)) | changes


def test_detections_follow_resize_and_flip_and_stay_inside():
    found = detections_in_frame(sample([[10, 20, 30, 40], [190, 50, 250, 120], [-9, 0, -1, 9], [300, 0, 400, 9]]))
    assert found.bboxes.tolist() == [[10, 20, 30, 40], [190, 50, 200, 100]] and found.labels.tolist() == [0, 1]
    resized = sample([[10, 20, 30, 40]], img_shape=(50, 400), scale_factor=(2.0, 0.5))
    assert detections_in_frame(resized).bboxes.tolist() == [[20, 10, 60, 20]]
    flipped = dict(resized, flip=True, flip_direction="horizontal")
    assert detections_in_frame(flipped).bboxes.tolist() == [[340, 10, 380, 20]]


def test_detections_do_not_follow_crops():
    with pytest.raises(DetectionError, match="a.png: 200 x 100 pixels became 150 x 100"):
        detections_in_frame(sample([], img_shape=(100, 150)))
