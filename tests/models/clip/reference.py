"""Stand-in weights of the official CLIP."""

import importlib.util
from pathlib import Path

from torch import Tensor

from tests.models.reference import given, load_json


def clip_weights(reference_dir: Path) -> dict[str, Tensor]:
    """ViT-B/32; the numbers, too, were made from the names with a HOICLIP checkpoint's prefix."""
    spec = importlib.util.spec_from_file_location("reference_weights", given(reference_dir, "reference_weights.py"))
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    salt = load_json(reference_dir, "reference.json")["salt"]
    shapes = load_json(reference_dir, "hoiclip", "clip_vit_b32_keys.json")
    return {f"clip_model.{name}": module.reference_tensor(f"clip_model.{name}", shapes[name], salt) for name in shapes}
