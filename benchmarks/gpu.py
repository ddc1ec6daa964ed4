#!/usr/bin/env python
"""What only a GPU can show, in under ten minutes: parity with the CPU, speed, memory, idle time, synchronisations.

Needs no data and no network: weights and images are random, JPEG files for the data pipeline are made in a temporary
folder. Writes docs/benchmarks.md and docs/benchmarks_gpu.json after every row, so nothing measured is lost. Rows that
could not be measured say why. ``--device cpu --quick`` tries the script itself out on a machine without GPU.
"""

import argparse
import itertools
import json
import platform
import sys
import tempfile
import time
import warnings
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from unittest import mock

import mmdet
import mmengine
import numpy as np
import torch
from mmengine.config import Config
from mmengine.registry import init_default_scope
from mmengine.runner import Runner
from PIL import Image
from torch import nn

ROOT = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(ROOT), str(ROOT / "benchmarks")]

from launches import count_step
from page import write_part
from step_timing import make_batch
from train_step import CONFIG, ROUNDS

from hqm_mmdet.apis import build_model
from hqm_mmdet.configuring.common_settings import default_workers
from hqm_mmdet.engine import FusedAdamW
from hqm_mmdet.models.query_mining import amm

MODELS = ("plain", *ROUNDS)
PRECISIONS = ("fp32", "bf16", "bf16 compiled")
SYNCHRONISING = ("cudaStreamSynchronize", "cudaDeviceSynchronize", "cudaEventSynchronize", "cudaMemcpy")


class Bench:
    """Settings and the rows measured so far."""

    def __init__(self, args: argparse.Namespace):
        self.device = torch.device(args.device)
        self.cuda = self.device.type == "cuda"
        self.quick = args.quick
        self.size = (96, 96) if args.quick else (800, 1066)
        self.batches = (1, 2) if args.quick else (2, 16)
        self.repeats = 1 if args.quick else 8
        self.page, self.json = args.page, args.page.with_name("benchmarks_gpu.json")
        self.cfg = small_config() if args.quick else Config.fromfile(CONFIG)
        self.end = time.monotonic() + 60 * args.minutes
        self.wanted = args.rows
        self.rows: dict[str, dict] = self.earlier_rows() if args.rows else {}
        self.names: list[str] = []  # of all rows that there are

    def earlier_rows(self) -> dict[str, dict]:
        """What the JSON file holds, if this device and these versions measured it."""
        earlier = json.loads(self.json.read_text()) if self.json.exists() else {}
        return earlier["rows"] if earlier.get("environment") == self.environment() else {}

    def chosen(self, name: str) -> bool:
        """Whether a row was asked for."""
        return not self.wanted or any(text in name for text in self.wanted)

    def measure(self, name: str, row: Callable[[], dict]) -> None:
        """Run a row and write everything down. An error of one row is its result; the others go on."""
        self.names.append(name)
        if not self.chosen(name):
            return
        if time.monotonic() > self.end:
            self.rows.setdefault(name, {"not measured": "time ran out"})
        else:
            try:
                self.rows[name] = row()
            except (RuntimeError, MemoryError, ImportError) as error:  # out of memory, no compiler, ...
                self.rows[name] = {
                    "not measured": f"{type(error).__name__}: {str(error).strip().splitlines()[0][:150]}"
                }
        if self.cuda:
            torch.cuda.empty_cache()
        print(name, self.rows[name], flush=True)
        self.write()

    def model(self, name: str) -> nn.Module:
        """Detector on the device; ``name`` is ``plain`` or a round of the mining."""
        torch.manual_seed(0)
        cfg = self.cfg.copy()
        if name == "plain":
            cfg.model = dict(cfg.model, query_mining=None)
        model = build_model(cfg)
        if name != "plain":
            model.query_mining.take_round(ROUNDS[name])
        return model.to(self.device)

    def batch(self, size: int) -> tuple:
        """Noise with 10 pairs per image, on the device; labels on the host, where the preprocessor leaves them."""
        torch.manual_seed(1)
        inputs, samples = make_batch(self.size, size, 10, self.cfg.model.bbox_head)
        return inputs.to(self.device), samples

    def synchronise(self) -> None:
        """Wait for the device."""
        if self.cuda:
            torch.cuda.synchronize()

    def seconds(self, step: Callable[[], None]) -> float:
        """Median time of a step; three unmeasured ones warm up."""
        times = []
        for _ in range(self.repeats + 3):
            self.synchronise()
            start = time.perf_counter()
            step()
            self.synchronise()
            times.append(time.perf_counter() - start)
        return float(np.median(times[3:]))

    def environment(self) -> dict[str, str]:
        """Device and versions."""
        name = torch.cuda.get_device_name(self.device) if self.cuda else f"CPU ({platform.machine()})"
        versions = dict(torch=torch.__version__, cuda=str(torch.version.cuda), mmdet=mmdet.__version__)
        versions |= dict(mmengine=mmengine.__version__, python=platform.python_version())
        size = f"{self.size[0]}x{self.size[1]}"
        return dict(device=name, **versions, image_size=size)

    def write(self) -> None:
        """Page and JSON."""
        self.json.parent.mkdir(parents=True, exist_ok=True)
        self.json.write_text(json.dumps(dict(environment=self.environment(), rows=self.rows), indent=1) + "\n")
        write_part(self.page, "python benchmarks/gpu.py", as_markdown(self.environment(), self.rows))


