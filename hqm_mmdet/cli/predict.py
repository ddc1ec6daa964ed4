"""``hqm-mmdet predict``."""

from collections.abc import Mapping, Sequence
from pathlib import Path

import click

from hqm_mmdet.apis import HOIInferencer, predict_video
from hqm_mmdet.apis.inference.attention import AttentionError, attention_cells
from hqm_mmdet.apis.inference.ground_truth import read_ground_truth
from hqm_mmdet.apis.inference.outputs import OutputFolder
from hqm_mmdet.apis.inference.prediction import BadInput, Prediction
from hqm_mmdet.apis.inference.sources import find_images, is_video
from hqm_mmdet.utils.launch import UsageError
from hqm_mmdet.visualization import ShownPair, TripletSelection, sheet_of

from .base import FiniteRange, SeveralOption, ToolCommand, cfg_options, read_config, require_device

EXIT_SOME_FAILED = 1


@click.command(cls=ToolCommand)
@click.argument("inputs", nargs=-1, required=True, metavar="IMAGE|FOLDER|VIDEO|PATTERN...")
@click.option("--checkpoint", required=True, metavar="FILE", help="Weights (.pth or .safetensors).")
@click.option("--config", metavar="FILE", help="Default: the one that the checkpoint holds.")
@click.option("--out", type=Path, default=Path("predictions"), show_default=True, help="Folder for the results.")
@click.option("--score-thr", type=FiniteRange(0, 1), default=0.3, show_default=True, help="Least score shown.")
@click.option("--top-k", type=click.IntRange(1), metavar="N", help="Show the N best triplets of an image only.")
@click.option("--verb", "verbs", multiple=True, help="Show this verb only; may be repeated.")
@click.option(
    "--triplet", "triplets", multiple=True, metavar="VERB:OBJECT", help="Show this one only; may be repeated."
)
@click.option(
    "--interactions",
    cls=SeveralOption,
    metavar="TEXT|FILE.txt ...",
    help="Look for these only, e.g. 'a person repairing a bicycle'; models that score texts.",
)
@click.option(
    "--verbs",
    "new_verbs",
    cls=SeveralOption,
    metavar="PHRASE ...",
    help="Look for these with every object, e.g. 'repairing'; likewise.",
)
@click.option(
    "--clip", metavar="FILE", help="CLIP weights for --interactions and --verbs. Default: those of the config."
)
@click.option("--annotations", metavar="FILE", help="HOIA-style labels to draw beside the predictions.")
@click.option("--attention", type=click.IntRange(0), default=0, metavar="N", help="Draw attention of the N best pairs.")
@click.option("--attention-head", type=click.IntRange(0), metavar="H", help="One head. Default: average of all heads.")
@click.option("--smoothing", type=FiniteRange(0, 1, max_open=True), default=0.0, help="Video: weight of the past.")
@click.option("--merge-iou", type=FiniteRange(0, 1), default=0.7, show_default=True, help="1: merge equals only.")
@click.option("--batch-size", type=click.IntRange(1), default=1, show_default=True)
@click.option("--device", help="cpu, cuda, cuda:1, ... Default: a GPU if there is one.")
@click.option("--no-pictures", is_flag=True, help="Write no pictures.")
@click.option("--no-json", is_flag=True, help="Write no JSON file.")
@click.option("--allow-urls", is_flag=True, help="Read http:// and other addresses.")
@click.option("--quiet", is_flag=True, help="No progress bar.")
@cfg_options
def predict(
    inputs: tuple[str, ...],
    checkpoint: str,
    config: str | None,
    cfg_options: dict,
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
    **how,
) -> int:
    """Predict one's own images or a video: OUT/pictures (or the annotated video) and OUT/predictions.json.

    Exit status 0: all done; 1: some images could not be read, they are listed; 2: nothing could be done.

    \b
    hqm-mmdet predict photo.jpg --checkpoint published.pth --out out
    hqm-mmdet predict 'photos/*.jpg' --checkpoint published.pth --verb ride --triplet hold:cup
    hqm-mmdet predict clip.mp4 --checkpoint published.pth --smoothing 0.7
    hqm-mmdet predict photo.jpg --checkpoint hoiclip.pth --interactions "a person repairing a bicycle"
    """
    selection = TripletSelection(score_thr, top_k, verbs, triplets)
    videos = [path for path in inputs if is_video(path)]
    if videos and len(inputs) > 1:
        raise UsageError(f"A video is predicted alone, and {videos[0]} came with {len(inputs) - 1} other inputs.")
    # Inputs, then the device, then the model: what fails quickly is asked first.
    sources = None if videos else find_images(inputs, how["allow_urls"])
    require_device(device)
    cfg = read_config(config, cfg_options)
    inferencer = HOIInferencer(cfg, checkpoint, device, not quiet, merge_iou, interactions, new_verbs, clip)
    selection.allowed(inferencer.model.dataset_meta)
    if videos:
        return run_video(inferencer, videos[0], selection, **how)
    return run_images(inferencer, sources, selection, **how)


def run_video(
    inferencer: HOIInferencer,
    video: str,
    selection: TripletSelection,
    out: Path,
    smoothing: float,
    batch_size: int,
    no_pictures: bool,
    no_json: bool,
    annotations: str | None,
    attention: int,
    **_,
) -> int:
    """Predict a video and say where the results are."""
    if annotations or attention:
        raise UsageError("--annotations and --attention are for images; take frames of the video out first.")
    frames = predict_video(inferencer, video, out, selection, smoothing, batch_size, not no_pictures, not no_json)
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
    annotations: str | None,
    attention: int,
    attention_head: int | None,
    **_,
) -> int:
    """Predict images one after the other and say where the results are, and what could not be read."""
    truth = read_ground_truth(annotations, inferencer.model.dataset_meta) if annotations else {}
    failures: list[BadInput] = []
    done = found = labelled = 0
    with OutputFolder(out, not no_pictures, not no_json) as outputs:
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
