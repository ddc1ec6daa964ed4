"""Evaluation of prediction files, of this package or of other code bases."""

from ..errors import PredictionError
from ..writing import prediction_entry
from .box_conventions import BoxReading
from .evaluate import OfflineResult, evaluate_file
from .evaluation_set import DATASETS, EvaluationSet, load_evaluation_set
from .file_prediction import FilePrediction
from .file_records import FileRecords, read_records
from .prediction_files import read_predictions

__all__ = [
    "DATASETS",
    "BoxReading",
    "EvaluationSet",
    "FilePrediction",
    "FileRecords",
    "OfflineResult",
    "PredictionError",
    "evaluate_file",
    "load_evaluation_set",
    "prediction_entry",
    "read_predictions",
    "read_records",
]
