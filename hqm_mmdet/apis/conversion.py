"""Checkpoints of other code bases with the config and the names that predicting needs."""

from collections.abc import Mapping
from pathlib import Path

from mmengine.config import Config
from torch import Tensor

from hqm_mmdet.checkpoints import SOURCES, ConversionReport, read_foreign, write_checkpoint
from hqm_mmdet.checkpoints.files import Checkpoint
from hqm_mmdet.checkpoints.loading import TRAINING_ONLY, differing_names
from hqm_mmdet.version import __version__

from .build import build_model, config_of_file
from .class_names import class_names
from .inference_config import inference_config


def convert_to_file(
    src: str | Path, dst: str | Path, config: str | Path | None = None, **options
) -> tuple[ConversionReport, str | None]:
    """Convert ``src`` to ``dst``; see :func:`read_complete`.

    Raises:
        FormatError: an unknown ending of ``dst``.
        FileNotFoundError, CheckpointError, ConversionError: see :func:`read_complete`.
    """
    checkpoint, report, name = read_complete(src, config, **options)
    write_checkpoint(dst, checkpoint.state, checkpoint.meta)
    return report, name


def read_complete(
    src: str | Path, config: str | Path | None = None, **options
) -> tuple[Checkpoint, ConversionReport, str | None]:
    """Read a file of another code base; a pair detector gets its config and the names of its classes and verbs.

    Args:
        src (str | Path): file to read.
        config (str | Path, optional): the model that it is for. Default: the first of the source's configs that takes
            every tensor.
        options: of :func:`~hqm_mmdet.checkpoints.read_foreign`.

    Returns:
        tuple: our weights; what became of each tensor; name of the config that they come with. None: none of the
        project's fits, or the weights initialise a model and can't predict.

    Raises:
        FileNotFoundError: no such file or config.
        CheckpointError, ConversionError: see :func:`~hqm_mmdet.checkpoints.read_foreign`.
    """
    # Before `src` is read: a misspelt config should not cost the minutes of a large file.
    own = build_model(config, initialise=False).state_dict() if config else None
    checkpoint, report = read_foreign(src, own=own, **options)
    source = SOURCES[report.source]
    if source.initialises or report.missing:
        return checkpoint, report, None
    name = Path(config).stem if config else fitting_config(checkpoint.state, source.configs)
    if name is None:
        return checkpoint, report, None
    report.missing = []
    described = config_of_file(config or name)
    described.merge_from_dict(dict(source.settings))
    meta = {**checkpoint.meta, **_description(described)}
    return Checkpoint(checkpoint.name, checkpoint.state, meta), report, name


def fitting_config(state: Mapping[str, Tensor], names: tuple[str, ...]) -> str | None:
    """The first of these configs whose model has the names and shapes of the weights; None if no model does."""
    for name in names:
        own = build_model(name, initialise=False).state_dict()
        same_names = not any(differing_names(state, own, TRAINING_ONLY))
        if same_names and all(own[key].shape == value.shape for key, value in state.items() if key in own):
            return name
    return None


def _description(config: Config) -> dict:
    """What ``meta`` of a published checkpoint says, too."""
    plain = inference_config(config)
    model = build_model(plain, initialise=False)
    model.dataset_meta = {}
    return dict(cfg=plain.pretty_text, dataset_meta=class_names(model, config), hqm_mmdet_version=__version__)