def small_config() -> Config:
    """The toy set's model with HICO-DET's data pipeline, to try the script out."""
    cfg = Config.fromfile(CONFIG)
    cfg.model = Config.fromfile(CONFIG.with_name("qpic_hqm_toy.py")).model
    cfg.model.bbox_head.update(num_obj_classes=80, num_verbs=117)
    cfg.train_dataloader.dataset.pipeline.insert(-1, dict(type="Resize", scale=(96, 96), keep_ratio=False))
    return cfg


def as_markdown(environment: dict[str, str], rows: dict[str, dict]) -> str:
    """A table; columns of a row are its own."""
    lines = [", ".join(f"{key} {value}" for key, value in environment.items()), "", "| row | result |", "| --- | --- |"]
    for name, row in rows.items():
        cells = (f"{key} {value:.4g}" if isinstance(value, float) else f"{key} {value}" for key, value in row.items())
        lines.append(f"| {name} | {', '.join(cells)} |")
    return "\n".join(lines)


# Parity -------------------------------------------------------------------------------------------------------------


@contextmanager
def replayed(model: nn.Module, record: list | None, store: list) -> Iterator[None]:
    """Random draws of the mining: kept in ``store``, or, with a ``record``, taken from it in the same order."""
    given = iter(record or ())

    def keep_or_take(draw):
        def wrapper(*args, **options):
            first = next(a for a in args if isinstance(a, torch.Tensor))
            value = next(given) if record is not None else draw(*args, **options)
            value = tuple(v.to(first.device) for v in value) if isinstance(value, tuple) else value.to(first.device)
            store.append(value)
            return value

        return wrapper

    with ExitStack() as patches:
        patches.enter_context(mock.patch.object(amm, "draw_drop_mask", keep_or_take(amm.draw_drop_mask)))
        if model.query_mining is not None:
            miner = model.query_mining.miners["gbs"]
            patches.enter_context(mock.patch.object(miner, "shift", keep_or_take(miner.shift)))
        yield


def parity(bench: Bench, name: str) -> dict[str, float]:
    """Largest differences between CPU and device: outputs (absolute), losses and gradient norm (relative)."""
    results, draws = [], None
    for device in ("cpu", bench.device):
        model = bench.model(name).to(device).eval()  # no dropout
        inputs, samples = bench.batch(2)
        batch = inputs.to(device), samples
        with torch.no_grad():
            outputs = model(*batch, mode="tensor")
        store = []
        with replayed(model, draws, store):
            losses = model(*batch, mode="loss")
        sum(losses.values()).backward()
        norm = torch.stack([p.grad.norm() for p in model.parameters() if p.grad is not None]).norm()
        terms = {**losses, "gradient norm": norm}
        results.append(({k: v.cpu() for k, v in outputs.items()}, {k: v.detach().cpu() for k, v in terms.items()}))
        draws = store
    (a, a_terms), (b, b_terms) = results
    relative = {k: abs(a_terms[k] - b_terms[k]) / abs(a_terms[k]).clamp(min=1e-6) for k in a_terms}
    return {
        "outputs, largest absolute difference": max((a[k] - b[k]).abs().max().item() for k in a),
        "losses, largest relative difference": max(v.item() for k, v in relative.items() if k != "gradient norm"),
        "gradient norm, relative difference": relative["gradient norm"].item(),
    }


# Speed --------------------------------------------------------------------------------------------------------------


def set_precision(model: nn.Module, precision: str) -> Callable:
    """Context for a step; compiles the parts that are the same in every step."""
    if "compiled" in precision:
        for part in ("backbone", "encoder"):
            setattr(model, part, torch.compile(getattr(model, part)))
    kind = next(model.parameters()).device.type
    return lambda: torch.autocast(kind, dtype=torch.bfloat16, enabled=precision != "fp32")


def train_step(model: nn.Module, batch: tuple, context: Callable) -> Callable[[], None]:
    """Forward, loss, backward, clipping, optimizer."""
    parameters = [p for p in model.parameters() if p.requires_grad]
    optimizer = FusedAdamW(parameters, lr=1e-5)

    def step():
        optimizer.zero_grad(set_to_none=True)
        with context():
            total, _ = model.parse_losses(model(*batch, mode="loss"))
        total.backward()
        nn.utils.clip_grad_norm_(parameters, 0.1)
        optimizer.step()

    return step


