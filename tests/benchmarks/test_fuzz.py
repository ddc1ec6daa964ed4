"""The campaign itself: it repeats, and it can fail."""

import json
import subprocess
import sys
from random import Random

import pytest

from hqm_mmdet.errors import ConfigError
from tests.benchmarks.conftest import BENCHMARKS


@pytest.fixture(scope="module")
def mutation(script):
    return script("fuzz.mutation")


@pytest.fixture(scope="module")
def verdict(script):
    return script("fuzz.verdict")


def test_an_input_is_the_same_in_every_run(mutation):
    value = [dict(file_name="a.jpg", annotations=[dict(bbox=[1, 2, 3, 4], category_id=1)])]

    def inputs(seed):
        rng = Random(f"{seed} annotations 3")
        return mutation.json_bytes(rng, mutation.mutate_value(rng, value, 3)), mutation.mutate_bytes(rng, b"abc" * 9)

    assert inputs(0) == inputs(0) and value == json.loads(json.dumps(value))
    assert len({inputs(seed) for seed in range(30)}) > 25


@pytest.mark.parametrize(
    "error, outcome",
    (
        (None, "done"),
        (ConfigError("fuzz.json: wrong"), "told"),
        (ConfigError("wrong"), "failed"),  # of which file?
        (ConfigError(""), "failed"),
        (ConfigError("fuzz.json: Traceback (most recent call last)"), "failed"),
        (ConfigError("fuzz.json" * 10_000), "failed"),
        (KeyError("fuzz.json"), "failed"),
        (RecursionError("fuzz.json"), "failed"),
        (MemoryError("fuzz.json"), "failed"),
        (SystemExit(1), "failed"),
    ),
)
def test_anything_but_success_or_a_clear_message_fails(verdict, error, outcome):
    def action():
        if error is not None:
            raise error

    assert verdict.judge(action, ("fuzz.json",)).outcome == outcome


def test_an_endless_input_fails(verdict, monkeypatch):
    monkeypatch.setattr(verdict, "SECONDS", 1)

    def action():
        while True:
            pass

    assert verdict.judge(action).outcome == "failed"


def test_commands(verdict, tmp_path):
    assert verdict.run_command("eval", "--help").outcome == "done"
    told = verdict.run_command("eval", tmp_path / "none.json", "--ann-file", tmp_path / "none.json")
    assert told.outcome == "told" and "none.json" in told.detail


def test_a_small_campaign(tmp_path):
    command = [sys.executable, BENCHMARKS / "fuzz", "--inputs", "30", "--jobs", "1", "--seed", "5"]
    command += ["--failures", tmp_path / "failures"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=300, cwd=tmp_path)
    assert done.returncode == 0 and "0 failed" in done.stdout, done.stdout + done.stderr
    assert not list(tmp_path.iterdir())
