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
import time
from collections.abc import Callable
from contextlib import contextmanager
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))  # a checkout runs its own package, installed or not

import torch
from mmengine.config import Config

ROOT = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(ROOT), str(ROOT / "benchmarks")]

from page import write_part  # noqa: E402

from hqm_mmdet.apis import build_model  # noqa: E402
from hqm_mmdet.models.query_mining import LearnablePass  # noqa: E402
from hqm_mmdet.structures import HOIDataSample, new_pairs  # noqa: E402

CONFIG = ROOT / "configs" / "qpic_hqm_hico.py"
SIZES = ("320x320", "800x1066")
ROUNDS = {"gbs": 0, "amm": 1}


def make_batch(size: tuple[int, int], batch: int, pairs: int, cfg: Config) -> tuple[torch.Tensor, list[HOIDataSample]]:
    """Noise images with random pairs inside."""
    height, width = size
    scale = torch.tensor([width, height, width, height])
    samples = []
    for i in range(batch):
        corners = [torch.rand(pairs, 2) * 0.5 for _ in range(2)]
        boxes = [torch.cat([low, low + 0.1 + 0.4 * torch.rand(pairs, 2)], 1) * scale for low in corners]
        verbs = torch.zeros(pairs, cfg.model.bbox_head.num_verbs)
        verbs[torch.arange(pairs), torch.randint(verbs.shape[1], (pairs,))] = 1
        sample = HOIDataSample(metainfo=dict(img_path=f"noise {i}", img_shape=size, ori_shape=size))
        labels = torch.randint(cfg.model.bbox_head.num_obj_classes, (pairs,))
        sample.gt_pairs = new_pairs(*boxes, labels, verb_labels=verbs)
        samples.append(sample)
    return torch.randn(batch, 3, height, width), samples


def train_step(model, batch) -> None:
    """Forward, loss, backward."""
    model.zero_grad(set_to_none=True)
    sum(model(*batch, mode="loss").values()).backward()


def predict(model, batch) -> None:
    """Inference with post-processing."""
    with torch.inference_mode():
        model(*batch, mode="predict")


def interleaved(steps: dict[str, Callable[[], None]], repeats: int) -> dict[str, dict[str, float]]:
    """Median wall and CPU seconds of each step; all take turns, the first turn is not counted."""
    times = {name: [] for name in steps}
    for _ in range(repeats + 1):
        for name, step in steps.items():
            wall, cpu = time.perf_counter(), time.process_time()
            step()
            times[name].append((time.perf_counter() - wall, time.process_time() - cpu))
    return {
        name: dict(wall=statistics.median(w for w, _ in t[1:]), cpu=statistics.median(c for _, c in t[1:]))
        for name, t in times.items()
    }


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
        memory.keys_values(model.decoder)  # belongs to both passes; a constant for both here
    head, targets = model.bbox_head, model.bbox_head.targets(batch[1])

    def learnable():
        queries = model.learnable_queries(memory)
        queries.rule = model.query_mining.learnable_rule()
        preds = head(model.decode(queries, memory))
        return LearnablePass(queries, memory, targets, head.assign(preds, targets)), preds

    def whole_learnable():
        result, preds = learnable()
        sum(head.loss(preds, targets, result.assigned).values()).backward()

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
    batch = make_batch(tuple(map(int, size.split("x"))), args.batch, args.pairs, cfg)

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
    plain.eval(), mined.eval()
    inference = {"plain": lambda: predict(plain, batch), "hqm": lambda: predict(mined, batch)}
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
