#!/usr/bin/env python
"""A table that compares detectors: size, cost, and published results. Prints Markdown.

Parameters and FLOPs (mmengine's counter, a multiply-add is one) are of the deployed model at batch size 1. A training
step is forward, loss and backward. All detectors take turns in one process, and times are given relative to the first
config's: of process CPU time on a CPU, because wall time on a shared machine measures the neighbours too; of wall time
on a GPU. Operations are what a training step dispatches, without views: on a GPU each is a launch. Published results
come from model-index.yml, nothing else does.
"""

import argparse
import sys
from functools import partial
from itertools import count
from math import prod
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
if (ROOT / "hqm_mmdet").is_dir():  # a checkout runs its own package, installed or not
    sys.path.insert(0, str(ROOT))
sys.path.append(str(ROOT / "benchmarks"))  # last: its scripts have everyday names

import torch
from launches import count_step
from mmengine.analysis import FlopAnalyzer
from mmengine.analysis.jit_handles import get_shape
from step_timing import Batch, interleaved, make_batch, predict_step, train_step
from torch import nn

from hqm_mmdet.apis import build_model
from hqm_mmdet_cli.model_index import ModelIndex

DEFAULT = ("qpic_hico", "hotr_hico", "cdn_s_hico", "conditional_hico", "genvlkt_s_hico", "hoiclip_hico")
COLUMNS = (
    "Config",
    "Parameters (M)",
    "FLOPs (G)",
    "Training step",
    "Operations",
    "Inference",
    "mAP (published)",
    "mAP with HQM (published)",
)


def find_configs(names: list[str]) -> list[Path]:
    """Files of configs that are given by path or, if they lie in configs/, by name.

    Raises:
        FileNotFoundError: names every config that does not exist.
    """
    found = {name: [p for p in (Path(name), ROOT / "configs" / f"{name}.py") if p.is_file()] for name in names}
    missing = [name for name, paths in found.items() if not paths]
    if missing:
        raise FileNotFoundError(
            f"No config {', '.join(missing)}. Give paths, or names of files in {ROOT / 'configs'} without .py."
        )
    return [paths[0] for paths in found.values()]


def published() -> dict[str, float]:
    """First published metric of each model of the index, by the name of its config."""
    return {model.name: model.published[1] for model in ModelIndex.read().models.values() if model.published}


def attention_flops(inputs: list, outputs: list) -> int:
    """Multiply-adds of fused attention, which mmengine's counter does not know: both matrix products."""
    query, key, value = (get_shape(argument) for argument in inputs[:3])
    return prod(query[:-1]) * key[-2] * (query[-1] + value[-1])


def count_flops(model: nn.Module, inputs: torch.Tensor) -> int:
    """Multiply-adds of a forward pass over images (B, 3, H, W), in evaluation mode."""
    counter = FlopAnalyzer(model.eval(), (inputs,))
    counter.set_op_handle("aten::scaled_dot_product_attention", attention_flops)
    counter.unsupported_ops_warnings(False).uncalled_modules_warnings(False).tracer_warnings("none")
    with torch.no_grad():
        return counter.total()


def training_step(model: nn.Module, batch: tuple):
    """A step to repeat; with mining every call takes the next round."""
    calls = count()

    def step():
        if model.query_mining is not None:
            model.query_mining.take_round(next(calls))
        train_step(model, batch)

    return step


def batch_for(model: nn.Module, args: argparse.Namespace) -> Batch:
    """The same noise for every model, with labels that it knows."""
    torch.manual_seed(0)
    inputs, samples = make_batch(args.size, args.batch, args.pairs, model.bbox_head)
    return inputs.to(args.device), [sample.to(args.device) for sample in samples]