def speed(bench: Bench, name: str, size: int, precision: str) -> dict[str, float]:
    """Time and peak memory of training and inference."""
    if bench.quick and "compiled" in precision:
        return {"not measured": "compiling takes minutes"}
    model, batch = bench.model(name).train(), bench.batch(size)
    context = set_precision(model, precision)

    def infer():
        with torch.inference_mode(), context():
            model(*batch, mode="predict")

    row = {}
    for kind, step in (("training", train_step(model, batch, context)), ("inference", infer)):
        model.train(kind == "training")
        if bench.cuda:
            torch.cuda.reset_peak_memory_stats()
        row[f"{kind} ms"] = 1e3 * bench.seconds(step)
        if bench.cuda:
            row[f"{kind} peak MiB"] = torch.cuda.max_memory_allocated() / 2**20
    return row


# What the host does -------------------------------------------------------------------------------------------------


def profiled(bench: Bench, step: Callable[[], None], repeats: int) -> torch.profiler.profile:
    """Profile of some steps."""
    activities = [torch.profiler.ProfilerActivity.CPU]
    activities += [torch.profiler.ProfilerActivity.CUDA] if bench.cuda else []
    with torch.profiler.profile(activities=activities) as profile:
        for _ in range(repeats):
            step()
        bench.synchronise()
    return profile


def synchronisations(bench: Bench, name: str) -> dict[str, float | str]:
    """How often a training step makes the host wait for the device, and which lines do."""
    model = bench.model(name).train()
    step = train_step(model, bench.batch(bench.batches[0]), set_precision(model, "fp32"))
    step()
    if not bench.cuda:
        return {"not measured": "needs CUDA"}
    repeats = 4
    counts = Counter(event.name for event in profiled(bench, step, repeats).events() if event.name in SYNCHRONISING)
    torch.cuda.set_sync_debug_mode("warn")
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        step()
    torch.cuda.set_sync_debug_mode("default")
    lines = Counter(f"{Path(w.filename).name}:{w.lineno}" for w in caught if "synchron" in str(w.message))
    where = "; ".join(f"{line} x{count}" for line, count in lines.most_common(8))
    # One synchronisation per profile is the one that ends it.
    return {"per step": (sum(counts.values()) - 1) / repeats, "lines": where or "none reported"}


def launch_share(bench: Bench, name: str) -> dict[str, float | str]:
    """Operations of a training step with its input at hand, and the share of its time in which the device idles."""
    model, batch = bench.model(name).train(), bench.batch(bench.batches[0])
    step = train_step(model, batch, set_precision(model, "bf16"))
    count = 2 if bench.quick else 20
    wall = timed(bench, step, count)
    row = {"iteration ms": 1e3 * wall / count, "operations": count_step(model, batch)}
    if not bench.cuda:
        return row | {"not measured": "launch-bound share needs CUDA"}
    busy = device_busy_seconds(profiled(bench, step, count))
    return row | {"launch-bound share": max(0.0, 1 - busy / wall), "batch": bench.batches[0]}


def mined_over_plain(bench: Bench) -> dict[str, float]:
    """Training time of mined steps over the plain one's, of all rows that have both."""
    row, kind = {}, "training ms"
    for name, values in bench.rows.items():
        mined, _, setting = name.partition(", ")
        plain = bench.rows.get(f"plain, {setting}", {})
        if mined in ROUNDS and kind in values and kind in plain:
            row[name] = values[kind] / plain[kind]
    return row or {"not measured": "no plain step was"}


def make_images(folder: Path, count: int) -> None:
    """HICO-DET's layout with smooth noise of 640 x 480 as JPEG, and pairs."""
    images, entries = folder / "images" / "train2015", []
    images.mkdir(parents=True)
    (folder / "annotations").mkdir()
    rng = np.random.default_rng(0)
    for i in range(count):
        name = f"HICO_train2015_{i + 1:08d}.jpg"
        coarse = rng.integers(0, 255, (60, 80, 3), dtype=np.uint8)
        Image.fromarray(coarse).resize((640, 480), Image.Resampling.BICUBIC).save(images / name, quality=90)
        boxes = [[int(v) for v in (*low, *(low + (120, 160)))] for low in rng.integers(0, (500, 300), (8, 2))]
        annotations = [dict(bbox=box, category_id=1 if j < 4 else 2) for j, box in enumerate(boxes)]
        hois = [dict(subject_id=j, object_id=4 + j, category_id=77) for j in range(4)]
        entries.append(dict(file_name=name, annotations=annotations, hoi_annotation=hois))
    (folder / "annotations" / "trainval_hico.json").write_text(json.dumps(entries))


