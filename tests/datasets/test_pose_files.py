import numpy as np
import pytest

from hqm_mmdet.datasets.detection_files import DetectionError
from hqm_mmdet.datasets.pose_files import poses_of_boxes, read_poses
from hqm_mmdet.datasets.stored_detections import detections_in_frame
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


@pytest.mark.parametrize(
    "rows,message",
    [
        ([dict(image_id=42, keypoints=[0.0] * 42)], r"entry 0 \(42\) has 42 numbers"),
        ([dict(image_id=42)], "entry 0"),
        ([dict(image_id=1, keypoints=[0.0] * 51)], "none of its 1 poses"),
    ],
)
def test_bad_poses(tmp_path, rows, message):
    with pytest.raises(DetectionError, match=message) as error:
        read_poses(write(tmp_path, rows, "poses.json"), NAMES)
    assert "poses.json" in str(error.value)


def test_each_pose_goes_to_the_box_that_it_fits_best():
    boxes = np.array([[10, 20, 30, 60], [12, 22, 33, 64], [100, 100, 120, 140]], np.float32)
    given = poses_of_boxes(boxes, np.stack([pose(), pose(13, 23, 33, 64)]))
    np.testing.assert_allclose(given[:2], np.stack([pose(), pose(13, 23, 33, 64)]))
    assert np.isnan(given[2]).all()
    assert np.isnan(poses_of_boxes(boxes, np.zeros((0, 17, 3), np.float32))).all()
    assert poses_of_boxes(boxes[:0], pose()[None]).shape == (0, 17, 3)


def test_poses_follow_resize_and_flip_and_change_sides():
    results = sample([[10, 20, 30, 60]], poses=pose()[None], img_shape=(50, 400), scale_factor=(2.0, 0.5))
    moved = detections_in_frame(results).keypoints.numpy()
    np.testing.assert_allclose(moved[0], pose(20, 10, 60, 30), rtol=1e-6)
    flipped = detections_in_frame(dict(results, flip=True, flip_direction="horizontal")).keypoints.numpy()[0]
    np.testing.assert_allclose(flipped[5, 0], 400 - moved[0, 6, 0], rtol=1e-6)  # the left shoulder was the right one
    np.testing.assert_allclose(flipped[0, 0], 400 - moved[0, 0, 0], rtol=1e-6)


def test_a_pose_file_that_is_no_json(tmp_path):
    (tmp_path / "poses.json").write_text("[")
    with pytest.raises(DetectionError, match="no JSON"):
        read_poses(tmp_path / "poses.json", NAMES)
    with pytest.raises(FileNotFoundError, match="none.json"):
        read_poses(tmp_path / "none.json", NAMES)
