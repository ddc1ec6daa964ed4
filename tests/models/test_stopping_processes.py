"""A matching cost that is not finite in one process stops all, with the message."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


@pytest.mark.parametrize("detector,count", (("QPIC", 2), ("QPIC", 0), ("HOTR", 2)))
def test_all_processes_stop_and_name_the_image(detector, count):
    environment = dict(os.environ, OMP_NUM_THREADS="1", PYTHONPATH=str(ROOT), CUDA_VISIBLE_DEVICES="")
    command = [sys.executable, "-m", "tests.models.stopping_processes", detector, str(count)]
    # gloo gives up after 30 minutes; a process that waits for the other makes this fail instead
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stderr
    lines = [line for line in done.stdout.splitlines() if line.startswith("{")]  # the second stack greets
    answers = sorted(map(json.loads, lines), key=lambda answer: answer["rank"])
    assert [answer["rank"] for answer in answers] == [0, 1]
    for answer in answers:
        assert answer["error"] == "FloatingPointError", answer
        assert "damaged.jpg" in answer["message"] and "image_0.jpg" not in answer["message"]
