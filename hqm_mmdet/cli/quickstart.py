"""``hqm-mmdet quickstart``: toy set, training, evaluation, pictures, pages."""

import os
import subprocess
import sys
from pathlib import Path

import click
import numpy as np
import torch
from mmengine.config import Config
from mmengine.dataset import pseudo_collate
from mmengine.registry import init_default_scope
from mmengine.runner import Runner
from mmengine.utils import track_iter_progress
from PIL import Image

from hqm_mmdet.configuring import find_config
from hqm_mmdet.datasets.toy import ToySettings, make_toy_hoi
from hqm_mmdet.registry import VISUALIZERS
from hqm_mmdet_cli import main as command_line
from hqm_mmdet_cli.errors import UsageError
from hqm_mmdet_cli.installation import command, is_checkout, project_root, script


def quickstart(
    config: str, compare: bool, seed: int | None, work_dir: str | None, pictures: int, threshold: float
) -> None:
    """All steps for one config, or with ``compare`` for two, and what to look at."""
    file = find_config(config).resolve()
    plain = plain_config(file) if compare else None
    suffix = "" if seed is None else f"_seed_{seed}"
    folder = Path(work_dir) if work_dir else Path("work_dirs") / "quickstart" / (file.stem + suffix)
    make_toy_hoi("data/toy_hoi", ToySettings())
    checkpoint, predictions, paths = train_and_show(file, folder, seed, pictures, threshold)
    if plain is not None:
        beside = folder.with_name(plain.stem + suffix)
        _, others, _ = train_and_show(plain, beside, seed, pictures, threshold)
        names = ("--name", file.stem, "--compare", others, "--compare-name", plain.stem)
        paths.insert(0, write_report(file, predictions, folder.with_name("comparison" + suffix), *names))
    click.echo("\nLook at")
    for path in paths:
        click.echo(f"  {path}")
    click.echo("Try" + (" (`source .venv/bin/activate` brings the command)" if is_checkout() else ""))
    click.echo(f"  {command(f'demo --checkpoint {checkpoint} --examples {example_images(file)}')}")


def train_and_show(
    config: Path, work_dir: Path, seed: int | None, pictures: int, threshold: float
) -> tuple[Path, Path, list[Path]]:
    """All steps for one config; returns its checkpoint, predictions, and what to look at."""
    checkpoint = finished_checkpoint(work_dir) or train(config, work_dir, seed)
    predictions = work_dir / "predictions.pkl"
    metrics, runner = test(config, checkpoint, work_dir, predictions)
    paths = [*draw(runner, work_dir / "pictures", pictures, threshold), *write_pages(config, predictions, work_dir)]
    click.echo(f"\n{config.stem} on the ToyHOI test set")
    for name, value in metrics.items():
        click.echo(f"{name} {value:.4f}")
    return checkpoint, predictions, [*paths, checkpoint]


def finished_checkpoint(work_dir: Path) -> Path | None:
    """Best checkpoint of a training that came to its end."""
    if not (work_dir / "finished").is_file():
        return None
    return next(iter(sorted(work_dir.glob("best_hico_full_*.pth"))), None)


def train(config: Path, work_dir: Path, seed: int | None) -> Path:
    """Train with a command that a user would type; returns the best checkpoint.

    Two processes on a CPU with two cores: for so small a model they are faster than two threads.

    Raises:
        UsageError: it did not come to its end.
    """
    if torch.cuda.is_available() or (os.cpu_count() or 1) < 2:
        words = [sys.executable, script("train.py"), config, "--cfg-options", "train_dataloader.batch_size=16"]
    else:
        words = ["bash", script("dist_train.sh"), config, "2"]
    seeded = () if seed is None else ("--seed", seed)
    words = [str(word) for word in (*words, "--work-dir", work_dir, "--resume", *seeded)]
    print("+", " ".join(words), flush=True)
    if status := subprocess.run(words, env={**os.environ, "PYTHON": sys.executable}).returncode:
        raise UsageError(f"The training ended with status {status}, see above. The same command goes on.")
    (work_dir / "finished").touch()
    return finished_checkpoint(work_dir)


