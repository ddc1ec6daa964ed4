"""docs/adding_a_metric.md: its metric, taken from the page, gives answers that are known."""

import numpy as np
import pytest
from mmengine.config import Config

from hqm_mmdet.registry import METRICS
from tests.evaluation.samples import make_sample, run
from tests.page_example import page_example

FILES = ["triplet_recall.py", "configs/qpic_toy_recall.py"]
BOXES = [[0, 0, 50, 50], [30, 30, 90, 90]]
FAR = [[200, 200, 250, 250], [230, 230, 290, 290]]
HOLD_PET = [[0, 1, 0], [0, 1, 1]]  # a dog, held and petted by one person


@pytest.fixture(scope="module")
def evaluators(tmp_path_factory):
    """The evaluators of the page's config; loading it imports the metric."""
    with page_example("adding_a_metric.md", tmp_path_factory.mktemp("project"), FILES, "TripletRecall") as folder:
        yield Config.fromfile(folder / "configs" / "qpic_toy_recall.py").val_evaluator


def image(img_id, scores, hois=HOLD_PET, pred_boxes=BOXES):
    """A person and a dog, labelled as ``hois`` say; one predicted pair with a score per verb."""
    truth = dict(boxes=BOXES, labels=[0, 2], hois=hois)
    pred = dict(boxes=np.array(pred_boxes, np.float32), labels=[0, 2], verb_scores=[scores], sub_ids=[0])
    return make_sample(truth, pred, img_id)


def recall(evaluators, samples, k):
    metric = METRICS.build({**evaluators[1], "k": k, "bootstrap": 0})
    return run(metric, samples)[f"recall/at_{k}"]


@pytest.mark.parametrize(
    "k, samples, wanted",
    [
        (10, [image(0, [0.9, 0.8, 0.1])], 1.0),
        (1, [image(0, [0.9, 0.8, 0.1])], 0.5),  # one candidate, two labelled triplets
        (1, [image(0, [0.1, 0.2, 0.9])], 0.0),  # the best is a verb that is not labelled
        (10, [image(0, [0.9, 0.8, 0.1], pred_boxes=FAR)], 0.0),
        (1, [image(0, [0.9, 0.8, 0.1]), image(1, [0.9, 0.8, 0.1], hois=HOLD_PET[:1])], 2 / 3),
    ],
)
def test_known_answers(evaluators, k, samples, wanted):
    assert recall(evaluators, samples, k) == pytest.approx(wanted)


def test_nothing_labelled_is_no_number(evaluators):
    assert np.isnan(recall(evaluators, [image(0, [0.9, 0.8, 0.1], hois=[])], 10))


def test_config_stands_beside_the_other_metric_with_intervals(evaluators):
    assert [evaluator.type for evaluator in evaluators] == ["HICODetMetric", "TripletRecall"]
    metric = METRICS.build(evaluators[1])
    samples = [image(i, [0.9, 0.8, 0.1], pred_boxes=BOXES if i % 2 else FAR) for i in range(20)]
    result = run(metric, samples)
    assert result["recall/at_10_low"] < result["recall/at_10"] == 0.5 < result["recall/at_10_high"]
