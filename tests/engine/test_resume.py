"""Whatever moment training dies at, going on gives what the uninterrupted run gives."""

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest
import torch

from hqm_mmdet.safe_loading import load_untrusted

SCRIPT = Path(__file__).with_name("small_training.py")


@pytest.fixture(scope="module")
def train():
    """Function that trains in a process of its own and returns the exit status, negative for a signal."""
    environment = {**os.environ, "OMP_NUM_THREADS": "1", "PYTHONPATH": str(SCRIPT.parents[2])}
    pipes = dict(stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, bufsize=1)
    with subprocess.Popen([sys.executable, str(SCRIPT)], env=environment, **pipes) as server:

        def run(work_dir, **options):
            server.stdin.write(json.dumps(dict(work_dir=str(work_dir), **options)) + "\n")
            answers = (line.split() for line in server.stdout)
            return next(int(words[1]) for words in answers if words[:1] == ["status"])

        yield run
        server.stdin.close()


def log(work_dir):
    return Path(f"{work_dir}.log").read_text()


def losses(work_dir):
    """Per run iteration number -> everything logged for it."""
    seen = {}
    for line in (Path(work_dir) / "losses.jsonl").read_text().splitlines():
        entry = json.loads(line)
        seen.setdefault(entry["iter"], set()).add((entry["epoch"], entry["batch_idx"], entry["loss"]))
    return seen


def assert_same_end(whole, pieces):
    """Weights, optimizer and best checkpoint are equal to the last bit."""
    names = [sorted(p.name for p in Path(folder).glob("best_*")) for folder in (whole, pieces)]
    assert names[0] == names[1] and len(names[0]) == 1
    for name in ("epoch_4.pth", names[0][0]):
        a, b = (load_untrusted(Path(folder) / name) for folder in (whole, pieces))
        assert a["meta"]["iter"] == b["meta"]["iter"]
        for key, value in a["state_dict"].items():
            assert torch.equal(value, b["state_dict"][key]), key
        if "optimizer" in a:
            for index, state in a["optimizer"]["state"].items():
                assert all(torch.equal(value, b["optimizer"]["state"][index][key]) for key, value in state.items())
            assert a["param_schedulers"] == b["param_schedulers"]
            best = [c["message_hub"]["runtime_info"]["best_score"] for c in (a, b)]
            assert best[0] == best[1]


# Moments of one chain of runs in the same folder, and from which iteration the next run goes on.
CHAINS = {
    "mid-epoch, 2 workers": (
        dict(workers=2, iter_interval=2),
        [
            ("half:1", 0),  # cut while the first checkpoint is written: nothing to resume from
            ("iter:3", 2),
            ("half:3", 4),  # iter_4 and its last_checkpoint are complete, epoch_1 is cut
            ("rename:5", 5),  # best_..._epoch_1 and epoch_1 are there, last_checkpoint is not renamed
            ("renamed:3", 8),  # iter_8 is there, last_checkpoint still names iter_6
            ("val:2", 10),  # within a validation
            ("term:13", 13),
            ("int:14", 14),
            ("termval:3", 15),
            ("", None),
        ],
    ),
    "gradient accumulation, bf16": (
        dict(accumulate=3, amp=True),  # epochs of 5: updates after 3, 6, 9, ...; epoch_1 and epoch_2 are put off
        [("iter:8", 6), ("term:13", 15), ("iter:19", 15), ("", None)],
    ),
}


@pytest.mark.parametrize("name", CHAINS)
def test_killed_runs_end_as_the_whole_run(name, train, tmp_path):
    options, moments = CHAINS[name]
    whole, pieces = tmp_path / "whole", tmp_path / "pieces"
    assert train(whole, **options) == 0, log(whole)
    start, trained = 0, 0
    for moment, resumes_at in moments:
        stops = {"": 0, "ter": 128 + signal.SIGTERM, "int": 128 + signal.SIGINT}
        expected = stops.get(moment[:3], -signal.SIGKILL)
        assert train(pieces, moment=moment, **options) == expected, log(pieces)
        new = (pieces / "losses.jsonl").read_text().splitlines()[trained:]
        assert not new or json.loads(new[0])["iter"] == start, f"the run until {moment} began with {new[0]}"
        start, trained = resumes_at, trained + len(new)
    assert losses(pieces) == losses(whole)
    assert not list(pieces.glob("*.incomplete"))
    stopped = sum(moment[:3] in ("ter", "int") for moment, _ in moments)
    assert log(pieces).count("Go on with\n") == stopped
    assert_same_end(whole, pieces)


def test_losses_do_not_depend_on_the_number_of_workers(train, tmp_path):
    for workers in (0, 2):
        assert train(tmp_path / str(workers), epochs=2, workers=workers) == 0
    assert losses(tmp_path / "0") == losses(tmp_path / "2")
    assert len({loss for values in losses(tmp_path / "0").values() for *_, loss in values}) == 10
