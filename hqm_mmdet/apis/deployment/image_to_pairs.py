"""One-stage detectors as graphs: an image in, pairs out."""

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from hqm_mmdet.internals import normalises, swaps_channels
from hqm_mmdet.structures import HOIDataSample

from .graph import SCORES, ExportError, GraphModule

SIZES = ((160, 128), (130, 222), (98, 204))  # of examples: height, width; even, as some backbones want


class ImageToPairs(GraphModule):
    """A detector from pixels to pairs, for one image without padding.

    Args:
        model (nn.Module): of :func:`init_model`.

    Raises:
        ExportError: a part of the model has no place in a graph.
    """

    dynamic_axes = {"image": {2: "height", 3: "width"}}

    def __init__(self, model: nn.Module):
        super().__init__(model)
        self.pre = model.data_preprocessor
        refuse_padding(self.pre)
        if getattr(model.bbox_head, "pair_nms", None) is not None:
            raise ExportError(
                "bbox_head.pair_nms is no part of a graph. Export with --cfg-options model.bbox_head.pair_nms=None and "
                "apply hqm_mmdet.structures.pair_nms to the result."
            )
        if getattr(model.bbox_head, "merge_queries", False):
            raise ExportError(
                "bbox_head.merge_queries gives a number of pairs that depends on the image, which no graph has. Export "
                "with --cfg-options model.bbox_head.merge_queries=False: one pair per query."
            )

    def examples(self, generator: torch.Generator, sizes: Sequence[tuple[int, int]] = SIZES) -> list[dict[str, Tensor]]:
        """See :class:`GraphModule`; noise of heights and widths."""
        shapes = [{"image": (1, 3, *size)} for size in sizes]
        if clip := getattr(self.model, "clip", None):
            shapes = [{**each, "clip_image": (1, 3, clip.size.image_size, clip.size.image_size)} for each in shapes]
        return [{name: noise(shape, generator) for name, shape in each.items()} for each in shapes]

    def forward(self, image: Tensor, clip_image: Tensor | None = None) -> tuple[Tensor, ...]:
        """One image to N pairs.

        Args:
            image (Tensor): (1, 3, H, W) float32, RGB, 0 to 255, resized as the test pipeline does.
            clip_image (Tensor, optional): (1, 3, S, S) as ``image``, CLIP's view of it, for a detector that reads one:
                CLIP's bicubic resizing has no place in a graph. Default None.

        Returns:
            tuple[Tensor, ...]: as ``outputs``: boxes (N, 4) x1, y1, x2, y2 relative to the image (0 to 1), object
            labels (N,) int64, object scores (N,), scores of verbs (N, V) or HOI classes (N, H) as in ``pred_pairs``.
        """
        image = normalised(image, self.pre)
        sample = HOIDataSample(metainfo=dict(img_shape=image.shape[2:]))
        if clip_image is not None:
            sample.clip_image = clip_image[0]
        preds = self.model(image, [sample], mode="tensor")
        # An image of 1 x 1 pixels: boxes come out relative, and who runs the file knows the size.
        frame = HOIDataSample(metainfo=dict(ori_shape=(1, 1), img_shape=(1, 1)))
        (pairs,) = self.model.bbox_head.predict(preds, [frame])
        scores = (pairs[name] for name in SCORES[self.model.bbox_head.vocabulary])
        return pairs.sub_bboxes, pairs.obj_bboxes, pairs.obj_labels, pairs.obj_scores, *scores


def noise(shape: tuple[int, ...], generator: torch.Generator) -> Tensor:
    """An image of noise, 0 to 255."""
    return torch.rand(shape, generator=generator) * 255


def refuse_padding(preprocessor: nn.Module) -> None:
    """Raise an ExportError if images are padded to whole multiples."""
    if getattr(preprocessor, "pad_size_divisor", 1) > 1:
        raise ExportError("A data_preprocessor that pads can't be exported; set its pad_size_divisor to 1.")


def normalised(image: Tensor, preprocessor: nn.Module) -> Tensor:
    """RGB pixels (1, 3, H, W) as a preprocessor hands them on."""
    # The pipeline loads BGR: a preprocessor that swaps channels has a model behind it that wants RGB.
    image = image if swaps_channels(preprocessor) else image.flip(1)
    return (image - preprocessor.mean) / preprocessor.std if normalises(preprocessor) else image
