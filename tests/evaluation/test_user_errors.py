"""What a user can mend is a UserError wherever it is found, also behind mmengine's registry."""

import numpy as np
import pytest

from hqm_mmdet.datasets.overview import overview_of
from hqm_mmdet.datasets.subsets import draw_fraction
from hqm_mmdet.errors import ConfigError, UserError
from hqm_mmdet.evaluation.errors import EvaluationError, PredictionError
from hqm_mmdet.evaluation.metrics import DumpHOIPredictions, HICODetMetric, HOIBoxMetric, VCOCOMetric
from hqm_mmdet.evaluation.offline import load_evaluation_set
from hqm_mmdet.registry import METRICS
from tests.datasets.tiny_hoi import build

META = dict(
    classes=("person", "cup"),
    verbs=("hold_obj", "wave"),
    valid_pairs=np.ones((2, 2)),
    rare_triplets=(),
    subject_label=0,
)


def sample(**changes):
    boxes = np.array([[1.0, 1.0, 9.0, 9.0]])
    pairs = dict(sub_bboxes=boxes, obj_bboxes=boxes + 3, obj_labels=np.array([1]), verb_scores=np.array([[0.5, 0.1]]))
    truth = dict(boxes=np.concatenate([boxes, boxes + 3]), labels=np.array([0, 1]), hois=np.array([[0, 1, 0]]))
    return dict(img_id=0, img_path="a.jpg", pred_pairs=pairs | changes, gt_hois=truth)


@pytest.mark.parametrize("metric", (HICODetMetric, VCOCOMetric, HOIBoxMetric))
def test_scores_that_are_no_numbers(metric):
    """A training that diverged, found by the first validation."""
    made = metric()
    made.dataset_meta = META
    made.process(None, [sample()])
    with pytest.raises(EvaluationError, match=r"'a.jpg'.*finite.*(weights|inputs)"):
        made.process(None, [sample(verb_scores=np.array([[np.nan, 0.1]]))])


@pytest.mark.parametrize(
    "changes", (dict(obj_labels=np.array([7])), dict(sub_bboxes=np.full((1, 4), np.inf))), ids=("label", "box")
)
@pytest.mark.parametrize("metric", (HICODetMetric, VCOCOMetric))
def test_predictions_of_another_data_set_or_without_place(metric, changes):
    made = metric()
    made.dataset_meta = META
    with pytest.raises(EvaluationError, match=r"'a.jpg'"):
        made.process(None, [sample(**changes)])


def test_pipeline_without_ground_truth():
    made = HICODetMetric()
    made.dataset_meta = META
    without = {key: value for key, value in sample().items() if key != "gt_hois"}
    with pytest.raises(EvaluationError, match="no 'gt_hois'"):
        made.process(None, [without])


@pytest.mark.parametrize(
    "settings",
    (
        dict(type="HICODetMetric", protocol="voc"),
        dict(type="VCOCOMetric", protocol="voc"),
        dict(type="VCOCOMetric", ann_file="vcoco_test.json"),
        dict(type="DumpHOIPredictions", out_file="found.pkl"),
    ),
    ids=lambda settings: f"{settings['type']} {[*settings][-1]}",
)
def test_settings_of_metrics(settings):
    with pytest.raises(ConfigError):
        METRICS.build(settings)


@pytest.mark.parametrize("metric", (HICODetMetric(), VCOCOMetric(), HOIBoxMetric(), DumpHOIPredictions("found.json")))
def test_data_set_without_class_names(metric):
    metric.dataset_meta = {}
    with pytest.raises(ConfigError, match="metainfo lacks"):
        metric.process(None, [sample()])


@pytest.mark.parametrize(
    "options", (dict(dataset="coco"), dict(dataset="own"), dict(dataset="hoia", zero_shot="uc0")), ids=str
)
def test_settings_of_an_evaluation(options):
    with pytest.raises(ConfigError):
        load_evaluation_set(ann_file="test.json", **options)


def test_settings_of_data_sets(tmp_path):
    files = dict(ann_file=str(tmp_path / "test.json"), lazy_init=True)
    with pytest.raises(ConfigError, match="on_bad_image"):
        build(**files, on_bad_image="ignore")
    with pytest.raises(ConfigError, match="no zero-shot split"):
        build("HICODetDataset", **files, zero_shot="mine")
    with pytest.raises(ConfigError, match="fraction"):
        draw_fraction([1, 2], 0)
    with pytest.raises(UserError, match="same classes"):
        overview_of([])


def test_errors_of_files_are_errors_of_evaluations():
    assert issubclass(PredictionError, EvaluationError)
    assert issubclass(EvaluationError, UserError) and issubclass(EvaluationError, ValueError)