def device_busy_seconds(profile: torch.profiler.profile) -> float:
    """Time during which the device did something (overlapping work counts once)."""
    spans = sorted(
        (event.time_range.start, event.time_range.end)
        for event in profile.events()
        if event.device_type == torch.autograd.DeviceType.CUDA
    )
    busy, until = 0.0, float("-inf")
    for start, end in spans:
        busy += max(0.0, end - max(start, until))
        until = max(until, end)
    return busy / 1e6


def idle(bench: Bench, precision: str) -> dict[str, float | str]:
    """Share of a training iteration in which the device waits, with the data pipeline of the HICO-DET configs."""
    workers, size = 2 if bench.quick else default_workers(), bench.batches[0]  # as the tools choose them
    with tempfile.TemporaryDirectory() as folder:
        make_images(Path(folder), 8 if bench.quick else 200)
        loader_cfg = bench.cfg.train_dataloader
        loader_cfg.update(batch_size=size, num_workers=workers, persistent_workers=True, pin_memory=bench.cuda)
        loader_cfg.dataset.data_root = f"{folder}/"
        model = bench.model("gbs").train()
        batches = itertools.chain.from_iterable(itertools.repeat(Runner.build_dataloader(loader_cfg, seed=0)))
        optimizer = FusedAdamW((p for p in model.parameters() if p.requires_grad), lr=1e-5)
        context = set_precision(model, precision)

        def step():
            data = model.data_preprocessor(next(batches), training=True)
            optimizer.zero_grad(set_to_none=True)
            with context():
                total, _ = model.parse_losses(model(data["inputs"], data["data_samples"], mode="loss"))
            total.backward()
            optimizer.step()

        count = 2 if bench.quick else 30
        wall = timed(bench, step, count)
        profile = profiled(bench, step, count)
    if not bench.cuda:
        return {"iteration ms": 1e3 * wall / count, "not measured": "idle share needs CUDA"}
    share = max(0.0, 1 - device_busy_seconds(profile) / wall)
    return {"iteration ms": 1e3 * wall / count, "device idle share": share, "batch": size, "workers": workers}


def timed(bench: Bench, step: Callable[[], None], count: int) -> float:
    """Seconds of ``count`` steps in a row, after three others."""
    for _ in range(3):
        step()
    bench.synchronise()
    start = time.perf_counter()
    for _ in range(count):
        step()
    bench.synchronise()
    return time.perf_counter() - start


# --------------------------------------------------------------------------------------------------------------------


def run(bench: Bench) -> None:
    """All rows, the most wanted first."""
    for name in MODELS:
        bench.measure(f"parity with the CPU, fp32, {name}", lambda name=name: parity(bench, name))
    for size, precision in itertools.product(bench.batches, PRECISIONS[:2]):
        for name in MODELS:
            row = f"{name}, batch {size}, {precision}"
            bench.measure(row, lambda args=(name, size, precision): speed(bench, *args))
    for name in MODELS:
        bench.measure(f"host synchronisations, {name}", lambda name=name: synchronisations(bench, name))
        bench.measure(f"launches, bf16, {name}", lambda name=name: launch_share(bench, name))
    bench.measure("mined over plain", lambda: mined_over_plain(bench))
    for precision in PRECISIONS[:2]:
        bench.measure(f"real data pipeline, gbs, {precision}", lambda p=precision: idle(bench, p))
    for size, name in itertools.product(bench.batches, MODELS):
        row = f"{name}, batch {size}, {PRECISIONS[2]}"
        bench.measure(row, lambda args=(name, size, PRECISIONS[2]): speed(bench, *args))


def main() -> None:
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--device", default="cuda")
    parser.add_argument("--quick", action="store_true", help="tiny images and single repeats, to try the script out")
    parser.add_argument("--minutes", type=float, default=9, help="no row is begun after that")
    parser.add_argument(
        "--rows",
        nargs="+",
        metavar="TEXT",
        help="only rows whose names contain one of these; the page keeps the others if this device and these versions "
        "measured them",
    )
    parser.add_argument("--page", type=Path, default=ROOT / "docs" / "benchmarks.md")
    args = parser.parse_args()
    if args.device.startswith("cuda") and not torch.cuda.is_available():
        parser.error("no CUDA device. --device cpu --quick --page FILE tries the script out without one.")
    torch.backends.cuda.matmul.allow_tf32 = torch.backends.cudnn.allow_tf32 = False
    warnings.filterwarnings("ignore", message=".*torch.jit.*")
    init_default_scope("hqm_mmdet")
    bench = Bench(args)
    run(bench)
    if not any(map(bench.chosen, bench.names)):
        sys.exit(f"No row's name contains any of {args.rows}; nothing was measured. Rows: {'; '.join(bench.names)}.")


if __name__ == "__main__":
    main()
