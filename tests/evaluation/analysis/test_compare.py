"""Two runs: differences that are known, intervals from the same resamples, refusals."""

import json
import math
from pathlib import Path

import numpy as np
import pytest

from hqm_mmdet.evaluation.analysis import analyse_file, compare, compare_files, read_run
from hqm_mmdet.evaluation.offline import load_evaluation_set
from tests.evaluation.analysis.small_sets import DATASETS, SmallSet


@pytest.fixture(scope="module")
def sets(tmp_path_factory):
    return {name: SmallSet(name, tmp_path_factory.mktemp(name), seed=1) for name in DATASETS}


def louder(found):
    """Scores times two, in one image of each three to nothing: some classes and images change."""
    changed = []
    for i, entry in enumerate(found):
        factor = 0.01 if i % 3 == 0 else 1
        rows = [dict(row, score=[s * factor for s in row["score"]]) for row in entry["hoi_prediction"]]
        changed.append(dict(entry, hoi_prediction=rows if i % 4 else rows[1:]))
    return changed


@pytest.mark.parametrize("name", DATASETS)
def test_differences(sets, name):
    small = sets[name]
    other = small.save(louder(small.found), "second.json")
    result = compare_files(small.path, other, small.images, resamples=20)
    alone = [analyse_file(path, small.images, resamples=20) for path in (small.path, other)]
    assert repr(result.first) == repr(alone[0]) and repr(result.second) == repr(alone[1])
    assert [m.key for m in result.metrics] == [m.key for m in alone[0].metrics]
    for metric, first, second in zip(result.metrics, alone[0].metrics, alone[1].metrics, strict=True):
        assert (metric.first, metric.second) == pytest.approx((first.value, second.value), nan_ok=True)
        if not math.isnan(first.value):
            assert metric.low <= metric.second - metric.first <= metric.high
    headline = next(m for m in result.metrics if m.key == result.first.headline)
    assert headline.first != headline.second
    assert [(c.verb, c.object, c.first, c.second) for c in result.classes] == [
        (a.verb, a.object, a.ap, b.ap) for a, b in zip(alone[0].classes, alone[1].classes, strict=True)
    ]
    for pairs, sign in ((result.better, 1), (result.worse, -1)):
        change = [sign * (b.ap - a.ap) for a, b in pairs]
        assert all(c > 0 for c in change) and change == sorted(change, reverse=True)
        assert all(a.file_name == b.file_name and a.num_gt == b.num_gt for a, b in pairs)
    assert result.worse


def test_a_run_and_itself(sets):
    """Paired: no difference in any resample."""
    small = sets["hico"]
    again = small.save(small.found[::-1], "again.json")
    result = compare_files(small.path, again, small.images, resamples=10)
    assert all(m.low == m.high == 0 for m in result.metrics if not math.isnan(m.first))
    assert not result.better and not result.worse
    assert result.metrics[0].first == result.metrics[0].second
    assert result.first.metrics[0].low < result.first.metrics[0].high


def test_the_same_resamples_for_both_runs(sets):
    """Of two files that are alike, the difference has an interval narrower than either value has: it is paired."""
    small = sets["hoia"]
    nearly = [
        dict(entry, hoi_prediction=entry["hoi_prediction"][: 9 if i == 2 else 10])
        for i, entry in enumerate(small.found)
    ]
    result = compare_files(small.path, small.save(nearly, "nearly.json"), small.images, resamples=50)
    difference, first = result.metrics[0], result.first.metrics[0]
    assert difference.high - difference.low < (first.high - first.low) / 2


def test_images_that_a_file_does_not_name_are_no_change(sets):
    small = sets["hico"]
    result = compare_files(small.path, small.save(small.found[6:], "part.json"), small.images, resamples=0)
    assert len(result.second.missing) == 6 and not result.worse and not result.better
    assert all(m.low is None and m.high is None for m in result.metrics)
    assert result.second.metrics[0].value < result.first.metrics[0].value


def test_names(sets, tmp_path):
    small = sets["hico"]
    (tmp_path / "predictions.json").write_text(json.dumps(small.found))
    result = compare_files(small.path, tmp_path / "predictions.json", small.images, resamples=0)
    folders = Path(small.path).parent.name, tmp_path.name
    assert (result.first.name, result.second.name) == tuple(f"{folder}/predictions.json" for folder in folders)
    result = compare_files(small.path, small.save(small.found, "b.json"), small.images, resamples=0)
    assert (result.first.name, result.second.name) == ("predictions.json", "b.json")


def test_what_cannot_be_compared(sets, tmp_path):
    small = sets["hico"]
    run = read_run(small.path, small.images)

    def other(entries, name="hico", found=small.found, **options):
        (tmp_path / "test.json").write_text(json.dumps(entries))
        (tmp_path / "found.json").write_text(json.dumps(found))
        return read_run(tmp_path / "found.json", load_evaluation_set(name, str(tmp_path / "test.json"), **options))

    with pytest.raises(ValueError, match=r"12 and 11 images that are not the same: test_011\.jpg belongs to one"):
        compare(run, other(small.entries[:-1], found=small.found[:-1]))
    with pytest.raises(ValueError, match="their order differs"):
        compare(run, other(small.entries[::-1]))
    with pytest.raises(ValueError, match="their annotations differ"):
        compare(run, other([*small.entries[:-1], dict(small.entries[0], file_name="test_011.jpg")]))
    with pytest.raises(ValueError, match=r"one was evaluated as \('hico', 'qpic'\), the other as \('hico', 'matlab'\)"):
        compare(run, other(small.entries, protocol="matlab"))
    with pytest.raises(ValueError, match="their unseen differ"):
        compare(run, other(small.entries, zero_shot="rare_first"))
    small = sets["hoia"]
    with pytest.raises(ValueError, match="their classes differ"):
        compare(run, other(small.entries, "hoia", small.found))
    assert np.isfinite(run.class_results.ap).all()
