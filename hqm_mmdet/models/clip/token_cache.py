"""Tokens of images that were seen before, kept on disk."""

import hashlib
from collections.abc import Callable
from pathlib import Path

import torch
from torch import Tensor

from hqm_mmdet.safetensors_io import read_safetensors, safetensors_bytes
from hqm_mmdet.utils.atomic_io import write_atomically


class TokenCache:
    """What a frozen tower made of images, a file each.

    Files are named by a hash of weights, pixels and number type, so a wrong one is never read, whatever changes; an
    augmented image is new each time, and fills the disk for nothing. Processes may share a folder.

    Args:
        folder (str | Path): where files go.
        weights (Callable): gives the tower's state dict.
    """

    def __init__(self, folder: str | Path, weights: Callable[[], dict[str, Tensor]]):
        self.folder, self.weights = Path(folder), weights
        self._digest: hashlib._Hash | None = None

    def forget_weights(self) -> None:
        """The weights have changed."""
        self._digest = None

    def __call__(self, images: Tensor, compute: Callable[[Tensor], Tensor]) -> Tensor:
        """Tokens (B, T, c) of images (B, 3, S, S); ``compute`` is called with those that are not there."""
        files = [self._file(image) for image in images]
        missing = [i for i, file in enumerate(files) if not file.is_file()]
        made = compute(images[missing]) if missing else []
        for i, tokens in zip(missing, made, strict=True):
            files[i].parent.mkdir(parents=True, exist_ok=True)
            write_atomically(files[i], safetensors_bytes({"tokens": tokens.cpu().contiguous()}, {}))
        new = dict(zip(missing, made, strict=True))
        kept = [new[i] if i in new else self._read(file, images.device) for i, file in enumerate(files)]
        return torch.stack(kept)

    def _read(self, file: Path, device: torch.device) -> Tensor:
        return read_safetensors(file)["state_dict"]["tokens"].to(device)

    def _file(self, image: Tensor) -> Path:
        digest = self._weights_digest().copy()
        kind = image.device.type
        number_type = torch.get_autocast_dtype(kind) if torch.is_autocast_enabled(kind) else image.dtype
        digest.update(str(number_type).encode())
        digest.update(_bytes(image))
        name = digest.hexdigest()
        return self.folder / name[:2] / f"{name}.safetensors"

    def _weights_digest(self) -> "hashlib._Hash":
        if self._digest is None:
            self._digest = hashlib.sha256()
            for name, value in sorted(self.weights().items()):
                self._digest.update(name.encode())
                self._digest.update(_bytes(value))
        return self._digest


def _bytes(tensor: Tensor) -> bytes:
    return tensor.detach().cpu().contiguous().flatten().view(torch.uint8).numpy().tobytes()
