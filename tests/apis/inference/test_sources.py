"""What can be given for prediction, and how it is read."""

import io
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread

import numpy as np
import pytest
from PIL import Image, features

from hqm_mmdet.apis.inference.sources import InputError, find_images, is_video, read_image
from hqm_mmdet.apis.pipeline import pad_narrow, padded_size, size_defect
from hqm_mmdet.datasets.transforms import BadImageError
from tests.apis.conftest import noise

EXIF_ORIENTATION = 0x0112


def bgr(image):
    return np.asarray(image.convert("RGB"))[..., ::-1]


def names(inputs, **options):
    return [source.name for source in find_images(inputs, **options)]


def test_folder_file_and_pattern(folder):
    assert names(folder) == ["a.jpg", "b.png", "c.webp"]
    assert names(str(folder / "b.png")) == ["b.png"]
    assert names(str(folder / "[ab].*")) == ["a.jpg", "b.png"]
    assert names([folder / "a.jpg", np.zeros((2, 2), np.uint8), noise(3, 3)]) == [
        "a.jpg",
        "00000001.jpg",
        "00000002.jpg",
    ]


def test_equal_file_names_keep_their_folders(folder):
    (folder / "sub").mkdir()
    noise(9, 9).save(folder / "sub" / "a.jpg")
    assert names(str(folder / "**" / "a.jpg")) == ["a.jpg", "sub/a.jpg"]


def test_generators_are_read_as_they_go():
    taken = []

    def images():
        for i in range(3):
            taken.append(i)
            yield np.zeros((2, 2), np.uint8)

    sources = iter(find_images(images()))
    assert next(sources).name == "00000000.jpg" and taken == [0]


def test_inputs_that_lead_nowhere_are_named(folder, tmp_path):
    (tmp_path / "empty").mkdir()
    for given, message in (
        (tmp_path / "none.jpg", "none.jpg does not exist"),
        (tmp_path / "empty", "empty holds no image"),
        (str(tmp_path / "*.jpg"), r"pattern .*\*.jpg fits no image"),
        ("https://host/a.jpg", "nothing is downloaded unless"),
        ([], "no input was given"),
    ):
        with pytest.raises(InputError, match=message):
            find_images(given)
    (folder / "a.mp4").touch()
    with pytest.raises(InputError, match="a.mp4 is a video"):
        find_images(folder / "a.mp4")


def test_memory_of_thin_images_is_bounded(robust_dir, monkeypatch):
    """Padding to 1:32 grows with the square of the long side; nothing is decoded before the size is known."""
    monkeypatch.setattr("hqm_mmdet.apis.inference.sources.as_shown", lambda image: pytest.fail("decoded"))
    with pytest.raises(BadImageError, match=r"thin_1x150000.png has 1 x 150,000 pixels \(padded to 4,688 x 150,000"):
        read_image(robust_dir / "thin_1x150000.png")
    with pytest.raises(BadImageError, match="an array has 200,000 x 1 pixels .* at most 170 megapixels"):
        read_image(np.zeros((1, 200_000), np.uint8))


def test_padding_is_what_the_limit_counts():
    for size in ((1, 1), (1, 33), (3000, 2), (640, 480), (64, 2)):
        assert pad_narrow(np.zeros((*size, 3), np.uint8)).shape[:2] == padded_size(*size)
    assert size_defect(10_000, 17_000) is None and size_defect(10_000, 17_001) == (
        "has 17,001 x 10,000 pixels, and at most 170 megapixels are accepted"
    )


def test_addresses_only_if_asked(folder):
    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(SimpleHTTPRequestHandler, directory=folder))
    Thread(target=server.serve_forever, daemon=True).start()
    try:
        address = f"http://127.0.0.1:{server.server_port}"
        (source,) = find_images(f"{address}/b.png?x=1", allow_urls=True)
        assert source.name == "00000000_b.png"
        np.testing.assert_array_equal(source.read(), bgr(Image.open(folder / "b.png")))
        with pytest.raises(BadImageError, match="none.png can't be read"):
            read_image(f"{address}/none.png")
    finally:
        server.shutdown()


