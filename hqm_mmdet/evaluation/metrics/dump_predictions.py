"""Predictions of a test run as a JSON file."""

import json
import os.path as osp
from collections.abc import Mapping, Sequence
from typing import Any

from mmengine.evaluator import BaseMetric
from mmengine.logging import print_log
from mmengine.structures import BaseDataElement

from hqm_mmdet.errors import ConfigError
from hqm_mmdet.registry import METRICS
from hqm_mmdet.utils.atomic_io import write_atomically

from ..writing import prediction_entry
from .records import PAIR_FIELDS, as_dict, get_field, image_name, to_numpy
from .vocabulary import require_metainfo


@METRICS.register_module()
class DumpHOIPredictions(BaseMetric):
    """Writes the JSON prediction file that ``tools/eval_predictions.py`` reads; add it to the evaluators of a config.

    Args:
        out_file (str): ends in ``.json``.
        top_k (int, optional): candidates per image, one verb per entry. 100 is all that HICO-DET's and HOI-A's metrics
            use; V-COCO's needs every score. Default: None, every score (for HICO-DET a far larger file).
        **kwargs: ``collect_device`` and ``collect_dir`` of mmengine's ``BaseMetric``.

    Raises:
        ConfigError: another ending.
    """

    def __init__(self, out_file: str, top_k: int | None = None, **kwargs) -> None:
        super().__init__(**kwargs)
        if not out_file.endswith(".json"):
            raise ConfigError(f"out_file must end in .json, got {out_file!r}.")
        self.out_file, self.top_k = out_file, top_k

    def process(self, data_batch: Any, data_samples: Sequence[dict | BaseDataElement]) -> None:
        """Keep the entries of a batch as text.

        Args:
            data_batch (Any): not used.
            data_samples (Sequence): ``img_id``, ``img_path`` and ``pred_pairs``.
        """
        metainfo = dict(require_metainfo(self.dataset_meta, ("classes", "verbs")))
        for names, ids in (("classes", "category_ids"), ("verbs", "verb_ids")):
            metainfo.setdefault(ids, range(1, len(metainfo[names]) + 1))
        for sample in map(as_dict, data_samples):
            img_id, img_path = image_name(sample)
            pairs = as_dict(get_field(sample, "pred_pairs", img_path))
            arrays = {key: to_numpy(get_field(pairs, key, img_path)) for key in PAIR_FIELDS}
            entry = prediction_entry(osp.basename(img_path), arrays, metainfo, self.top_k)
            # As text, which is far smaller than its numbers as Python objects.
            self.results.append((img_id, json.dumps(entry, separators=(",", ":"))))

    def compute_metrics(self, results: list[tuple[Any, str]]) -> Mapping[str, float]:
        """Write the file; images in the order of their first appearance, repeated ones once."""
        # Reversed: of repeated images the first one stays.
        entries = dict(reversed(results))
        text = ",\n".join(entries[img_id] for img_id in dict.fromkeys(img_id for img_id, _ in results))
        write_atomically(self.out_file, f"[{text}]\n".encode())
        print_log(f"{len(entries)} images written to {osp.abspath(self.out_file)}", logger="current")
        return {}
