"""Prediction on videos."""

from collections.abc import Sequence
from pathlib import Path

from hqm_mmdet.apis.inference.inferencer import HOIInferencer
from hqm_mmdet.apis.inference.outputs import OutputFolder
from hqm_mmdet.apis.inference.sources import InputError
from hqm_mmdet.visualization import PairView, ShownPair, TripletSelection, draw_pairs
from hqm_mmdet.visualization.pair_views import predicted_views

from .frames import VideoReader, VideoWriter
from .tracking import PairTracker, StableColours


def predict_video(
    inferencer: HOIInferencer,
    video: str | Path,
    out_dir: str | Path,
    selection: TripletSelection | None = None,
    smoothing: float = 0.0,
    batch_size: int = 1,
    pictures: bool = True,
    entries: bool = True,
    table: str | Path | None = None,
) -> int:
    """Predict frame by frame: ``out_dir`` gets an annotated video and ``predictions.json``.

    Pairs keep their colour from frame to frame, see :class:`~.tracking.PairTracker`. Any length, constant memory.

    Args:
        inferencer (HOIInferencer): the model.
        video (str | Path): a file that OpenCV can decode.
        out_dir (str | Path): for the results; the annotated video has the same name, ending ``.mp4``.
        selection (TripletSelection, optional): what is shown. Default: scores from 0.3.
        smoothing (float): weight of former frames in a pair's scores, in [0, 1). Default: 0.0.
        batch_size (int): frames per pass through the network. Default: 1.
        pictures, entries (bool): whether the annotated video, whether the JSON file. Default: True.
        table (str | Path, optional): CSV file that gets a row per triplet.

    Returns:
        int: number of frames.

    Raises:
        InputError: the video can't be read, or would be overwritten.
        SelectionError: an unknown verb or object.
    """
    reader, selection = VideoReader(video), selection or TripletSelection()
    metainfo = inferencer.model.dataset_meta
    selection.allowed(metainfo)
    target = Path(out_dir) / reader.path.with_suffix(".mp4").name
    # By file, not by name: links and relative paths lead to the same one.
    if target.exists() and target.samefile(reader.path):
        raise InputError(f"{target} would be overwritten by its own result; choose another folder.")
    tracker, colours = PairTracker(len(metainfo["classes"]), smoothing), StableColours()
    frame = -1
    with OutputFolder(out_dir, False, entries, table) as outputs, VideoWriter(target, reader.fps) as writer:
        for frame, prediction in enumerate(inferencer.progress(inferencer.stream(iter(reader), batch_size), reader)):
            pairs = tracker(prediction.sample.pred_pairs)
            shown = selection(pairs, metainfo)
            prediction.name = reader.path.name
            outputs.write(inferencer.entry(prediction, shown, frame=frame, time=round(frame / reader.fps, 4)))
            # The colours advance with what is shown, not with all tracks, which would use up the palette.
            if pictures:
                views = _views(shown[: inferencer.visualizer.max_pairs], pairs.track_ids.tolist(), colours, metainfo)
                writer.write(draw_pairs(prediction.rgb, views))
    return frame + 1


def _views(shown: Sequence[ShownPair], tracks: Sequence[int], colours: StableColours, metainfo: dict) -> list[PairView]:
    numbers = colours([tracks[pair.index] for pair in shown])
    return predicted_views(shown, metainfo, {pair.index: numbers[tracks[pair.index]] for pair in shown})
