"""What several tests read from the fixtures of TIN."""

from pathlib import Path

import torch

from tests.models.reference import load_json


def poses_of(reference_dir: Path, name: str) -> torch.Tensor:
    """(P, 17, 3) keypoints of the network fixture ``name``; NaN where there is none."""
    poses = load_json(reference_dir, "tin", f"network_{name}.json")["keypoints"]
    return torch.tensor([pose or [float("nan")] * 51 for pose in poses], dtype=torch.float64).view(-1, 17, 3)
