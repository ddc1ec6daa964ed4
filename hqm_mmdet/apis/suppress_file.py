"""Interactiveness of the pairs in a prediction file, of this or another code base."""

import gzip
import zlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from mmengine.structures import InstanceData

from hqm_mmdet.datasets.transforms import BadImageError, LoadHOIImage
from hqm_mmdet.evaluation.metrics.records import to_numpy
from hqm_mmdet.evaluation.offline import BoxReading, PredictionError, prediction_entry, read_predictions
from hqm_mmdet.evaluation.offline.box_signs import BoxSigns
from hqm_mmdet.evaluation.offline.json_predictions import told_size
from hqm_mmdet.models.interactiveness import INTERACTIVE, NonInteractionSuppression
from hqm_mmdet.structures import new_pairs, scale_of
from hqm_mmdet.utils.inside import OUTSIDE, path_inside
from hqm_mmdet.utils.untrusted_values import MALFORMED, parse_json, require_numbers

from .pipeline import inference_pipeline


@dataclass(frozen=True)
class FileNames:
    """What a prediction file calls object classes and verbs; empty where that is not known.

    Args:
        labels (Mapping[str, int]): object label by category id, as text.
        kept_verbs (frozenset[str]): ids of verbs that say that nothing happens, as text.
        kept_columns (frozenset[int]): positions of the same verbs in score lists.
    """

    labels: Mapping[str, int]
    kept_verbs: frozenset[str] = frozenset()
    kept_columns: frozenset[int] = frozenset()

    @classmethod
    def of_metainfo(cls, metainfo: Mapping) -> "FileNames":
        """Names of a data set; the verb that says that nothing happens is called ``no_interaction``."""
        ids = {str(category): label for label, category in enumerate(metainfo["category_ids"])}
        kept = [i for i, verb in enumerate(metainfo["verbs"]) if verb.replace(" ", "_") == "no_interaction"]
        return cls(ids, frozenset(str(metainfo["verb_ids"][i]) for i in kept), frozenset(kept))


@dataclass
class SuppressionCounts:
    """How much was suppressed: pairs with an object, and those of them whose scores became 0; images."""

    images: int = 0
    pairs: int = 0
    suppressed: int = 0


class FileSuppression:
    """Non-interaction suppression of a JSON prediction file, entry by entry.

    Args:
        suppression (NonInteractionSuppression): network, mode and thresholds.
        images (str | Path): folder of the images.
        names (FileNames, optional): default: no class is known, so thresholds of single classes have no effect.
        device (str): where the network runs. Default: ``cpu``.
        reading (BoxReading, optional): how the file writes boxes. Default: x1, y1, x2, y2 in pixels.
        keep_judgements (bool): whether entries get ``interactiveness``, which the report shows. Default: False.

    Attributes:
        signs (BoxSigns): that it writes them otherwise.
    """

    def __init__(
        self,
        suppression: NonInteractionSuppression,
        images: str | Path,
        names: FileNames | None = None,
        device: str = "cpu",
        reading: BoxReading | None = None,
        keep_judgements: bool = False,
    ):
        self.reading = reading or BoxReading(images=images)
        self.signs = BoxSigns(self.reading)
        self.suppression, self.images, self.names = suppression, Path(images), names or FileNames({})
        self.device, self.keep_judgements = device, keep_judgements
        suppression.network.to(device)
        self.counts = SuppressionCounts()
        self._load = LoadHOIImage()
        self._prepare = inference_pipeline(suppression.network.cfg)

    def __call__(self, entry: dict) -> dict:
        """An entry with changed scores; everything else, and every score that stays, is as it was."""
        pairs, ids = self.pairs(entry)
        return self.change(entry, pairs, ids, self.judge(entry, pairs))

    def change(self, entry: dict, pairs: InstanceData, ids: list[tuple[int, int]], scores: torch.Tensor) -> dict:
        """An entry with changed scores; arguments as :meth:`pairs` and :meth:`judge` give them."""
        suppressed = self.suppression.thresholds.suppressed(scores, pairs.obj_labels).tolist()
        factors = dict(zip(ids, scores[:, INTERACTIVE].tolist(), strict=True))
        if self.suppression.mode == "suppress":
            factors = {pair: 0.0 for pair, dropped in zip(ids, suppressed, strict=True) if dropped}
            self.counts.suppressed += len(factors)
        else:
            suppressed = [False] * len(ids)
        self.counts.images += 1
        self.counts.pairs += len(ids)
        changed = dict(entry, hoi_prediction=[self._changed(row, factors) for row in entry["hoi_prediction"]])
        if self.keep_judgements:
            judged = zip(ids, scores.tolist(), suppressed, strict=True)
            changed["interactiveness"] = [
                dict(subject_id=sub, object_id=obj, score=score, suppressed=dropped)
                for (sub, obj), score, dropped in judged
            ]
        return changed

    def judge(self, entry: Mapping, pairs: InstanceData) -> torch.Tensor:
        """Probabilities (P, 2) on the host; the image is read only if there is a pair, and prepared as the network's
        test pipeline says.

        Raises:
            PredictionError: the image is missing or can't be read.
        """
        if not len(pairs):
            return torch.zeros(0, 2)
        path = path_inside(self.images, entry["file_name"])
        if path is None:
            raise PredictionError(f"{OUTSIDE}. Name files below {self.images} only.")
        try:
            image = self._load.transform(dict(img_path=str(path)))["img"]
            prepared = self._prepare(dict(img=image, img_path=str(path), img_id=0))
        except BadImageError as error:
            raise PredictionError(f"{error}. Name the folder of the predicted images with --images.") from error
        scale = pairs.sub_bboxes.new_tensor(scale_of(prepared["data_samples"])).repeat(2)
        boxes = InstanceData(sub_bboxes=pairs.sub_bboxes * scale, obj_bboxes=pairs.obj_bboxes * scale).to(self.device)
        return self.suppression.network.judge(prepared["inputs"].to(self.device), boxes).cpu()

    def pairs(self, entry: Mapping) -> tuple[InstanceData, list[tuple[int, int]]]:
        """Pairs with an object, each once, and their (subject_id, object_id)."""
        rows = entry["hoi_prediction"]
        ids = list(dict.fromkeys((row["subject_id"], row["object_id"]) for row in rows if row["object_id"] >= 0))
        require_numbers([[row["subject_id"], row["object_id"], row["score"]] for row in rows], "an id or score")
        require_numbers([box["bbox"] for box in entry["predictions"]], "a coordinate")
        boxes = np.array([box["bbox"] for box in entry["predictions"]], np.float32).reshape(-1, 4)
        if not np.isfinite(boxes).all():
            raise ValueError("a box is not finite")
        self.signs.add_boxes(boxes)
        boxes = self.reading.pixels(boxes, self.reading.size(entry["file_name"], told_size(entry)))
        labels = [self.names.labels.get(str(box["category_id"]), -1) for box in entry["predictions"]]
        sub, obj = np.array(ids, np.int64).reshape(-1, 2).T
        if len(ids) and max(sub.max(), obj.max()) >= len(boxes):
            raise ValueError(f"a pair names box {max(sub.max(), obj.max())} of {len(boxes)}")
        obj_labels = torch.tensor(labels, dtype=torch.long)[torch.from_numpy(obj)]
        return new_pairs(torch.from_numpy(boxes[sub]), torch.from_numpy(boxes[obj]), obj_labels), ids

    def _changed(self, row: dict, factors: Mapping) -> dict:
        factor = factors.get((row["subject_id"], row["object_id"]))
        if factor is None or str(row.get("category_id")) in self.names.kept_verbs:
            return row
        if not isinstance(row["score"], list):
            return dict(row, score=factor * row["score"])
        kept = self.names.kept_columns
        return dict(row, score=[s if i in kept else factor * s for i, s in enumerate(row["score"])])


