"""From a prediction file of any format to one of another."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from hqm_mmdet.errors import ConfigError
from hqm_mmdet.utils.atomic_io import write_atomically

from ..metrics.records import ImageRecord
from ..offline import EvaluationSet, FileRecords, read_records
from ..offline.evaluation_set import coco_ids
from ..offline.file_prediction import require_hico
from .candidates import Candidates
from .mat_folder import write_mat_folder
from .texts import field_json, genvlkt_json, hoitr_lines
from .vcoco_detections import vcoco_pickle


@dataclass(frozen=True)
class Format:
    """One that can be written.

    Args:
        what (str): whose it is.
        ending (str): of the file's name; empty: a folder.
        only (str): the data set that it is for, ``hico`` or ``vcoco``; empty: any.
    """

    what: str
    ending: str
    only: str = ""


FORMATS = {
    "field": Format("PPDM and its successors", ".json"),
    "genvlkt": Format("GEN-VLKT and HOICLIP", ".json", "hico"),
    "hoitr": Format("HoiTransformer's evaluation scripts", ".json"),
    "matlab": Format("HICO-DET's MATLAB code, as UPT and PViC export for it", "", "hico"),
    "vcoco": Format("V-COCO's official script", ".pkl", "vcoco"),
}
TEXTS = dict(field=field_json, genvlkt=genvlkt_json, hoitr=hoitr_lines)


def write_predictions(
    source: str | Path,
    out: str | Path,
    to: str,
    images: EvaluationSet,
    progress: bool = False,
    continuous: bool = False,
) -> FileRecords:
    """Write the candidates that the metric would take of a prediction file, in another code base's format.

    So scores are masked, repetitions dropped and the list cut as ``images.metric`` says: evaluating ``out`` gives what
    evaluating ``source`` gives (``matlab``: with that protocol). V-COCO's detections are not cut.

    Args:
        source (str | Path): see :func:`~hqm_mmdet.evaluation.offline.read_predictions`.
        out (str | Path): file, or for ``matlab`` folder, to write; a file is complete or absent.
        to (str): one of ``FORMATS``.
        images (EvaluationSet): annotations and metric.
        progress (bool): show progress bars. Default: False.
        continuous (bool): ``matlab``: x2, y2 of the source are the boxes' ends, and last pixels are one less. So it is
            with weights of UPT and PViC. Default: False.

    Returns:
        FileRecords: what was read.

    Raises:
        ConfigError: an unknown format, one of another data set, or a wrong ending of ``out``; ``continuous`` where it
            is no question.
        FileNotFoundError, CheckpointError, PredictionError, AnnotationError: see
            :func:`~hqm_mmdet.evaluation.offline.read_records`.
    """
    _check(out, to, images)
    if continuous and to != "matlab":
        raise ConfigError(f"--continuous is about the MATLAB format, {to} has coordinates as they are.")
    if FORMATS[to].only == "hico":
        require_hico(images.metric.dataset_meta, Path(source), "files of this format")
    found = read_records(source, images, progress)
    if to == "vcoco":
        tables = [record.agents for record in found.records]
        write_atomically(out, vcoco_pickle(_coco_ids(images), tables, images.metric.roles))
        return found
    candidates = [_candidates(*item, images) for item in zip(images.file_names, found.records, strict=True)]
    meta = images.metric.dataset_meta
    if to == "matlab":
        write_mat_folder(out, candidates, len(meta["classes"]), continuous, progress)
    else:
        write_atomically(out, TEXTS[to](candidates, meta, images.truths))
    return found


def _check(out: str | Path, to: str, images: EvaluationSet) -> None:
    if to not in FORMATS:
        raise ConfigError(f"unknown format {to!r}; there are {', '.join(FORMATS)}.")
    form, is_vcoco = FORMATS[to], images.dataset == "vcoco"
    if is_vcoco != (form.only == "vcoco"):
        fitting = [name for name, each in FORMATS.items() if is_vcoco == (each.only == "vcoco")]
        raise ConfigError(f"{to} is the format of {form.what}; for {images.dataset} there is {', '.join(fitting)}.")
    if form.ending and not str(out).endswith(form.ending):
        raise ConfigError(f"{out}: files of this format end in {form.ending}.")


def _candidates(file_name: str, record: ImageRecord, images: EvaluationSet) -> Candidates:
    return Candidates.of_record(file_name, record, images.metric.vocabulary.coder)


def _coco_ids(images: EvaluationSet) -> Sequence[int]:
    """COCO's id of each image, in the order of the images."""
    position_of = images.by_id or coco_ids(images.file_names)
    ids = {position: image_id for image_id, position in position_of.items()}
    missing = [name for i, name in enumerate(images.file_names) if i not in ids]
    if missing:
        raise ConfigError(f"V-COCO's format names images by COCO's id, which {missing[0]} does not tell.")
    return [ids[i] for i in range(len(images.file_names))]
