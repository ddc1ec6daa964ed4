"""Images of the evaluation cases as predicted samples."""

import numpy as np
import torch

from hqm_mmdet.structures import HOIDataSample, new_pairs
from tests.evaluation.cases import NUM_VERBS

META = dict(
    classes=("person", "cup", "dog", "bike"),
    verbs=("hold", "pet", "ride"),
    valid_pairs=np.array([[1, 1, 1, 1], [1, 0, 1, 0], [0, 0, 1, 1]]),
    rare_triplets=[(1, 0), (2, 2)],
)


def make_sample(gt, pred, img_id, num_verbs=NUM_VERBS):
    """One image of ``random_images`` as the model's predict step and the test pipeline give it."""
    boxes, labels = torch.tensor(pred["boxes"]).reshape(-1, 4), torch.tensor(pred["labels"], dtype=torch.long)
    n = len(pred["sub_ids"])
    truth = dict(
        boxes=np.array(gt["boxes"], dtype=np.float64).reshape(-1, 4),
        labels=np.array(gt["labels"], dtype=int),
        hois=np.array(gt["hois"], dtype=int).reshape(-1, 3),
    )
    sample = HOIDataSample(metainfo=dict(img_id=img_id, img_path=f"images/{img_id}.jpg", gt_hois=truth))
    scores = torch.tensor(pred["verb_scores"]).reshape(n, num_verbs)
    sample.pred_pairs = new_pairs(boxes[:n], boxes[n:], labels[n:], obj_scores=torch.ones(n), verb_scores=scores)
    return sample


def run(metric, samples, size=None, meta=META):
    """Evaluate samples with a metric."""
    metric.dataset_meta = metric.dataset_meta or meta
    metric.process({}, samples)
    return metric.evaluate(len(samples) if size is None else size)
