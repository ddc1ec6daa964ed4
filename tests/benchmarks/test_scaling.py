"""The benchmark of the cost per image runs on a few real images."""

import gzip
import json

import pytest


@pytest.mark.parity
def test_a_row_counts_all_images(script, data_dir, monkeypatch, tmp_path):
    scaling, report = script("scaling"), script("report")
    monkeypatch.setattr(report, "DATA", data_dir)
    files = {}

    def analyse(paths, dataset, ann_file, resamples):
        files["predictions"] = json.loads(paths[0].read_text())
        return report.time_analysis(str(paths[0]), dataset, str(ann_file), resamples) | dict(peak_mib=1.0)

    monkeypatch.setattr(report, "in_a_process_of_its_own", analyse)
    monkeypatch.setattr(scaling, "evaluate_in_a_process_of_its_own", lambda ann_file: scaling.evaluate(str(ann_file)))
    annotated = scaling.read_annotations(str(data_dir / "hico_det/test_hico.json.gz"))[:3]
    train_file = tmp_path / "trainval_hico.json.gz"  # the real one is counted for seconds
    train_file.write_bytes(gzip.compress(json.dumps(annotated).encode()))
    measured = scaling.measure(annotated, 7, train_file, resamples=2)
    assert measured["evaluation"]["images"] == measured["report"]["images"] == 7
    entries = files["predictions"]
    assert [entry["file_name"] for entry in entries] == [f"{i:06d}.jpg" for i in range(7)]
    assert entries[0]["hoi_prediction"] == entries[3]["hoi_prediction"] == entries[6]["hoi_prediction"]
    cells = scaling.row(measured).strip("| ").split(" | ")
    assert len(cells) == scaling.HEAD.splitlines()[2].count("|") - 1 and cells[0] == "7"
