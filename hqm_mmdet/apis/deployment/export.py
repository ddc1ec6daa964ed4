"""Detectors as ONNX files: one image in, scored pairs out."""

import importlib.util
import inspect
import io
import json
import warnings
from collections.abc import Sequence
from pathlib import Path

import torch
from mmengine.config import Config
from torch import Tensor, nn

from hqm_mmdet.apis.build import init_model
from hqm_mmdet.apis.class_names import class_names
from hqm_mmdet.apis.inference_config import inference_config
from hqm_mmdet.apis.pipeline import inference_steps
from hqm_mmdet.checkpoints.files import Checkpoint
from hqm_mmdet.errors import UserError
from hqm_mmdet.internals import normalises, swaps_channels
from hqm_mmdet.structures import HOIDataSample
from hqm_mmdet.utils.atomic_io import write_atomically

PAIR_OUTPUTS = ("sub_boxes", "obj_boxes", "obj_labels", "obj_scores")
SCORES = {"verb": ("verb_scores",), "hoi": ("hoi_scores", "hoi_probs")}  # by what the head scores
OPSET = 17
TRACED_SIZE = (160, 128)  # one of CHECKED_SIZES; the others show that no size is frozen into the graph
CHECKED_SIZES = ((160, 128), (130, 222), (98, 204))  # even, as some backbones want
TOLERANCE = 1e-4


class ExportError(UserError, RuntimeError):
    """A detector that can't be exported, or whose exported file computes something else."""


class ImageToPairs(nn.Module):
    """A detector from pixels to pairs, for one image without padding.

    Args:
        model (nn.Module): of :func:`init_model`.

    Raises:
        ExportError: a part of the model has no place in a graph.
    """

    def __init__(self, model: nn.Module):
        super().__init__()
        self.model = model
        self.pre = model.data_preprocessor
        if hasattr(model, "instances"):
            raise ExportError(
                f"A {type(model).__name__} is not exported: how many pairs it looks at depends on what its detector "
                "finds, and suppression of boxes is no part of a graph. Export a one-stage detector, or deploy this "
                "one with PyTorch (hqm-mmdet publish)."
            )
        if getattr(self.pre, "pad_size_divisor", 1) > 1:
            raise ExportError("A data_preprocessor that pads can't be exported; set its pad_size_divisor to 1.")
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

    @property
    def outputs(self) -> tuple[str, ...]:
        """Names of what :meth:`forward` returns."""
        return PAIR_OUTPUTS + SCORES[self.model.bbox_head.vocabulary]

    def inputs(self, height: int, width: int, generator: torch.Generator | None = None) -> dict[str, Tensor]:
        """Noise that :meth:`forward` takes, by name."""
        shapes = {"image": (1, 3, height, width)}
        if clip := getattr(self.model, "clip", None):
            shapes["clip_image"] = (1, 3, clip.size.image_size, clip.size.image_size)
        return {name: torch.rand(shape, generator=generator) * 255 for name, shape in shapes.items()}

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
        # The pipeline loads BGR: a preprocessor that swaps channels has a model behind it that wants RGB.
        image = image if swaps_channels(self.pre) else image.flip(1)
        if normalises(self.pre):
            image = (image - self.pre.mean) / self.pre.std
        sample = HOIDataSample(metainfo=dict(img_shape=image.shape[2:]))
        if clip_image is not None:
            sample.clip_image = clip_image[0]
        preds = self.model(image, [sample], mode="tensor")
        # An image of 1 x 1 pixels: boxes come out relative, and who runs the file knows the size.
        frame = HOIDataSample(metainfo=dict(ori_shape=(1, 1), img_shape=(1, 1)))
        (pairs,) = self.model.bbox_head.predict(preds, [frame])
        scores = (pairs[name] for name in SCORES[self.model.bbox_head.vocabulary])
        return pairs.sub_bboxes, pairs.obj_bboxes, pairs.obj_labels, pairs.obj_scores, *scores


