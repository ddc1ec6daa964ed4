"""Parts that pages are made of."""

import base64
import doctest
import io
import json
import os

import numpy as np
import pytest
from PIL import Image

from hqm_mmdet.pages import charts, formats
from hqm_mmdet.pages.charts import Axis, Chart, Dot, nice_top
from hqm_mmdet.pages.pictures import ImageFolder, read_picture
from hqm_mmdet.pages.render import render_page, write_page
from hqm_mmdet.pages.report import wording
from hqm_mmdet.pages.tables import Column, table_data


@pytest.mark.parametrize("module", [charts, formats, wording], ids=lambda module: module.__name__)
def test_examples_of_docstrings(module):
    result = doctest.testmod(module)
    assert result.failed == 0 < result.attempted


@pytest.mark.parametrize(
    ("axis", "texts"),
    [
        (Axis("AP", 0, 1, scale=100), ["0", "20", "40", "60", "80", "100"]),
        (Axis("AP", 0, 0.05, scale=100), ["0", "1", "2", "3", "4", "5"]),
        (Axis("n", 0.9, 2000, log=True), ["1", "10", "100", "1,000"]),
        (Axis("n", 2, 60, log=True), ["2", "5", "10", "20", "50"]),
        (Axis("n", 0.5, 3, log=True), ["0.5", "1", "2"]),
        (Axis("n", 0.9, 1e5, log=True), ["1", "10", "100", "1,000", "10,000", "100,000"]),
    ],
)
def test_ticks(axis, texts):
    assert [text for _, text in axis.ticks] == texts
    positions = [at for at, _ in axis.ticks]
    assert positions == sorted(positions) and positions[0] >= 0 and positions[-1] <= 1


@pytest.mark.parametrize("value", [0.034, 0.2, 0.5, 1, 9.99, 730, 1e6])
def test_round_numbers_above(value):
    assert value <= nice_top(value) < 2.6 * value


def test_logarithmic_axis():
    axis = Axis("n", 1, 100, log=True)
    assert [axis.at(value) for value in (0.1, 1, 10, 100, 1000)] == pytest.approx([0, 0, 0.5, 1, 1])


@pytest.mark.parametrize(("low", "high", "log"), [(1, 1, False), (2, 1, False), (0, 1, True)])
def test_axis_that_is_none(low, high, log):
    with pytest.raises(ValueError, match="axis 'n' can't reach"):
        Axis("n", low, high, log=log)


def test_places_in_a_chart():
    chart = Chart("t", Axis("x", 0, 2), Axis("y", 0, 1), [Dot(1, 1, "a")])
    left, top, right, bottom = chart.frame
    assert chart.place(0, 0) == (left, bottom) and chart.place(2, 1) == (right, top)
    assert chart.place(1, 0.5) == ((left + right) / 2, (top + bottom) / 2)


def test_table_data():
    columns = [Column("name", select="verb"), Column("AP", "percent")]
    table = table_data("classes", columns, [("a", 0.5), ("b", None)], sort="AP")
    assert table["rows"] == [["a", 0.5], ["b", None]] and table["sort"] == 1 and table["descending"]
    with pytest.raises(ValueError, match="a row has 1 values for 2 columns"):
        table_data("classes", columns, [("a",)])
    with pytest.raises(ValueError, match=r"has no column 'x'; it has \['name', 'AP'\]"):
        table_data("classes", columns, [], sort="x")
    with pytest.raises(ValueError, match="has no column 'y'"):
        table_data("classes", columns, [], mean="y")
    with pytest.raises(ValueError, match="kind 'date' is none of"):
        Column("day", "date")


def test_pictures_are_made_small_and_keep_their_own_size(tmp_path):
    pixels = np.zeros((300, 900, 4), np.uint8)
    pixels[:, :450] = (200, 0, 0, 255)
    Image.fromarray(pixels).save(tmp_path / "a.png")
    picture = read_picture(tmp_path / "a.png")
    assert (picture.width, picture.height) == (900, 300)
    small = Image.open(io.BytesIO(base64.b64decode(picture.source.removeprefix("data:image/jpeg;base64,"))))
    assert small.size == (640, 213)
    assert small.getpixel((10, 100))[0] > 180 and small.getpixel((630, 100))[0] < 20


