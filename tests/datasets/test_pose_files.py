import json

import numpy as np
import pytest

from hqm_mmdet.datasets.detection_files import DetectionError
from hqm_mmdet.datasets.pose_files import read_poses
from hqm_mmdet.datasets.stored_detections import poses_of_sample
from tests.datasets.test_detection_files import NAMES, sample, write


def pose(x1=10, y1=20, x2=30, y2=60):
    """17 keypoints on the diagonal of a box, with score 1."""
    steps = np.linspace(0, 1, 17)
    return np.stack([x1 + steps * (x2 - x1), y1 + steps * (y2 - y1), np.ones(17)], 1).astype(np.float32)


def test_poses_are_found_by_number_and_name(tmp_path):
    rows = [dict(image_id=image, keypoints=pose().ravel().tolist()) for image in (42, "b.png", "b.png", 99)]
    found = read_poses(write(tmp_path, rows, "poses.json"), NAMES)
    assert [len(image) for image in found] == [1, 2, 0]
    np.testing.assert_allclose(found[0][0], pose())


def instance(points=None, scores=None):
    """As mmpose's inferencer writes it."""
    return dict(
        keypoints=(pose()[:, :2] if points is None else points).tolist(),
        keypoint_scores=[0.5] * 17 if scores is None else scores,
        bbox=[[0.0, 0, 9, 9]],
        bbox_score=0.9,
    )


def test_a_folder_of_mmpose_s_inferencer(tmp_path):
    (tmp_path / "COCO_val2014_000000000042.json").write_text(json.dumps([instance(), instance()]))
    (tmp_path / "b.json").write_text("[]")
    (tmp_path / "elsewhere.json").write_text(json.dumps([instance()]))
    found = read_poses(tmp_path, NAMES)
    assert [len(image) for image in found] == [2, 0, 0]
    np.testing.assert_allclose(found[0][1], np.concatenate([pose()[:, :2], np.full((17, 1), 0.5)], 1))


def test_a_pickle_of_mmpose_s_test(tmp_path):
    one = dict(keypoints=pose()[None, :, :2], keypoint_scores=np.full((1, 17), 0.5, np.float32))
    rows = [dict(img_path="images/b.png", pred_instances=one)] * 2  # top-down: an entry per person
    found = read_poses(write(tmp_path, rows, "poses.pkl"), NAMES)
    assert [len(image) for image in found] == [0, 2, 0]
    np.testing.assert_allclose(found[1][0][:, :2], pose()[:, :2])
    cut = dict(one, keypoint_scores=one["keypoint_scores"][:0])
    with pytest.raises(DetectionError, match="cut.pkl: entry 0.*shorter"):
        read_poses(write(tmp_path, [dict(img_path="b.png", pred_instances=cut)], "cut.pkl"), NAMES)
    with pytest.raises(DetectionError, match="box.pkl: entry 0.*keypoints"):
        read_poses(write(tmp_path, [dict(img_path="b.png", pred_instances={})], "box.pkl"), NAMES)


@pytest.mark.parametrize(
    "row,message",
    [
        (instance(points=np.zeros((21, 2)), scores=[0.5] * 21), r"entry 0 of b.json \(b\) has 63 numbers"),
        (instance(scores=[0.5] * 16), "entry 0 of b.json"),
        (instance(scores=[float("nan")] * 17), "entry 0 of b.json.*not finite"),
        (dict(keypoints=[]), "b.json: entry 0.*keypoint_scores"),
    ],
)
def test_bad_files_of_a_folder(tmp_path, row, message):
    (tmp_path / "b.json").write_text(json.dumps([row]))
    with pytest.raises(DetectionError, match=message):
        read_poses(tmp_path, NAMES)


@pytest.mark.parametrize(
    "rows,message",
    [
        ([dict(image_id=42, keypoints=[0.0] * 42)], r"entry 0 \(42\) has 42 numbers"),
        ([dict(image_id=42)], "entry 0"),
        ([dict(image_id=42, keypoints=[float("nan")] * 51)], r"entry 0 \(42\) has a number that is not finite"),
        (dict(annotations=[]), "holds a dict"),
        ([dict(image_id=1, keypoints=[0.0] * 51)], "none of its 1 poses"),
    ],
)
def test_bad_poses(tmp_path, rows, message):
    with pytest.raises(DetectionError, match=message) as error:
        read_poses(write(tmp_path, rows, "poses.json"), NAMES)
    assert "poses.json" in str(error.value)


def test_poses_follow_resize_and_flip_and_change_sides():
    results = sample([], poses=pose()[None], img_shape=(50, 400), scale_factor=(2.0, 0.5))
    moved = poses_of_sample(results).keypoints.numpy()
    np.testing.assert_allclose(moved[0], pose(20, 10, 60, 30), rtol=1e-6)
    flipped = poses_of_sample(dict(results, flip=True, flip_direction="horizontal")).keypoints.numpy()[0]
    np.testing.assert_allclose(flipped[5, 0], 400 - moved[0, 6, 0], rtol=1e-6)  # the left shoulder was the right one
    np.testing.assert_allclose(flipped[0, 0], 400 - moved[0, 0, 0], rtol=1e-6)


def test_a_pose_file_that_is_no_json(tmp_path):
    (tmp_path / "poses.json").write_text("[")
    with pytest.raises(DetectionError, match="no JSON"):
        read_poses(tmp_path / "poses.json", NAMES)
    with pytest.raises(FileNotFoundError, match="none.json"):
        read_poses(tmp_path / "none.json", NAMES)
