"""Stand-in weights of the official CLIP."""

from pathlib import Path

from torch import Tensor

from tests.models.reference import load_json, reference_tensors


def clip_weights(reference_dir: Path) -> dict[str, Tensor]:
    """ViT-B/32; the numbers, too, were made from the names with a HOICLIP checkpoint's prefix."""
    shapes = load_json(reference_dir, "hoiclip", "clip_vit_b32_keys.json")
    return reference_tensors(reference_dir, {f"clip_model.{name}": shape for name, shape in shapes.items()}, {})
