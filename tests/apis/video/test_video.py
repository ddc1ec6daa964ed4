"""Videos in and out."""

import json
import resource
from contextlib import contextmanager

import cv2
import numpy as np
import pytest

from hqm_mmdet.apis import predict_video
from hqm_mmdet.apis.inference.sources import InputError
from hqm_mmdet.apis.video.frames import CODECS, VideoReader, VideoWriter
from hqm_mmdet.visualization import TripletSelection
from tests.apis.conftest import noise


@pytest.fixture
def clip(tmp_path):
    with VideoWriter(tmp_path / "in" / "clip.avi", 12.5) as writer:
        for i in range(5):
            writer.write(np.asarray(noise(65, 48, seed=i // 3)))
    return tmp_path / "in" / "clip.avi"


def frames_of(path):
    capture, frames = cv2.VideoCapture(str(path)), []
    while (frame := capture.read()[1]) is not None:
        frames.append(frame)
    return frames


def test_reader_gives_what_was_written(clip):
    reader = VideoReader(clip)
    frames = list(reader)
    assert len(frames) == len(reader) == 5 and reader.fps == 12.5
    assert frames[0].shape == (48, 64, 3)  # an odd width loses a column
    difference = np.abs(frames[0].astype(int) - np.asarray(noise(65, 48))[:, :64, ::-1])
    assert np.median(difference) < 12  # JPEG, and blue is not red


def test_video_that_breaks_off_is_told(clip, monkeypatch):
    warnings = []
    monkeypatch.setattr("hqm_mmdet.apis.video.frames.print_log", lambda message, *_: warnings.append(message))
    list(VideoReader(clip))
    assert not warnings
    reader = VideoReader(clip)
    reader.announced = 20
    assert len(list(reader)) == 5
    assert "breaks off after 5 of 20 frames" in warnings[0] and "clip.avi" in warnings[0]


@pytest.mark.parametrize("ending", sorted(CODECS))
def test_a_full_disk_is_told(tmp_path, ending):
    """A limit of file sizes makes writing fail as a full disk does; OpenCV says nothing of either."""
    with VideoWriter(tmp_path / f"whole{ending}", 25) as writer:
        writer.write(np.asarray(noise(64, 48)))
    writer = VideoWriter(tmp_path / f"cut{ending}", 25)
    message = r"is incomplete: \d+ of 20 frames can be read. Mostly the disk is full"
    with pytest.raises(OSError, match=message), limited_files(20_000), writer:
        for i in range(20):
            writer.write(np.asarray(noise(64, 48, seed=i)))


@contextmanager
def limited_files(size):
    former = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, former[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, former)


def test_annotated_video_and_json(inferencer, clip, tmp_path):
    count = predict_video(
        inferencer, clip, tmp_path / "out", TripletSelection(0.0, top_k=2), smoothing=0.5, batch_size=2
    )
    frames = frames_of(tmp_path / "out" / "clip.mp4")
    assert count == len(frames) == 5
    assert min(frames[0].shape[:2]) == 420  # enlarged, so that labels can be read
    entries = json.loads((tmp_path / "out" / "predictions.json").read_text())
    assert [(entry["frame"], entry["time"]) for entry in entries] == [(i, i * 0.08) for i in range(5)]
    assert {entry["file_name"] for entry in entries} == {"clip.avi"}
    assert all(len(entry["hoi_prediction"]) == 2 for entry in entries)


def test_only_json(inferencer, clip, tmp_path):
    predict_video(inferencer, clip, tmp_path / "out", pictures=False)
    assert [path.name for path in (tmp_path / "out").iterdir()] == ["predictions.json"]


def test_equal_frames_have_equal_scores_with_smoothing(inferencer, clip, tmp_path):
    predict_video(inferencer, clip, tmp_path, TripletSelection(0.0, top_k=3), smoothing=0.9, pictures=False)
    first, second = json.loads((tmp_path / "predictions.json").read_text())[:2]
    assert [h["verb"] for h in first["hoi_prediction"]] == [h["verb"] for h in second["hoi_prediction"]]


def test_bad_videos_are_named(inferencer, clip, tmp_path):
    (tmp_path / "text.mp4").write_text("no video")
    for name, message in (("none.mp4", "none.mp4 does not exist"), ("text.mp4", "text.mp4 can't be decoded")):
        with pytest.raises(InputError, match=message):
            predict_video(inferencer, tmp_path / name, tmp_path / "out")
    clip.rename(clip.with_suffix(".mp4"))
    with pytest.raises(InputError, match="would be overwritten"):
        predict_video(inferencer, clip.with_suffix(".mp4"), clip.parent)
    with pytest.raises(InputError, match=r"a.gif can't be written; the ending must be one of .mp4"):
        VideoWriter("a.gif", 10)
