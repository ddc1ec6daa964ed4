"""``hqm-mmdet predict``."""

from collections.abc import Mapping, Sequence
from pathlib import Path

import click

from hqm_mmdet.apis import HOIInferencer, predict_video
from hqm_mmdet.apis.conversion import read_complete
from hqm_mmdet.apis.inference.attention import AttentionError, attention_cells
from hqm_mmdet.apis.inference.ground_truth import read_ground_truth
from hqm_mmdet.apis.inference.outputs import OutputFolder
from hqm_mmdet.apis.inference.prediction import BadInput, Prediction
from hqm_mmdet.apis.inference.sources import find_images, is_video
from hqm_mmdet.checkpoints import SOURCES
from hqm_mmdet.checkpoints.files import Checkpoint
from hqm_mmdet.visualization import ShownPair, TripletSelection, sheet_of
from hqm_mmdet_cli.errors import UsageError
from hqm_mmdet_cli.installation import command

from .settings import read_config, require_device

EXIT_SOME_FAILED = 1


def predict(
    inputs: tuple[str, ...],
    checkpoint: str,
    convert: bool,
    config: str | None,
    cfg_options: tuple[str, ...],
    device: str | None,
    merge_iou: float,
    quiet: bool,
    score_thr: float,
    top_k: int | None,
    verbs: tuple[str, ...],
    triplets: tuple[str, ...],
    interactions: tuple[str, ...],
    new_verbs: tuple[str, ...],
    clip: str | None,
    out: str,
    **how,
) -> int:
    """Look at the inputs, load the model, predict."""
    selection = TripletSelection(score_thr, top_k, verbs, triplets)
    videos = [path for path in inputs if is_video(path)]
    if videos and len(inputs) > 1:
        raise UsageError(f"A video is predicted alone, and {videos[0]} came with {len(inputs) - 1} other inputs.")
    # Inputs, then the device, then the model: what fails quickly is asked first.
    sources = None if videos else find_images(inputs, how["allow_urls"])
    require_device(device)
    cfg = read_config(config, cfg_options)
    weights = converted(checkpoint, config) if convert else checkpoint
    inferencer = HOIInferencer(cfg, weights, device, not quiet, merge_iou, interactions, new_verbs, clip)
    selection.allowed(inferencer.model.dataset_meta)
    if videos:
        return run_video(inferencer, videos[0], selection, Path(out), **how)
    return run_images(inferencer, sources, selection, Path(out), **how)


def converted(file: str, config: str | None) -> Checkpoint:
    """A file of another code base as ours, and the command that keeps the result.

    Raises:
        UsageError: it finds no pairs, or fits none of the project's configs.
    """
    checkpoint, report, name = read_complete(file, config)
    source, out = SOURCES[report.source], Path(file).with_name(f"{Path(file).stem}_converted.pth")
    if source.initialises:
        raise UsageError(f"{file} ({source.title}) finds no pairs; a training starts from it. See docs/training.md.")
    if name is None:
        raise UsageError(f"{file} ({source.title}) fits none of the project's configs of this method; give --config.")
    options = f" --config {config}" if config else ""
    keep = command(f"convert {file} {out}{options}")
    click.echo(f"{source.title}, converted for the config {name}. To keep the result: {keep}", err=True)
    return checkpoint


def run_video(
    inferencer: HOIInferencer,
    video: str,
    selection: TripletSelection,
    out: Path,
    smoothing: float,
    batch_size: int,
    no_pictures: bool,
    no_json: bool,
    csv: str | None,
    annotations: str | None,
    attention: int,
    **_,
) -> int:
    """Predict a video and say where the results are."""
    if annotations or attention:
        raise UsageError("--annotations and --attention are for images; take frames of the video out first.")
    frames = predict_video(inferencer, video, out, selection, smoothing, batch_size, not no_pictures, not no_json, csv)
    click.echo(f"{frames} frames; see {out}")
    return 0


def run_images(
    inferencer: HOIInferencer,
    sources: Sequence,
    selection: TripletSelection,
    out: Path,
    batch_size: int,
    no_pictures: bool,
    no_json: bool,
    csv: str | None,
    annotations: str | None,
    attention: int,
    attention_head: int | None,
    **_,
) -> int:
    """Predict images one after the other and say where the results are, and what could not be read."""
    truth = read_ground_truth(annotations, inferencer.model.dataset_meta) if annotations else {}
    failures: list[BadInput] = []
    done = found = labelled = 0
    with OutputFolder(out, not no_pictures, not no_json, csv) as outputs:
        for prediction in inferencer.progress(inferencer.stream(sources, batch_size, failures), sources):
            shown = inferencer.show(prediction.sample, selection)
            outputs.write(inferencer.entry(prediction, shown))
            if outputs.pictures:
                if (labels := labels_of(prediction.name, truth)) is not None:
                    prediction.sample.set_metainfo(dict(gt_hois=labels))
                    labelled += 1
                inferencer.picture(prediction, selection, outputs.picture_of(prediction))
            if attention:
                draw_attention(inferencer, prediction, shown[:attention], attention_head, out)
            done, found = done + 1, found + sum(len(pair.verbs) for pair in shown)
    click.echo(f"{done} images, {found} interactions with a score from {selection.score_thr:g}; see {out}")
    if annotations and done and not no_pictures and not labelled:
        click.echo(f"warning: {annotations} names none of these images, so no labels were drawn.", err=True)
    return report(failures, done)


def labels_of(image: str, truth: Mapping[str, dict]) -> dict | None:
    """Labels of an image: by its name, by the path whose end the name is or that is the name's end, if there is one."""
    if image in truth:
        return truth[image]
    # Only if it is one: with two candidates, labels of the wrong image would be drawn.
    same = [name for name in truth if name.endswith(f"/{image}") or image.endswith(f"/{name}")]
    return truth[same[0]] if len(same) == 1 else None


def draw_attention(
    inferencer: HOIInferencer, prediction: Prediction, shown: Sequence[ShownPair], head: int | None, out: Path
) -> None:
    """``OUT/attention/NAME_pair1.jpg`` and so on, the best pair first.

    Raises:
        UsageError: no such head, or a model whose pairs are not single queries.
    """
    if not shown:
        return
    try:
        # The network runs again, for the few images whose attention is drawn.
        _, maps = inferencer.attention(prediction.image)
    except AttentionError as error:
        raise UsageError(f"--attention: {error}") from error
    name = Path(prediction.picture_name)
    for number, pair in enumerate(shown):
        try:
            cells = attention_cells(prediction, pair, maps, inferencer.model.dataset_meta, number, head)
        except IndexError as error:
            raise UsageError(f"--attention-head: {error}") from error
        inferencer.visualizer.write(
            sheet_of(cells), out / "attention" / name.with_stem(f"{name.stem}_pair{number + 1}")
        )


def report(failures: Sequence[BadInput], done: int) -> int:
    """List what could not be read; returns the exit status.

    Raises:
        UsageError: nothing could be.
    """
    if failures and not done:
        raise UsageError(f"None of {len(failures)} images could be read: {failures[0].reason}")
    for failure in failures:
        click.echo(f"not read: {failure.reason}", err=True)
    return EXIT_SOME_FAILED if failures else 0