def test_orientation_is_ignored_unless_boxes_are_upright(tmp_path):
    image, exif = Image.new("RGB", (60, 40)), Image.Exif()
    exif[0x0112] = 6
    image.save(tmp_path / "a.jpg", exif=exif)
    for upright, size in ((False, (60, 40)), (True, (40, 60))):
        picture = read_picture(tmp_path / "a.jpg", upright=upright)
        assert (picture.width, picture.height) == size
        shown = Image.open(io.BytesIO(base64.b64decode(picture.source.removeprefix("data:image/jpeg;base64,"))))
        assert shown.size == size
        assert ImageFolder(tmp_path, upright=upright).picture("a.jpg").width == size[0]


def test_images_are_found_by_their_names(tmp_path):
    (tmp_path / "sub").mkdir()
    Image.new("L", (8, 4)).save(tmp_path / "sub" / "a.png")
    Image.new("CMYK", (8, 4)).save(tmp_path / "b.jpg")
    (tmp_path / "bad.jpg").write_text("no image")
    images = ImageFolder(tmp_path)
    assert images.shortfall == ""
    assert images.picture("sub/a.png").source and images.picture("elsewhere/b.jpg").source
    assert images.picture("bad.jpg", [(0, 0, 100, 50), None]).note == "image file can't be read"
    assert images.shortfall.startswith("1 of 3 images are missing or can't be read")
    lost = images.picture("lost.jpg", [(0, 0, 100, 50), (10, 10, float("nan"), 900)])
    assert (lost.width, lost.height, lost.note) == (104, 52, "no image file")
    assert images.lost == ["bad.jpg", "lost.jpg"]
    for name in ("e" * 300 + ".jpg", "zero\0.jpg", "", ".."):  # the file system does not take the first two
        assert images.picture(name).note and images.lost[-1] == name


def test_a_wrong_folder_is_told(tmp_path):
    for folder, told in ((tmp_path, "None of the 1 images was found"), (None, "No image folder was given")):
        images = ImageFolder(folder)
        assert images.picture("a.jpg").width == 640
        assert images.shortfall.startswith(told)


def test_page_refuses_numbers_that_json_has_not():
    with pytest.raises(ValueError, match="not JSON compliant"):
        render_page("base.html.j2", "t", [], dict(value=float("nan")))


def test_title_and_data_are_escaped():
    html = render_page("base.html.j2", "</title><script>x", [], dict(name="</script><!--"))
    assert "<title>&lt;/title&gt;&lt;script&gt;x</title>" in html
    assert html.count("</script>") == 2 and "<!--" not in html


def test_page_is_written_whole(tmp_path):
    assert write_page(tmp_path / "new" / "folder", "<p>ä</p>").read_text(encoding="utf-8") == "<p>ä</p>"
    assert [path.name for path in (tmp_path / "new" / "folder").iterdir()] == ["index.html"]


def test_file_names_that_are_no_unicode(tmp_path):
    name = os.fsdecode(b"caf\xe9.jpg")  # Latin-1, as Linux lists it
    html = render_page("base.html.j2", name, [], dict(name=name, other="café"))
    text = write_page(tmp_path, html).read_text(encoding="utf-8")
    data = json.loads(text.split('id="page-data">')[1].split("<")[0])
    assert data == dict(name=name, other="café") and "<title>caf\\udce9.jpg</title>" in text


@pytest.mark.parametrize("name", ("../private.png", "sub/../../private.png", "{root}/private.png"))
def test_pages_hold_no_picture_from_outside_of_the_folder(tmp_path, name):
    (tmp_path / "images").mkdir()
    Image.new("RGB", (9, 9)).save(tmp_path / "private.png")
    images, name = ImageFolder(tmp_path / "images"), name.format(root=tmp_path)
    assert images.picture(name).source is None and images.lost == [name]
    Image.new("RGB", (7, 5)).save(tmp_path / "images" / "private.png")  # by the name's last part
    assert (images.picture(name).width, images.picture(name).height) == (7, 5)
