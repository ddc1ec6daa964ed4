"""Mining in two processes without ``find_unused_parameters``, one of which has no pair, and after a resume."""

import json
import os
import socket
import subprocess
import sys
from pathlib import Path

import pytest

SCRIPT = Path(__file__).with_name("mining_training.py")
ITERATIONS = 12


@pytest.fixture(scope="module")
def train():
    """Function that trains in two processes and returns the lines that each wrote."""
    environment = {
        **os.environ,
        "OMP_NUM_THREADS": "1",
        "PYTHONPATH": str(SCRIPT.parents[2]),
        "CUDA_VISIBLE_DEVICES": "",
        "WORLD_SIZE": "2",
        "MASTER_ADDR": "127.0.0.1",
    }
    pipes = dict(stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, bufsize=1)
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        environment["MASTER_PORT"] = str(free.getsockname()[1])
    with subprocess.Popen([sys.executable, str(SCRIPT)], env=environment, **pipes) as server:

        def run(work_dir, **options):
            server.stdin.write(json.dumps(dict(work_dir=str(work_dir), **options)) + "\n")
            answers = (line.split() for line in server.stdout)
            codes = next(words[1:] for words in answers if words[:1] == ["status"])
            logs = "\n".join(file.read_text() for file in sorted(Path(work_dir).glob("rank_*.log")))
            assert codes == ["0", "0"], logs
            return [read(Path(work_dir) / f"rank_{rank}.jsonl") for rank in range(2)]

        yield run
        server.stdin.close()


def read(path):
    return [json.loads(line) for line in path.read_text().splitlines()]


def assert_ranks_agree(first, second):
    """Same rounds and parameters, although only the first process has pairs, and nobody searches unused parameters."""
    assert len(first) == len(second)
    for one, two in zip(first, second, strict=True):
        assert one["iter"] == two["iter"]
        assert one["round"] == two["round"]
        assert one["parameters"] == two["parameters"]
        assert one["pairs"] > 0 and two["pairs"] == 0
        assert one["finds_unused"] is two["finds_unused"] is False


@pytest.mark.parametrize("strategy", ("ajl", "pjl", "cjl"))
def test_ranks_stay_equal_with_one_that_has_no_pair(train, tmp_path, strategy):
    first, second = train(tmp_path / "run", strategy=strategy)
    assert_ranks_agree(first, second)
    assert [line["iter"] for line in first] == list(range(ITERATIONS))
    assert [line["round"] for line in first] == ([0, 1] * 6 if strategy == "ajl" else [0] * ITERATIONS)
    assert len({line["parameters"] for line in first}) == ITERATIONS  # every iteration changed the weights
    assert all(line["hard"] for line in first)


def test_hotr_with_a_process_that_has_no_pair(train, tmp_path):
    first, second = train(tmp_path / "run", detector="HOTR", amp=True)
    assert_ranks_agree(first, second)
    assert [line["round"] for line in first] == [0, 1] * 6
    assert len({line["parameters"] for line in first}) == ITERATIONS
    assert "gbs.loss_sub_pointer" in first[0]["hard"] and "amm.loss_obj_pointer" in first[1]["hard"]


def test_ranks_of_other_detectors_stay_equal(train, tmp_path):
    first, second = train(tmp_path / "run", detector="ConditionalHOI")
    assert_ranks_agree(first, second)
    assert [line["round"] for line in first] == [0, 1] * 6
    assert len({line["parameters"] for line in first}) == ITERATIONS
    assert all(line["hard"] for line in first)


@pytest.mark.parametrize("detector", ("QPIC", "HOTR"))
def test_resume_in_mid_epoch_goes_on_with_the_same_round(train, tmp_path, detector):
    whole, _ = train(tmp_path / "whole", detector=detector)
    rest, other = train(tmp_path / "rest", detector=detector, resume=str(tmp_path / "whole" / "iter_9.pth"))
    assert_ranks_agree(rest, other)
    assert rest == whole[9:]
    assert rest[0]["round"] == 1  # 9 is odd, and lies in the middle of the second epoch


def test_accumulation_takes_one_round_per_update(train, tmp_path):
    first, second = train(tmp_path / "run", accumulate=2)
    assert_ranks_agree(first, second)
    assert [line["round"] for line in first] == [0, 0, 1, 1] * 3
    states = [line["parameters"] for line in first]
    assert states[1::2] == states[2::2] + states[-1:]  # weights change with every second batch
    assert len(set(states[1::2])) == ITERATIONS // 2


def test_bf16(train, tmp_path):
    first, second = train(tmp_path / "run", amp=True)
    assert_ranks_agree(first, second)
    assert len({line["parameters"] for line in first}) == ITERATIONS


@pytest.mark.parametrize("detector", ("CDN", "GENVLKT", "HOICLIP"))
def test_two_decoders_with_bf16_and_a_resume(train, tmp_path, detector):
    options = dict(amp=True, detector=detector)
    first, second = train(tmp_path / "whole", **options)
    assert_ranks_agree(first, second)
    assert [line["round"] for line in first] == [0, 1] * 6
    assert len({line["parameters"] for line in first}) == ITERATIONS
    assert all(line["hard"] for line in first)
    rest, _ = train(tmp_path / "rest", resume=str(tmp_path / "whole" / "iter_9.pth"), **options)
    assert rest == first[9:]


def losses(lines):
    return [line["loss"] for line in lines]


def test_fsdp_trains_as_plain_processes_do_and_either_resumes_the_other(train, tmp_path):
    # gradients are clipped, and a process that did so by the norm of its own part would go elsewhere
    plain, _ = train(tmp_path / "plain", max_norm=0.1)
    sharded, other = train(tmp_path / "sharded", max_norm=0.1, sharded=True)
    assert losses(sharded) == pytest.approx(losses(plain), rel=1e-4)
    assert [line["round"] for line in sharded] == [line["round"] for line in other] == [0, 1] * 6
    for name, source in (("sharded", "sharded"), ("sharded", "plain"), ("plain", "sharded")):
        resume = str(tmp_path / source / "iter_9.pth")
        rest, _ = train(tmp_path / f"{name}_of_{source}", max_norm=0.1, sharded=name == "sharded", resume=resume)
        assert losses(rest) == pytest.approx(losses(plain[9:]), rel=1e-4), (name, source)
        assert [line["round"] for line in rest] == [1, 0, 1]
