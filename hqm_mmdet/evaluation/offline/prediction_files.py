"""Prediction files of any code base, as the samples that metrics take."""

from collections.abc import Iterator, Mapping
from pathlib import Path

from hqm_mmdet.datasets.file_hints import looks_like

from ..errors import PredictionError
from .file_prediction import FORMATS, FilePrediction
from .json_predictions import read_json_predictions
from .mat_predictions import ONE_OF_A_FOLDER, read_mat_predictions
from .pickled_predictions import read_pickled_predictions


def read_predictions(path: str | Path, metainfo: Mapping) -> Iterator[FilePrediction]:
    """Predictions of a file, one image at a time; the format is recognised by its content.

    Pickles are read without running code that they may hold.

    Args:
        path (str | Path): ``.json``, ``.json.gz``, ``.pkl`` or ``.pickle``; or a folder of ``detections_XX.mat``.
        metainfo (Mapping): ``classes``, ``category_ids``, ``verbs``, ``verb_ids`` of the data set; of a JSON file, HOIs
            of verbs in ``left_out_verb_ids`` are passed over.

    Yields:
        FilePrediction: one per image.

    Raises:
        FileNotFoundError: no such file.
        CheckpointError: A damaged pickle, or one that holds more than plain values, arrays and tensors.
        PredictionError: no known format, or an entry is unfit.
    """
    path = Path(path)
    if path.is_dir():
        yield from read_mat_predictions(path, metainfo)
        return
    if not path.is_file():
        raise FileNotFoundError(f"Prediction file {path.absolute()} does not exist.")
    if path.name.endswith((".json", ".json.gz")):
        yield from read_json_predictions(path, metainfo)
    elif path.suffix in (".pkl", ".pickle"):
        yield from read_pickled_predictions(path, metainfo)
    else:
        hint = looks_like(path) or ONE_OF_A_FOLDER * (path.suffix == ".mat")
        raise PredictionError(
            f"{path}: the name must end in .json, .json.gz, .pkl or .pickle.{hint} Known are {FORMATS}"
        )