def test_exif_orientation_is_applied(tmp_path):
    image, exif = noise(40, 20), Image.Exif()
    exif[EXIF_ORIENTATION] = 6  # turn clockwise to look at it
    image.save(tmp_path / "turned.png", exif=exif)
    read = read_image(tmp_path / "turned.png")
    assert read.shape == (40, 20, 3)
    np.testing.assert_array_equal(read, bgr(image.transpose(Image.Transpose.ROTATE_270)))


def test_transparent_pixels_become_white():
    pixels = np.zeros((2, 2, 4), np.uint8)
    pixels[0, 0] = (10, 20, 30, 255)
    for given in (Image.fromarray(pixels), pixels[..., [2, 1, 0, 3]]):  # arrays are BGRA
        read = read_image(given)
        assert read[0, 0].tolist() == [30, 20, 10] and read[1, 1].tolist() == [255] * 3


@pytest.mark.parametrize("mode", ("L", "1", "P", "LA", "CMYK", "I;16", "F"))
def test_all_modes_become_three_channels(mode, tmp_path):
    pixels = np.full((4, 5), 200, np.uint8)
    if mode == "I;16":
        image = Image.fromarray(pixels.astype(np.uint16) << 8)
    elif mode == "F":
        image = Image.fromarray(pixels.astype(np.float32))
    else:
        image = Image.fromarray(pixels).convert(mode)
    image.save(tmp_path / "image.tif")
    read = read_image(tmp_path / "image.tif")
    assert read.shape == (4, 5, 3) and read.dtype == np.uint8 and read.flags.c_contiguous
    assert mode == "1" or abs(int(read[0, 0, 0]) - 200) <= 1


def test_arrays_are_bgr_or_grey():
    array = np.arange(12, dtype=np.uint8).reshape(2, 2, 3)
    np.testing.assert_array_equal(read_image(array), array)
    assert read_image(array[..., 0]).shape == read_image(array[..., :1]).shape == (2, 2, 3)


@pytest.mark.parametrize(
    "array", (np.zeros((4, 4)), np.zeros((4, 4, 5), np.uint8), np.zeros(4, np.uint8), np.zeros((0, 4), np.uint8))
)
def test_other_arrays_are_refused(array):
    with pytest.raises(BadImageError, match="an array of shape"):
        read_image(array)


def test_damaged_files_are_named(tmp_path):
    stream = io.BytesIO()
    noise(90, 90).save(stream, "PNG")
    (tmp_path / "half.png").write_bytes(stream.getvalue()[: len(stream.getvalue()) // 2])
    (tmp_path / "text.jpg").write_text("no image")
    for name in ("half.png", "text.jpg"):
        with pytest.raises(BadImageError, match=f"{name} can't be read, it is truncated or no image"):
            read_image(tmp_path / name)
    with pytest.raises(BadImageError, match="gone.jpg does not exist"):
        read_image(tmp_path / "gone.jpg")


def test_videos_are_known_by_their_ending():
    assert is_video("a/B.MP4") and not is_video("a.jpg")


def test_a_tiff_of_fractions_is_not_black(tmp_path):
    levels = np.linspace(0, 1, 12, dtype=np.float32).reshape(3, 4)
    Image.fromarray(levels).save(tmp_path / "fractions.tif")
    Image.fromarray(levels * 255).save(tmp_path / "levels.tif")
    expected = np.repeat((levels * 255).round().astype(np.uint8)[..., None], 3, axis=2)
    for name in ("fractions.tif", "levels.tif"):
        assert np.array_equal(read_image(tmp_path / name), expected)


@pytest.mark.parametrize("ending", [".gif", ".jp2", ".avif", ".jfif", ".tga"])
def test_a_folder_holds_what_can_be_named(tmp_path, ending):
    if ending == ".avif" and not features.check("avif"):
        pytest.skip("this Pillow has no AVIF")
    image = Image.new("RGB", (32, 24), (200, 30, 30))
    image.save(tmp_path / f"a{ending}", **({} if ending != ".jfif" else dict(format="JPEG")))
    (tmp_path / "notes.txt").write_text("no image")
    assert names(tmp_path) == names(tmp_path / f"a{ending}") == names(str(tmp_path / "*")) == [f"a{ending}"]
    [source] = find_images(tmp_path)
    assert source.read().shape == (24, 32, 3) and source.read()[5, 5, 2] > 180