def read_entries(path: str | Path, metainfo: Mapping | None = None) -> list[dict]:
    """Entries of a prediction file.

    Args:
        path (str | Path): ``.json``, ``.json.gz``, or a pickle with file names (``hqm-mmdet test --out``).
        metainfo (Mapping, optional): of the data set, by whose ids the entries of a pickle are written. Default None: a
            pickle is refused.

    Raises:
        FileNotFoundError: no such file.
        CheckpointError: a pickle that is damaged or wants to run code.
        PredictionError: another format.
    """
    path = Path(path)
    if not path.is_file():
        raise FileNotFoundError(f"Prediction file {path} does not exist.")
    if path.suffix in (".pkl", ".pickle"):
        return _pickled_entries(path, metainfo)
    try:
        content = path.read_bytes()
        entries = parse_json(gzip.decompress(content) if path.suffix == ".gz" else content)
    except (ValueError, OSError, EOFError, zlib.error) as error:
        raise PredictionError(
            f"{path}: no JSON ({error}). docs/evaluation.md describes the format; DumpHOIPredictions writes it."
        ) from error
    if not isinstance(entries, list) or not all(isinstance(entry, dict) for entry in entries):
        raise PredictionError(f"{path}: expected a list of entries, see docs/evaluation.md.")
    return entries


def _pickled_entries(path: Path, metainfo: Mapping | None) -> list[dict]:
    if metainfo is None:
        raise PredictionError(f"{path}: a pickle holds no class ids; say with --dataset whose they are.")
    entries = []
    for prediction in read_predictions(path, metainfo):
        if not isinstance(prediction.image, str) or "pred_pairs" not in prediction.sample:
            raise PredictionError(
                f"{path}: entry {prediction.entry} has no file name or no pairs. Take a pickle of `hqm-mmdet test "
                "--out`, or the JSON format of docs/evaluation.md."
            )
        pairs = {name: to_numpy(value) for name, value in prediction.sample["pred_pairs"].items()}
        entries.append(prediction_entry(Path(prediction.image).name, pairs, metainfo))
    return entries


def each_entry(path: str | Path, entries: list[dict], function) -> Iterator:
    """``function`` of every entry; errors name the file and the entry.

    Raises:
        PredictionError: an entry is unfit.
    """
    for n, entry in enumerate(entries):
        place = f"{path}: entry {n} ({entry.get('file_name', '?')})"
        try:
            yield function(entry)
        except PredictionError as error:
            raise PredictionError(f"{place}: {error}") from error
        except MALFORMED as error:
            problem = f"no key {error}" if isinstance(error, KeyError) else str(error)
            raise PredictionError(f"{place}: {problem}. Correct the entry, see docs/evaluation.md.") from error
