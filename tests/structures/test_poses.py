import torch
from mmengine.structures import InstanceData

from hqm_mmdet.structures import HOIDataSample, new_pairs, poses_of_boxes, with_poses


def pose(x1=10, y1=20, x2=30, y2=60):
    """17 keypoints on the diagonal of a box, with score 1."""
    steps = torch.linspace(0, 1, 17)
    return torch.stack([x1 + steps * (x2 - x1), y1 + steps * (y2 - y1), torch.ones(17)], 1)


BOXES = torch.tensor([[10.0, 20, 30, 60], [12, 22, 33, 64], [100, 100, 120, 140]])
POSES = torch.stack([pose(13, 23, 33, 64), pose()])


def test_each_pose_goes_to_the_box_that_it_fits_best():
    given = poses_of_boxes(BOXES, POSES)
    torch.testing.assert_close(given[:2], POSES[[1, 0]])
    assert given[2].isnan().all()


def test_no_box_and_no_pose():
    assert poses_of_boxes(BOXES, POSES[:0]).isnan().all()
    assert poses_of_boxes(BOXES[:0], POSES).shape == (0, 17, 3)


def test_a_person_in_several_pairs_has_one_pose():
    given = poses_of_boxes(BOXES[[0, 2, 0]], POSES[1:])
    torch.testing.assert_close(given[[0, 2]], POSES[[1, 1]])
    assert given[1].isnan().all()


def test_pairs_get_the_poses_of_their_persons():
    pairs = new_pairs(BOXES[:2], BOXES[1:], torch.zeros(2).long())
    assert "keypoints" not in with_poses(pairs, HOIDataSample())
    sample = HOIDataSample()
    sample.poses = InstanceData(keypoints=POSES)
    torch.testing.assert_close(with_poses(pairs, sample).keypoints, POSES[[1, 0]])
