"""Pairs that score HOI classes, in metrics and prediction files."""

import json

import numpy as np
import pytest
import torch
from mmengine.evaluator import DumpResults

from hqm_mmdet.evaluation.errors import EvaluationError
from hqm_mmdet.evaluation.functional import TripletCoder
from hqm_mmdet.evaluation.metrics import DumpHOIPredictions, HICODetMetric
from hqm_mmdet.evaluation.metrics.records import hoi_columns, pairs_by_verb
from hqm_mmdet.evaluation.offline import read_predictions
from hqm_mmdet.structures import HOIClasses, HOIDataSample, load_hoi_classes, new_pairs
from tests.models.tiny_text import HOIS

CLASSES = load_hoi_classes(HOIS)  # hold/kick ball, hold cup, ride/feed horse, hold person, wave
CODER = TripletCoder(4, 5)
META = dict(
    classes=CLASSES.object_names,
    verbs=CLASSES.verb_names,
    valid_pairs=np.ones((5, 4)),
    rare_triplets=[(1, 0)],
)


def sample(scores, labels, name="a.jpg", hois=CLASSES, truth=((0, 1, 0),)):
    """Every pair has the same two boxes; the annotation holds a person and a ball there."""
    count = len(labels)
    sub, obj = (torch.tensor([box] * count, dtype=torch.float).reshape(-1, 4) for box in ([0, 0, 9, 9], [5, 5, 30, 30]))
    pairs = new_pairs(sub, obj, torch.tensor(labels), hoi_scores=torch.tensor(scores).reshape(count, len(hois)))
    pairs.set_metainfo(dict(hois=hois))
    result = HOIDataSample(metainfo=dict(img_id=name, img_path=name))
    result.pred_pairs = pairs
    result.set_metainfo(
        dict(
            gt_hois=dict(
                boxes=np.array([[0, 0, 9, 9], [5, 5, 30, 30]], float), labels=np.array([0, 1]), hois=np.array(truth)
            )
        )
    )
    return result


def one_hot(column, score=0.9):
    return [score if i == column else 0.0 for i in range(len(CLASSES))]


def evaluated(*samples):
    metric = HICODetMetric()
    metric.dataset_meta = META
    metric.process(None, list(samples))
    return metric.evaluate(len(samples))


def test_the_class_is_that_of_the_hoi_not_of_the_pair():
    """The pair's own label, cup, has no say."""
    assert evaluated(sample([one_hot(0)], [2]))["hico/full"] == pytest.approx(1, abs=1e-6)


def test_an_image_without_pairs_counts():
    assert evaluated(sample([], []))["hico/full"] == 0


def test_candidates_are_the_best_of_all_pairs_and_classes():
    from hqm_mmdet.evaluation.metrics.records import make_record
    from hqm_mmdet.evaluation.metrics.vocabulary import EvalVocabulary

    torch.manual_seed(0)
    scores = torch.rand(3, len(CLASSES))
    record = make_record(sample(scores.tolist(), [1, 2, 4]), EvalVocabulary.from_metainfo(META), top_k=5)
    best = scores.flatten().topk(5)
    np.testing.assert_allclose(record.preds.scores, best.values)
    _, objects, verbs = CODER.decode(record.preds.classes)
    assert objects.tolist() == [CLASSES.objects[i % len(CLASSES)] for i in best.indices.tolist()]
    assert verbs.tolist() == [CLASSES.verbs[i % len(CLASSES)] for i in best.indices.tolist()]


def test_classes_of_another_data_set_are_refused():
    other = HOIClasses(CLASSES.verb_names[:3], CLASSES.object_names, (0,), (1,))
    with pytest.raises(EvaluationError, match=r"'a.jpg'.*4 objects and 3 verbs, the data set has 4 and 5"):
        evaluated(sample([[0.5]], [1], hois=other))


def test_verb_scores_are_the_best_of_their_classes():
    scores = torch.rand(2, len(CLASSES))
    pairs = sample(scores.tolist(), [1, 2]).pred_pairs.to_dict()
    *_, verbs = pairs_by_verb(pairs, "a.jpg")
    assert verbs.shape == (2, 5)
    np.testing.assert_allclose(verbs[:, 0], scores[:, [0, 2, 5]].amax(1))
    np.testing.assert_allclose(verbs[:, 4], scores[:, 6])
    assert hoi_columns(dict(verb_scores=verbs), CODER, "a.jpg") is None


def test_sliced_pairs_keep_their_classes():
    pairs = sample(torch.rand(3, len(CLASSES)).tolist(), [1, 2, 3]).pred_pairs
    assert pairs[torch.tensor([2, 0])].hois is pairs.to("cpu").hois is CLASSES


def test_prediction_file_names_the_object_of_each_hoi(tmp_path):
    dump = DumpHOIPredictions(str(tmp_path / "out.json"), top_k=3)
    dump.dataset_meta = META
    scores = [[0.9, 0.1, 0.8, 0, 0, 0, 0.7]]
    dump.process(None, [sample(scores, [1])])
    dump.evaluate(1)
    (entry,) = json.loads((tmp_path / "out.json").read_text())
    named = {
        (hoi["category_id"], entry["predictions"][hoi["object_id"]]["category_id"] if hoi["object_id"] >= 0 else None)
        for hoi in entry["hoi_prediction"]
    }
    assert named == {(1, 2), (1, 3), (5, None)}  # hold a ball, hold a cup, wave; ids count from 1
    assert [round(hoi["score"], 6) for hoi in entry["hoi_prediction"]] == [0.9, 0.8, 0.7]


def test_dumped_results_are_read_again(tmp_path):
    """``hqm-mmdet test --out`` writes them; the classes travel along."""
    metric = DumpResults(str(tmp_path / "out.pkl"))
    metric.process(None, [sample([one_hot(0)], [2]).to_dict()])
    metric.evaluate(1)
    meta = dict(META, category_ids=(1, 2, 3, 4), verb_ids=(1, 2, 3, 4, 5))
    (read,) = read_predictions(tmp_path / "out.pkl", meta)
    pairs = read.sample["pred_pairs"]
    assert read.image == "a.jpg" and pairs["hois"] == CLASSES
    np.testing.assert_allclose(pairs["hoi_scores"], [one_hot(0)])
