import numpy as np
import pytest
import torch

from hqm_mmdet.models.interactiveness import boxes_in_map, pair_maps
from tests.models.interactiveness.pair_map_loop import pair_map
from tests.models.reference import load_arrays


def random_case(seed, count=200):
    """Boxes of all shapes, whole and fractional, and poses that leave box and map far behind."""
    rng = np.random.default_rng(seed)
    boxes = np.sort(rng.uniform(0, 600, (2, count, 2, 2)), axis=2).reshape(2, count, 4)
    boxes[..., 2:] += 1
    boxes[:, ::2] = boxes[:, ::2].round()
    poses = rng.uniform(-1.5, 2.5, (count, 17, 2)) * (boxes[0, :, None, 2:] - boxes[0, :, None, :2])
    poses = np.concatenate([poses + boxes[0, :, None, :2], rng.uniform(size=(count, 17, 1))], -1)
    poses[::5] = np.nan
    return boxes[0], boxes[1], poses


@pytest.mark.parity
def test_maps_are_the_official_ones(reference_dir):
    given = load_arrays(reference_dir, "tin", "pair_patterns.npz")
    boxes = [torch.from_numpy(given[f"{who}_box"]) for who in ("human", "object")]
    for placed, who in zip(boxes_in_map(*boxes), ("human", "object"), strict=True):
        np.testing.assert_array_equal(placed, given[f"{who}_box_in_pattern"])
    maps = pair_maps(*boxes, torch.from_numpy(given["keypoints"]).view(-1, 17, 3)).numpy()
    np.testing.assert_array_equal(maps[:, :2], given["pattern_boxes"].transpose(0, 3, 1, 2))
    np.testing.assert_array_equal(maps[:, 2], given["pattern_pose"])


@pytest.mark.parity
@pytest.mark.parametrize("name", ["hico", "vcoco"])
def test_maps_of_the_network_fixtures(reference_dir, name):
    from tests.models.interactiveness.fixtures import poses_of

    given = load_arrays(reference_dir, "tin", f"network_{name}.npz")
    boxes = [torch.from_numpy(given[f"{who}_boxes"]) for who in ("human", "object")]
    maps = pair_maps(*boxes, poses_of(reference_dir, name))
    np.testing.assert_array_equal(maps.permute(0, 2, 3, 1), given["spatial_pose_maps"])


@pytest.mark.parametrize("seed", range(3))
def test_all_at_once_equals_a_loop_with_opencv(seed):
    sub, obj, poses = random_case(seed)
    looped = [pair_map(s, o, None if np.isnan(p).any() else p) for s, o, p in zip(sub, obj, poses, strict=True)]
    maps = pair_maps(*map(torch.from_numpy, (sub, obj, poses)))
    np.testing.assert_array_equal(maps, np.stack(looped))


def test_without_any_pose_the_box_is_filled():
    sub, obj, _ = map(torch.from_numpy, random_case(0, 4))
    maps = pair_maps(sub, obj)
    torch.testing.assert_close(maps[:, 2], 0.05 * maps[:, 0])


def test_no_pair_gives_no_map():
    empty = torch.zeros(0, 4)
    assert pair_maps(empty, empty).shape == (0, 3, 64, 64)
    assert pair_maps(empty, empty, torch.zeros(0, 17, 3)).shape == (0, 3, 64, 64)


def test_boxes_and_keypoints_must_fit():
    box = torch.tensor([[0.0, 0, 5, 5]])
    with pytest.raises(ValueError, match=r"\(1, 17, 2 or 3\), got \(1, 16, 3\)"):
        pair_maps(box, box, torch.zeros(1, 16, 3))
    with pytest.raises(ValueError, match=r"must be \(P, 4\)"):
        pair_maps(box, box[:0])
