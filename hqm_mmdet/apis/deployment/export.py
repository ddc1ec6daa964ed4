"""Detectors as ONNX files: one image in, scored pairs out; or instances in."""

import importlib.util
import inspect
import io
import json
import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import torch
from mmengine.config import Config
from torch import Tensor, nn

from hqm_mmdet.apis.build import init_model
from hqm_mmdet.apis.class_names import class_names
from hqm_mmdet.apis.inference_config import inference_config
from hqm_mmdet.apis.pipeline import inference_steps
from hqm_mmdet.checkpoints.files import Checkpoint
from hqm_mmdet.models.pair_transformers import PairTransformerHOI
from hqm_mmdet.utils.atomic_io import write_atomically

from .graph import ExportError, GraphModule
from .image_to_pairs import ImageToPairs
from .pair_graphs import pair_graph

OPSET = 17
TOLERANCE = 1e-4


@dataclass(frozen=True)
class Exported:
    """What was written.

    Args:
        inputs (tuple[str, ...]): names of the graph's inputs.
        differences (dict[str, float]): largest difference to PyTorch of each output, over the examples of the module.
    """

    inputs: tuple[str, ...]
    differences: dict[str, float]


def export_onnx(
    config: str | Path | Config | None, checkpoint: str | Path, out: str | Path, head_only: bool = False
) -> Exported:
    """Write a detector as an ONNX file with dynamic height and width, and compare it with PyTorch.

    The graph is the plain detector, from normalisation to scored pairs. Resizing stays outside: how, and the names of
    classes and verbs, stand in the file's metadata (``resize``, ``classes``, ``verbs``, each JSON). Of UPT and PViC it
    is the head, and the detector before it where that can be, see :func:`~.pair_graphs.whole_graph`.

    Args:
        config (str | Path | Config, optional): a config or its file. Default: the one that the checkpoint holds.
        checkpoint (str | Path): weights.
        out (str | Path): file to write; absent if the comparison fails.
        head_only (bool): two-stage models without their detector. Default: False.

    Returns:
        Exported: inputs of the graph, and how far it is from PyTorch.

    Raises:
        ExportError: onnx or onnxruntime is not installed, the detector can't be exported, or the file's results differ
            by more than ``TOLERANCE``, or there is none to compare.
        FileNotFoundError, CheckpointError: as in :func:`init_model`.
    """
    require_onnx()
    weights = Checkpoint.read(checkpoint)
    trained = init_model(config, weights)
    plain = inference_config(trained.cfg)
    model = init_model(plain, weights)
    module = module_of(model, head_only).eval()
    names = class_names(trained, trained.cfg)
    if model.bbox_head.vocabulary == "hoi":
        names["hois"] = model.bbox_head.hois.names()
    content = graph_of(module, _metadata(names, plain) | _as_json(module.metadata()))
    examples = module.examples(torch.Generator().manual_seed(0))
    differences = compare(content, module, examples)
    if max(differences.values()) > TOLERANCE:
        raise ExportError(f"{out} was not written: the graph computes other numbers than PyTorch ({differences}).")
    write_atomically(out, content)
    return Exported(tuple(examples[0]), differences)


def module_of(model: nn.Module, head_only: bool = False) -> GraphModule:
    """The module that a model's graph is traced of.

    Raises:
        ExportError: a part of the model has no place in a graph.
    """
    if isinstance(model, PairTransformerHOI):
        return pair_graph(model, head_only)
    if head_only:
        raise ExportError(f"--head is for UPT and PViC; a {type(model).__name__} has no head that could do without it.")
    if hasattr(model, "instances"):
        raise ExportError(
            f"A {type(model).__name__} is not exported: it cuts each pair out of the image or its map, in a loop "
            "that a graph would freeze. Export UPT, PViC or a one-stage detector, or deploy this one with "
            "PyTorch (hqm-mmdet publish)."
        )
    return ImageToPairs(model)


def require_onnx() -> None:
    """Raise an ExportError that names what to install."""
    missing = [name for name in ("onnx", "onnxruntime") if importlib.util.find_spec(name) is None]
    if missing:
        raise ExportError(f"Exporting needs {' and '.join(missing)}: pip install {' '.join(missing)}")


def compare(content: bytes, module: GraphModule, examples: Sequence[dict[str, Tensor]]) -> dict[str, float]:
    """Largest absolute difference of each output between a graph in onnxruntime and its module.

    Args:
        content (bytes): an ONNX file.
        module (GraphModule): what it was made of.
        examples (Sequence[dict[str, Tensor]]): inputs by name.

    Raises:
        ExportError: no example gives a pair, or the graph finds another number of them.
    """
    import onnxruntime

    # The content and not a file: nothing is written before the numbers agree.
    session = onnxruntime.InferenceSession(content, providers=["CPUExecutionProvider"])
    worst = dict.fromkeys(module.outputs, 0.0)
    pairs = 0
    for inputs in examples:
        with torch.inference_mode():
            expected = module(*inputs.values())
        found = session.run(None, {name: value.numpy() for name, value in inputs.items()})
        pairs += len(expected[0])
        for name, ours, theirs in zip(module.outputs, expected, found, strict=True):
            if ours.shape != theirs.shape:
                raise ExportError(f"The graph gives {name} {theirs.shape}, PyTorch {tuple(ours.shape)}.")
            if ours.numel():
                worst[name] = max(worst[name], (ours - torch.from_numpy(theirs)).abs().max().item())
    if not pairs:
        raise ExportError(
            "In images of noise the detector finds no person beside another instance, so there is nothing to compare. "
            "Export the head alone with --head."
        )
    return worst


def graph_of(module: GraphModule, metadata: dict[str, str]) -> bytes:
    """Trace a module.

    Args:
        module (GraphModule): in evaluation mode.
        metadata (dict[str, str]): written into the file.

    Returns:
        bytes: content of an ONNX file.
    """
    import onnx

    stream, inputs = io.BytesIO(), module.examples(torch.Generator().manual_seed(0))[0]
    # The other exporter, by torch.export, refuses what mmdet's models do with samples. Newer torch takes it by default.
    by_tracing = {"dynamo": False} if "dynamo" in inspect.signature(torch.onnx.export).parameters else {}
    with warnings.catch_warnings(), torch.no_grad():
        warnings.simplefilter("ignore", torch.jit.TracerWarning)  # shapes that are the same for all images
        warnings.simplefilter("ignore", DeprecationWarning)
        warnings.simplefilter("ignore", UserWarning)  # of operations that might be exported wrongly: all is compared
        torch.onnx.export(
            module,
            tuple(inputs.values()),
            stream,
            input_names=list(inputs),
            output_names=list(module.outputs),
            dynamic_axes=module.dynamic_axes,
            opset_version=OPSET,
            **by_tracing,
        )
    graph = onnx.load_from_string(stream.getvalue())
    onnx.helper.set_model_props(graph, metadata)
    onnx.checker.check_model(graph)
    return graph.SerializeToString()


def _metadata(names: dict, config: Config) -> dict[str, str]:
    """What who runs the file must know, as JSON: names, and how the test pipeline resizes (scale is width, height)."""
    resize = next((step for step in inference_steps(config) if step["type"].endswith("Resize")), {})
    rule = {"scale": list(resize.get("scale", ())), "keep_ratio": bool(resize.get("keep_ratio", False))}
    lists = {key: list(names[key]) for key in ("classes", "verbs", "hois") if key in names}
    return _as_json({**lists, "resize": rule})


def _as_json(values: dict) -> dict[str, str]:
    return {key: json.dumps(value) for key, value in values.items()}
