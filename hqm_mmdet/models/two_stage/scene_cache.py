"""What a frozen detector saw in images before, kept on disk."""

import hashlib
from collections.abc import Callable, Sequence
from pathlib import Path

import torch
from torch import Tensor

from hqm_mmdet.models.clip.token_cache import TokenCache
from hqm_mmdet.safetensors_io import read_safetensors, safetensors_bytes
from hqm_mmdet.utils.atomic_io import write_atomically

Seen = dict[str, Tensor]


class SceneCache(TokenCache):
    """Named tensors of an image, a file each; named by a hash of the detector, its weights and the pixels.

    Args:
        folder (str | Path): where files go; processes may share it.
        weights (Callable): gives the detector's state dict.
        description (str): what else of the detector decides its results.
    """

    def __init__(self, folder: str | Path, weights: Callable[[], dict[str, Tensor]], description: str):
        super().__init__(folder, weights)
        self.description = description

    def __call__(self, images: Sequence[Tensor], compute: Callable[[Sequence[Tensor]], list[Seen]]) -> list[Seen]:
        """Tensors of images (3, h, w); ``compute`` is called with those that are not there, if any."""
        files = [self._file(image) for image in images]
        missing = [i for i, file in enumerate(files) if not file.is_file()]
        made = compute([images[i] for i in missing]) if missing else []
        for i, seen in zip(missing, made, strict=True):
            files[i].parent.mkdir(parents=True, exist_ok=True)
            content = {name: value.cpu().contiguous().clone() for name, value in seen.items()}
            write_atomically(files[i], safetensors_bytes(content, {}))
        new = dict(zip(missing, made, strict=True))
        return [new[i] if i in new else self._read(file, images[i].device) for i, file in enumerate(files)]

    def _read(self, file: Path, device: torch.device) -> Seen:
        return {name: value.to(device) for name, value in read_safetensors(file)["state_dict"].items()}

    def _file(self, image: Tensor) -> Path:
        # The pixels of another shape can be the same bytes.
        return super()._file(image).with_suffix(f".{'x'.join(map(str, image.shape[1:]))}.safetensors")

    def _weights_digest(self) -> "hashlib._Hash":
        if self._digest is None:
            super()._weights_digest().update(self.description.encode())
        return self._digest
