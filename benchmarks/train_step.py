#!/usr/bin/env python
"""What query mining costs: training steps of QPIC with and without HQM, interleaved in one process.

A step is forward, loss and backward. Ratios are of process CPU time, because wall time on a shared machine measures the
neighbours too. Prints a table (--page writes it into a page as well) and, as last line, the same figures as JSON.
"""

import argparse
import json
import platform
import resource
import statistics
import sys
from contextlib import contextmanager
from pathlib import Path

import torch
from mmengine.config import Config

ROOT = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(ROOT), str(ROOT / "benchmarks")]

from page import write_part  # noqa: E402
from step_timing import interleaved, make_batch, predict_step, train_step  # noqa: E402

from hqm_mmdet.apis import build_model  # noqa: E402
from hqm_mmdet.models.query_mining import LearnablePass  # noqa: E402

CONFIG = ROOT / "configs" / "qpic_hqm_hico.py"
SIZES = ("320x320", "800x1066")
ROUNDS = {"gbs": 0, "amm": 1}


@contextmanager
def saved_bytes(total: list[int]):
    """Bytes that autograd keeps for the backward pass, each storage counted once."""
    seen = {}

    def pack(tensor):
        seen[tensor.untyped_storage().data_ptr()] = tensor.untyped_storage().nbytes()
        return tensor

    with torch.autograd.graph.saved_tensors_hooks(pack, lambda tensor: tensor):
        yield
    total.append(sum(seen.values()))


def activations(model, batch) -> float:
    """MiB kept between forward and backward."""
    total = []
    with saved_bytes(total):
        losses = model(*batch, mode="loss")
    del losses
    return total[0] / 2**20


def decoder_share(model, batch, repeats: int) -> dict[str, float]:
    """CPU time of each hard pass (mining, decoding, heads, loss, backward) over the learnable pass's."""
    with torch.no_grad():
        memory = model.encode(*batch)
    head = model.bbox_head

    def learnable():
        queries = model.query_mining.prepare(model.learnable_queries(memory))
        preds = head(model.decode(queries, memory))
        targets = head.targets(batch[1])
        return LearnablePass(queries, memory, targets, head.assign(preds, targets)), preds

    def whole_learnable():
        result, preds = learnable()
        sum(head.loss(preds, result.targets, result.assigned).values()).backward()

    def hard(name):
        model.query_mining.take_round(ROUNDS[name])
        with torch.no_grad():
            given, _ = learnable()

        def step():
            model.query_mining.take_round(ROUNDS[name])
            sum(model._hard_loss(given).values()).backward()

        return step

    timed = interleaved({"learnable": whole_learnable, **{name: hard(name) for name in ROUNDS}}, repeats)
    return {name: timed[name]["cpu"] / timed["learnable"]["cpu"] for name in ROUNDS}


def measure(size: str, args: argparse.Namespace) -> dict[str, float]:
    """All figures of one image size."""
    torch.manual_seed(0)
    cfg = Config.fromfile(args.config)
    mined = build_model(cfg).train()
    cfg.model.query_mining = None
    plain = build_model(cfg).train()
    plain.load_state_dict(mined.state_dict(), strict=False)
    batch = make_batch(tuple(map(int, size.split("x"))), args.batch, args.pairs, plain.bbox_head)

    def mined_step(name):
        def step():
            mined.query_mining.take_round(ROUNDS[name])
            train_step(mined, batch)

        return step

    steps = {"plain": lambda: train_step(plain, batch), **{name: mined_step(name) for name in ROUNDS}}
    timed = interleaved(steps, args.repeats)
    row = {f"{name}_{kind}_s": value for name, times in timed.items() for kind, value in times.items()}
    row |= {f"{name}_ratio": timed[name]["cpu"] / timed["plain"]["cpu"] for name in ROUNDS}
    row["mean_ratio"] = statistics.mean(row[f"{name}_ratio"] for name in ROUNDS)
    row |= {f"{name}_hard_over_learnable": v for name, v in decoder_share(mined, batch, args.repeats).items()}
    row["plain_saved_mib"] = activations(plain, batch)
    for name, index in ROUNDS.items():
        mined.query_mining.take_round(index)
        row[f"{name}_saved_mib"] = activations(mined, batch)
    cfg.model.checkpointed = True
    row["checkpointed_saved_mib"] = activations(build_model(cfg).train(), batch)
    plain.eval(), mined.eval()
    inference = {"plain": lambda: predict_step(plain, batch), "hqm": lambda: predict_step(mined, batch)}
    timed = interleaved(inference, args.repeats)
    row["inference_ratio"] = timed["hqm"]["cpu"] / timed["plain"]["cpu"]
    row["process_peak_mib"] = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**10
    return row


def as_markdown(results: dict[str, dict[str, float]]) -> str:
    """A row per figure, a column per image size."""
    lines = [f"| | {' | '.join(results)} |", "| --- " * (len(results) + 1) + "|"]
    for name in next(iter(results.values())):
        lines.append(f"| {name} | {' | '.join(f'{row[name]:.3f}' for row in results.values())} |")
    return "\n".join(lines)


def main() -> None:
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--config", type=Path, default=CONFIG, help="a config with GBS and AMM as rounds 0 and 1")
    parser.add_argument("--sizes", nargs="+", default=SIZES, help="height x width")
    parser.add_argument("--batch", type=int, default=2)
    parser.add_argument("--pairs", type=int, default=10, help="per image")
    parser.add_argument("--repeats", type=int, default=7)
    parser.add_argument("--page", type=Path, help="Markdown file whose table is replaced")
    args = parser.parse_args()
    torch.set_num_threads(1)
    results = {size: measure(size, args) for size in args.sizes}
    setting = (
        f"batch {args.batch}, {args.pairs} pairs per image, one thread, medians of {args.repeats}, "
        f"torch {torch.__version__}, {platform.machine()}"
    )
    text = f"{setting}\n\n{as_markdown(results)}"
    print(f"{text}\n{json.dumps(results)}")
    if args.page:
        write_part(args.page, "python benchmarks/train_step.py", text)


if __name__ == "__main__":
    main()