def export_onnx(config: str | Path | Config | None, checkpoint: str | Path, out: str | Path) -> dict[str, float]:
    """Write a detector as an ONNX file with dynamic height and width, and compare it with PyTorch.

    The graph is the plain detector, from normalisation to scored pairs. Resizing stays outside: how, and the names of
    classes and verbs, stand in the file's metadata (``resize``, ``classes``, ``verbs``, each JSON).

    Args:
        config (str | Path | Config, optional): a config or its file. Default: the one that the checkpoint holds.
        checkpoint (str | Path): weights.
        out (str | Path): file to write; absent if the comparison fails.

    Returns:
        dict[str, float]: largest difference to PyTorch of each output over images of ``CHECKED_SIZES``.

    Raises:
        ExportError: onnx or onnxruntime is not installed, the detector can't be exported, or the file's results differ
            by more than ``TOLERANCE``.
        FileNotFoundError, CheckpointError: as in :func:`init_model`.
    """
    require_onnx()
    weights = Checkpoint.read(checkpoint)
    trained = init_model(config, weights)
    plain = inference_config(trained.cfg)
    model = init_model(plain, weights)
    module = ImageToPairs(model).eval()
    names = class_names(trained, trained.cfg)
    if model.bbox_head.vocabulary == "hoi":
        names["hois"] = model.bbox_head.hois.names()
    content = graph_of(module, _metadata(names, plain))
    differences = compare(content, module, CHECKED_SIZES)
    if max(differences.values()) > TOLERANCE:
        raise ExportError(f"{out} was not written: the graph computes other numbers than PyTorch ({differences}).")
    write_atomically(out, content)
    return differences


def require_onnx() -> None:
    """Raise an ExportError that names what to install."""
    missing = [name for name in ("onnx", "onnxruntime") if importlib.util.find_spec(name) is None]
    if missing:
        raise ExportError(f"Exporting needs {' and '.join(missing)}: pip install {' '.join(missing)}")


def compare(content: bytes, module: ImageToPairs, sizes: Sequence[tuple[int, int]]) -> dict[str, float]:
    """Largest absolute difference of each output between a graph in onnxruntime and its module, over noise images.

    Args:
        content (bytes): an ONNX file.
        module (ImageToPairs): what it was made of.
        sizes (Sequence[tuple[int, int]]): heights and widths of the images, pixels.
    """
    import onnxruntime

    # The content and not a file: nothing is written before the numbers agree.
    session = onnxruntime.InferenceSession(content, providers=["CPUExecutionProvider"])
    generator, worst = torch.Generator().manual_seed(0), dict.fromkeys(module.outputs, 0.0)
    for size in sizes:
        inputs = module.inputs(*size, generator)
        with torch.inference_mode():
            expected = module(**inputs)
        found = session.run(None, {name: value.numpy() for name, value in inputs.items()})
        for name, ours, theirs in zip(module.outputs, expected, found, strict=True):
            worst[name] = max(worst[name], (ours - torch.from_numpy(theirs)).abs().max().item())
    return worst


def graph_of(module: ImageToPairs, metadata: dict[str, str]) -> bytes:
    """Trace a module.

    Args:
        module (ImageToPairs): in evaluation mode.
        metadata (dict[str, str]): written into the file.

    Returns:
        bytes: content of an ONNX file.
    """
    import onnx

    stream, inputs = io.BytesIO(), module.inputs(*TRACED_SIZE)
    # The other exporter, by torch.export, refuses what mmdet's models do with samples. Newer torch takes it by default.
    by_tracing = {"dynamo": False} if "dynamo" in inspect.signature(torch.onnx.export).parameters else {}
    with warnings.catch_warnings(), torch.no_grad():
        warnings.simplefilter("ignore", torch.jit.TracerWarning)  # shapes that are the same for all images
        warnings.simplefilter("ignore", DeprecationWarning)
        torch.onnx.export(
            module,
            tuple(inputs.values()),
            stream,
            input_names=list(inputs),
            output_names=list(module.outputs),
            dynamic_axes={"image": {2: "height", 3: "width"}},
            opset_version=OPSET,
            **by_tracing,
        )
    graph = onnx.load_from_string(stream.getvalue())
    onnx.helper.set_model_props(graph, metadata)
    onnx.checker.check_model(graph)
    return graph.SerializeToString()


def _metadata(names: dict, config: Config) -> dict[str, str]:
    """What who runs the file must know, as JSON: names, and how the test pipeline resizes (scale is width, height)."""
    resize = next((step for step in inference_steps(config) if step["type"].rpartition(".")[2] == "Resize"), {})
    rule = {"scale": list(resize.get("scale", ())), "keep_ratio": bool(resize.get("keep_ratio", False))}
    lists = {key: list(names[key]) for key in ("classes", "verbs", "hois") if key in names}
    return {key: json.dumps(value) for key, value in {**lists, "resize": rule}.items()}
