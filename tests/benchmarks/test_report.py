"""The benchmark of the report runs on a few real images."""

import json

import pytest


@pytest.mark.parity
@pytest.mark.parametrize("dataset", ["hico", "vcoco"])
def test_steps_and_totals(script, data_dir, monkeypatch, capsys, dataset):
    module = script("report")
    options = f"--dataset {dataset} --limit 5 --resamples 2 --formats json"
    monkeypatch.setattr("sys.argv", ["report.py", *options.split()])
    monkeypatch.setattr(module, "DATA", data_dir)

    def here(paths, dataset, ann_file, resamples):
        module.analyse_and_print([str(path) for path in paths], dataset, str(ann_file), resamples)
        return json.loads(capsys.readouterr().out.splitlines()[-1])

    monkeypatch.setattr(module, "in_a_process_of_its_own", here)
    module.main()
    numbers = json.loads(capsys.readouterr().out.splitlines()[-1])
    row = numbers["json"]
    assert row["images"] == numbers["comparison"]["images"] == 5
    assert 0 < row["errors"] <= row["candidates"] and row["candidates"] >= 500
    steps = [value for key, value in row.items() if key.endswith("_s") and key not in ("total_s", "process_s")]
    assert 0 < row["page_mb"] < 1 and len(steps) == 7 and sum(steps) == pytest.approx(row["total_s"])
