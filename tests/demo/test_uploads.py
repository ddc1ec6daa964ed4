"""Which files the demo takes."""

import struct
import zlib

import numpy as np
import pytest
from PIL import Image

from hqm_mmdet.demo import UploadError, UploadLimits, read_upload
from hqm_mmdet.demo.uploads import FORMATS
from tests.apis.conftest import noise
from tests.demo.conftest import encoded

LIMITS = UploadLimits(megabytes=1, megapixels=2)
SVG = b'<svg xmlns="http://www.w3.org/2000/svg" width="9" height="9"><rect width="9" height="9"/></svg>'
EPS = b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n%%EndComments\nshowpage\n"


def png_that_claims(width, height):
    """A small, well-formed PNG file whose header promises that many pixels."""

    def chunk(kind, data):
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return (
        b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(bytes(99))) + chunk(b"IEND", b"")
    )


@pytest.fixture
def never_decoded(monkeypatch):
    def refuse(*_):
        pytest.fail("pixels were decoded")

    monkeypatch.setattr("hqm_mmdet.demo.uploads.read_image", refuse)


@pytest.mark.parametrize("kind", FORMATS)
def test_images_are_read_whatever_their_name(kind):
    image = noise(40, 30)
    read = read_upload(encoded(image, kind), "notes.txt", LIMITS)
    assert read.shape == (30, 40, 3) and read.dtype == np.uint8
    if kind not in ("JPEG", "WEBP", "GIF"):  # these change colours
        np.testing.assert_array_equal(read, np.asarray(image)[..., ::-1])


@pytest.mark.parametrize("content", (b"", b"this is text", SVG, EPS, b"\x89PNG\r\n\x1a\n"), ids=range(5))
def test_other_content_is_refused_whatever_its_name(content, never_decoded):
    with pytest.raises(UploadError, match="x.jpg is no image: its content is none of JPEG, PNG"):
        read_upload(content, "x.jpg", LIMITS)


@pytest.mark.parametrize("kind", ("PNG", "JPEG", "WEBP", "TIFF"))
def test_damaged_images_are_refused(kind):
    content = encoded(noise(300, 300), kind)
    with pytest.raises(UploadError, match=r"half\.jpg (is damaged or incomplete|is no image)"):
        read_upload(content[: len(content) // 2], "half.jpg", LIMITS)


@pytest.mark.parametrize("size, message", (((30_000, 30_000), "claims a huge number"), ((1500, 1400), "1,500 x 1,400")))
def test_too_many_pixels_are_refused_before_decoding(size, message, never_decoded):
    content = png_that_claims(*size)
    assert len(content) < 200
    with pytest.raises(UploadError, match=f"bomb.png .*{message}.*at most 2 megapixels.*--max-megapixels"):
        read_upload(content, "bomb.png", LIMITS)


def test_the_limit_counts_what_the_model_will_see(robust_dir, never_decoded):
    content = (robust_dir / "thin_1x150000.png").read_bytes()
    with pytest.raises(UploadError, match=r"thin.png has 1 x 150,000 .*padded to 4,688 x 150,000.*at most 2 mega"):
        read_upload(content, "thin.png", LIMITS)


def test_too_large_files_are_refused_before_decoding(never_decoded):
    with pytest.raises(UploadError, match="a.png has 1.5 MB, and at most 1 MB.*--max-megabytes"):
        read_upload(encoded() + bytes(1_500_000), "a.png", LIMITS)


def test_exif_orientation_is_applied():
    exif = Image.Exif()
    exif[0x0112] = 6  # turn clockwise to look at it
    assert read_upload(encoded(noise(40, 20), "JPEG", exif=exif), "a.jpg", LIMITS).shape == (40, 20, 3)