def test(config: Path, checkpoint: Path, work_dir: Path, predictions: Path) -> tuple[dict[str, float], Runner]:
    """Metrics on the test set; the predictions are kept for the report."""
    cfg = Config.fromfile(config)
    cfg.work_dir, cfg.load_from = str(work_dir), str(checkpoint)
    cfg.test_evaluator = [cfg.test_evaluator, dict(type="DumpResults", out_file_path=str(predictions))]
    runner = Runner.from_cfg(cfg)
    return runner.test(), runner


def draw(runner: Runner, out_dir: Path, count: int, threshold: float) -> list[Path]:
    """Pictures of the first test images, prediction beside ground truth, and one sheet of all."""
    dataset, model = runner.test_dataloader.dataset, runner.model.eval()
    init_default_scope("hqm_mmdet")
    visualizer = VISUALIZERS.build(dict(type="HOIVisualizer", name="quickstart"))
    visualizer.dataset_meta = dataset.metainfo
    out_dir.mkdir(parents=True, exist_ok=True)
    drawn = []
    for i in track_iter_progress(range(min(count, len(dataset)))):
        data = dataset[i]
        sample = model.test_step(pseudo_collate([data]))[0].cpu()
        image = np.asarray(Image.open(sample.img_path).convert("RGB"))
        path = out_dir / f"{Path(sample.img_path).stem}.png"
        drawn.append(visualizer.add_datasample(path.stem, image, sample, out_file=str(path), pred_score_thr=threshold))
    sheet = out_dir.parent / "sheet.png"
    tile(drawn, columns=2).save(sheet)
    return [sheet, out_dir]


def write_pages(config: Path, predictions: Path, work_dir: Path) -> list[Path]:
    """Report and data set browser, with the commands that a user would type."""
    browser = work_dir / "browser"
    report = write_report(config, predictions, work_dir / "report", "--name", config.stem)
    named = config.relative_to(project_root()) if config.is_relative_to(project_root()) else config
    run("browse", named, "--out", browser)
    return [report, browser / "index.html"]


def write_report(config: Path, predictions: Path, out: Path, *options: str | Path) -> Path:
    """A report on the config's test set."""
    dataset = Config.fromfile(config).test_dataloader.dataset
    labels, images = Path(dataset.data_root) / dataset.ann_file, example_images(config)
    run("report", predictions, "--dataset", "toy", "--ann-file", labels, "--images", images, "--out", out, *options)
    return out / "index.html"


def plain_config(config: Path) -> Path:
    """The config of the same detector without mining.

    Raises:
        UsageError: the config's name does not say that it mines.
    """
    plain = config.with_name(config.name.replace("_hqm", ""))
    if plain == config or not plain.is_file():
        raise UsageError(f"--compare needs a config with mining, ..._hqm_toy.py, beside one without; got {config}.")
    return plain


def example_images(config: Path) -> Path:
    """Folder of the test images."""
    dataset = Config.fromfile(config).test_dataloader.dataset
    return Path(dataset.data_root) / dataset.data_prefix.img


def run(*words: str | Path) -> None:
    """One of our commands, in this process.

    Raises:
        SystemExit: it failed.
    """
    arguments = [str(word) for word in words]
    print("+ hqm-mmdet", " ".join(arguments), flush=True)
    if status := command_line.main(arguments, prog_name="hqm-mmdet", standalone_mode=False):
        sys.exit(status)


def tile(pictures: list[np.ndarray], columns: int) -> Image.Image:
    """Pictures side by side, each fitted into the same cell."""
    width, height = (max(picture.shape[d] for picture in pictures) for d in (1, 0))
    rows = -(-len(pictures) // columns)
    sheet = Image.new("RGB", (columns * (width + 12), rows * (height + 12)), "white")
    for i, picture in enumerate(pictures):
        sheet.paste(Image.fromarray(picture), ((i % columns) * (width + 12), (i // columns) * (height + 12)))
    return sheet