def count_operations(model: nn.Module, batch: Batch) -> float:
    """Of a training step; with mining the mean over its rounds."""
    mining = model.train().query_mining
    rounds = range(len(mining.rounds)) if mining is not None else [None]
    counts = []
    for number in rounds:
        if number is not None:
            mining.take_round(number)
        model.zero_grad(set_to_none=True)
        counts.append(count_step(model, batch))
    return sum(counts) / len(counts)


def measure_times(models: dict[str, nn.Module], args: argparse.Namespace) -> dict[str, dict[str, float]]:
    """Seconds of a training step and of inference of each model, ``train`` and ``predict`` by name."""
    wait = torch.cuda.synchronize if args.device.startswith("cuda") else None
    batches = {name: batch_for(model, args) for name, model in models.items()}
    training = {name: training_step(model.train(), batches[name]) for name, model in models.items()}
    train = interleaved(training, args.repeats, wait)
    inference = {name: partial(predict_step, model.eval(), batches[name]) for name, model in models.items()}
    predict = interleaved(inference, args.repeats, wait)
    clock = "wall" if wait else "cpu"
    return {name: dict(train=train[name][clock], predict=predict[name][clock]) for name in models}


def rows(configs: list[Path], args: argparse.Namespace) -> list[list[str]]:
    """Cells of the table, a row per config."""
    # not initialised: neither size nor cost needs the files that some trainings start from
    models = {path.stem: build_model(path, initialise=False).to(args.device) for path in configs}
    results = published()
    times = measure_times(models, args)
    first = times[configs[0].stem]
    image = torch.randn(1, 3, *args.size, device=args.device)
    table = []
    for name, model in models.items():
        parameters = sum(p.numel() for n, p in model.named_parameters() if not n.startswith("query_mining."))
        method, _, dataset = name.rpartition("_")
        mined = name if "_hqm_" in name else f"{method}_hqm_{dataset}"
        row = [f"`{name}`", f"{parameters / 1e6:.2f}", f"{count_flops(model, image) / 1e9:.2f}"]
        train, predict = (f"{times[name][kind] / first[kind]:.2f}" for kind in ("train", "predict"))
        row += [train, f"{count_operations(model, batch_for(model, args)):.0f}", predict]
        row += [str(results.get(name, "-") if name != mined else "-"), str(results.get(mined, "-"))]
        table.append(row)
    return table


def markdown(table: list[list[str]], args: argparse.Namespace) -> str:
    """The table and the setting it was measured in."""
    where = torch.cuda.get_device_name(args.device) if args.device.startswith("cuda") else "1 CPU thread"
    lines = [COLUMNS, ["---"] + ["---:"] * (len(COLUMNS) - 1), *table]
    lines = ["| " + " | ".join(line) + " |" for line in lines]
    setting = (
        f"Images {'x'.join(map(str, args.size))} (height x width); times relative to {table[0][0]}, {where}, batch "
        f"{args.batch}, {args.pairs} pairs per image, medians of {args.repeats}, torch {torch.__version__}."
    )
    return "\n".join([*lines, "", setting])


def image_size(text: str) -> tuple[int, int]:
    """``320x400`` -> (320, 400)."""
    height, width = map(int, text.split("x"))  # argparse tells of the ValueError
    return height, width


def main() -> int:
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("configs", nargs="*", default=DEFAULT, help=f"names or paths; default: {' '.join(DEFAULT)}")
    parser.add_argument(
        "--size", type=image_size, default=(800, 1066), help="height x width, default 800x1066; 320x320 is quick"
    )
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--batch", type=int, default=2)
    parser.add_argument("--pairs", type=int, default=10, help="per image")
    parser.add_argument("--repeats", type=int, default=7)
    parser.add_argument("--out", type=Path, help="also write the table into this file")
    args = parser.parse_args()
    if not args.device.startswith("cuda"):
        torch.set_num_threads(1)
    try:
        text = markdown(rows(find_configs(args.configs), args), args)
    except FileNotFoundError as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    print(text)
    if args.out:
        args.out.write_text(text + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
