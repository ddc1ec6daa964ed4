"""The GPU benchmark's rows, tried out on a CPU."""

import json
from argparse import Namespace
from types import SimpleNamespace

import pytest
import torch


@pytest.fixture
def gpu(script):
    return script("gpu")


@pytest.fixture
def bench(gpu, tmp_path):
    return make_bench(gpu, tmp_path)


def make_bench(gpu, folder, rows=None):
    return gpu.Bench(Namespace(device="cpu", quick=True, minutes=9, page=folder / "benchmarks.md", rows=rows))


@pytest.mark.parametrize("name", ("plain", "gbs", "amm"))
def test_parity_of_a_device_with_itself(gpu, bench, name):
    assert all(value == 0 for value in gpu.parity(bench, name).values())


def test_parity_sees_other_draws(gpu, bench, monkeypatch):
    """The record of random draws is what makes both sides comparable."""
    replayed = gpu.replayed

    def anew(model, record, store):
        torch.manual_seed(0 if record is None else 1)
        return replayed(model, None, store)

    monkeypatch.setattr(gpu, "replayed", anew)
    assert gpu.parity(bench, "gbs")["losses, largest relative difference"] > 1e-6


def test_rows_are_kept_and_errors_told(gpu, bench):
    def fail():
        raise torch.OutOfMemoryError("CUDA out of memory.\nmore")

    bench.measure("good", lambda: gpu.speed(bench, "amm", 1, "bf16"))
    bench.measure("bad", fail)
    bench.end = 0
    bench.measure("late", fail)
    rows = json.loads(bench.json.read_text())["rows"]
    assert rows["good"]["training ms"] > rows["good"]["inference ms"] > 0
    assert rows["bad"] == {"not measured": "OutOfMemoryError: CUDA out of memory."}
    assert rows["late"] == {"not measured": "time ran out"}
    assert "| bad | not measured OutOfMemoryError" in bench.page.read_text()


def test_chosen_rows_join_those_of_the_same_device(gpu, bench, tmp_path):
    def run(bench, **rows):
        for name, value in rows.items():
            bench.measure(name, lambda value=value: {"ms": value})
        return json.loads(bench.json.read_text())["rows"]

    run(bench, first=1.0, second=2.0)
    chosen = make_bench(gpu, tmp_path, rows=["seco", "third"])
    both = {"first": {"ms": 1.0}, "second": {"ms": 5.0}, "third": {"ms": 6.0}}
    assert run(chosen, first=4.0, second=5.0, third=6.0) == both
    chosen.end = 0
    assert run(chosen, second=7.0) == both, "what is there is not lost for want of time"

    other = json.loads(bench.json.read_text())
    other["environment"]["device"] = "another"
    bench.json.write_text(json.dumps(other))
    assert run(make_bench(gpu, tmp_path, rows=["third"]), third=8.0) == {"third": {"ms": 8.0}}


def test_rows_that_are_not_there_are_named(gpu, tmp_path, monkeypatch):
    page = tmp_path / "page.md"
    monkeypatch.setattr("sys.argv", ["gpu.py", "--device", "cpu", "--quick", "--page", str(page), "--rows", "sped"])
    with pytest.raises(SystemExit, match="No row's name contains any of .'sped'.*parity with the CPU, fp32, plain;"):
        gpu.main()
    assert not page.exists()


def test_data_pipeline_row(gpu, bench):
    assert gpu.idle(bench, "fp32")["iteration ms"] > 0


def test_launches_and_ratios_of_a_dry_run(gpu, bench):
    row = gpu.launch_share(bench, "amm")
    assert row["iteration ms"] > 0 and row["operations"] > 500 and "needs CUDA" in row["not measured"]
    assert "not measured" in gpu.mined_over_plain(bench)
    bench.rows |= {"plain, batch 2, fp32": {"training ms": 2.0}, "amm, batch 2, fp32": {"training ms": 3.0}}
    assert gpu.mined_over_plain(bench) == {"amm, batch 2, fp32": 1.5}


def test_overlapping_work_counts_once(gpu):
    cuda, cpu = torch.autograd.DeviceType.CUDA, torch.autograd.DeviceType.CPU
    spans = [(cuda, 0, 4e6), (cuda, 1e6, 3e6), (cuda, 2e6, 5e6), (cuda, 7e6, 8e6), (cpu, 0, 9e6)]
    events = [SimpleNamespace(device_type=d, time_range=SimpleNamespace(start=a, end=b)) for d, a, b in spans]
    assert gpu.device_busy_seconds(SimpleNamespace(events=lambda: events)) == pytest.approx(6.0)
