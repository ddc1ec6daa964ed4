"""Image loading, and annotations as arrays."""

import numpy as np
import pytest
import torch
from mmdet.structures.bbox import HorizontalBoxes
from PIL import Image

from hqm_mmdet.apis.inference.sources import read_image
from hqm_mmdet.datasets import BadImageError, LoadHOIAnnotations, LoadHOIImage
from tests.datasets.tiny_hoi import painted_results, write_image


def load(path, **options):
    return LoadHOIImage(**options)(dict(img_path=str(path)))


def save(tmp_path, mode, name="image.png", size=(6, 4), **options):
    channels = len(Image.new(mode, (1, 1)).getbands())
    pixels = np.full((size[1], size[0], channels), 200, dtype=np.uint8).squeeze()
    Image.fromarray(pixels).save(tmp_path / name, **options)
    return tmp_path / name


@pytest.mark.parametrize("mode", ["L", "RGB", "RGBA"])
def test_any_image_has_three_channels(tmp_path, mode):
    results = load(save(tmp_path, mode))
    image = results["img"]
    assert image.shape == (4, 6, 3) and image.dtype == np.uint8 and image.flags.c_contiguous
    assert results["img_shape"] == results["ori_shape"] == (4, 6)
    assert (image == 200).all()


@pytest.mark.parametrize("mode", ["1", "P", "CMYK"])
def test_rare_modes(tmp_path, mode):
    path = tmp_path / ("image.jpg" if mode == "CMYK" else "image.png")
    Image.new("RGB", (6, 4), (255, 255, 255)).convert(mode).save(path)
    image = load(path)["img"]
    assert image.shape == (4, 6, 3) and (image == 255).all()


def test_real_grey_image(data_dir):
    image = load(data_dir / "images" / "camera_grayscale.png")["img"]
    assert image.ndim == 3 and image.shape[2] == 3
    assert (image[..., 0] == image[..., 2]).all()


def test_channels_are_blue_green_red(tmp_path):
    Image.new("RGB", (3, 3), (250, 100, 5)).save(tmp_path / "image.png")
    assert load(tmp_path / "image.png")["img"][0, 0].tolist() == [5, 100, 250]


def turned_photograph(path, size=(6, 4)):
    """A photograph stored lying on its side, blue above red as it is shown; ``size`` as stored."""
    exif = Image.Exif()
    exif[0x0112] = 6  # turn clockwise to look at it
    stored = Image.new("RGB", size, (250, 0, 0))
    stored.paste((0, 0, 250), (0, 0, size[0] // 2, size[1]))  # its left becomes the top
    stored.save(path, exif=exif)
    return path


@pytest.mark.parametrize(
    "name, options, upright",
    [
        ("a.png", {}, False),
        ("a.png", dict(upright=True), True),
        ("a.png", dict(upright=False), False),
        ("a.jpg", {}, False),
        ("a.jpg", dict(upright=True), True),
    ],
)
def test_the_frame_is_the_stored_or_the_upright_one(tmp_path, name, options, upright):
    results = load(turned_photograph(tmp_path / name, (16, 8)), **options)
    assert results["img"].shape == (16, 8, 3) if upright else (8, 16, 3)
    assert results["img_shape"] == results["ori_shape"] == results["img"].shape[:2]
    blue = results["img"][..., 0].astype(int)
    first, second = (blue[:7], blue[9:]) if upright else (blue[:, :7], blue[:, 9:])
    assert first.min() > 200 and second.max() < 50


def test_the_data_set_says_the_frame(tmp_path):
    path = str(turned_photograph(tmp_path / "a.png"))
    assert LoadHOIImage()(dict(img_path=path, upright=True))["img"].shape == (6, 4, 3)
    assert LoadHOIImage()(dict(img_path=path, upright=False))["img"].shape == (4, 6, 3)
    assert LoadHOIImage(upright=False)(dict(img_path=path, upright=True))["img"].shape == (4, 6, 3)


def test_turned_photographs_are_counted_once_each(tmp_path, logged):
    loader = LoadHOIImage(upright=True)
    paths = [turned_photograph(tmp_path / f"{i}.png") for i in range(12)]
    for path in [write_image(tmp_path / "plain.png"), *paths, *paths]:
        loader(dict(img_path=str(path)))
    assert [message.split()[-1] for message in logged] == ["1.", "10."]
    assert "0.png is stored turned (EXIF orientation 6) and read upright" in logged[0]
    assert "dataset.upright=False" in logged[0]


@pytest.mark.parametrize("value", [0, 1, 9, 700])
def test_upright_and_senseless_orientations_are_none(tmp_path, logged, value):
    exif = Image.Exif()
    exif[0x0112] = value
    path = save(tmp_path, "RGB", "image.jpg", exif=exif)
    assert load(path, upright=True)["img"].shape == (4, 6, 3) and not logged


def test_upright_images_are_what_prediction_reads(tmp_path):
    pixels = np.random.default_rng(0).integers(0, 255, (40, 30, 4), dtype=np.uint8)
    exif = Image.Exif()
    exif[0x0112] = 8
    Image.fromarray(pixels).save(tmp_path / "a.png", exif=exif)
    Image.fromarray(pixels[..., 0].astype(np.uint16) * 256).save(tmp_path / "b.png")
    for name in ("a.png", "b.png"):
        assert np.array_equal(load(tmp_path / name, upright=True)["img"], read_image(tmp_path / name))


def test_a_sound_but_huge_image_is_not_called_truncated(tmp_path, monkeypatch):
    path = write_image(tmp_path / "image.png")
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 100)
    for read in (load, read_image):
        with pytest.raises(BadImageError, match=r"image\.png is too large: .*7680 pixels.*MAX_IMAGE_PIXELS") as error:
            read(path)
        assert "truncated" not in str(error.value)


def test_missing_image(tmp_path):
    with pytest.raises(BadImageError, match=r"nowhere\.jpg does not exist"):
        load(tmp_path / "nowhere.jpg")


@pytest.mark.parametrize("name", ["image.jpg", "image.png"])
@pytest.mark.parametrize("share", [0.0, 0.02, 0.5, 0.95])
def test_truncated_image(tmp_path, name, share):
    path = write_image(tmp_path / name)
    content = path.read_bytes()
    path.write_bytes(content[: int(len(content) * share)])
    with pytest.raises(BadImageError, match=rf"{name} can't be read, it is truncated or no image"):
        load(path)


def test_other_file_named_as_an_image(tmp_path):
    (tmp_path / "image.jpg").write_text("<html>not found</html>")
    with pytest.raises(BadImageError, match=r"image\.jpg can't be read"):
        load(tmp_path / "image.jpg")


def annotations(boxes, pairs, strict=False, ori_shape=(50, 100)):
    results = dict(
        img_path="image.jpg",
        ori_shape=ori_shape,
        instances=[dict(bbox=box, bbox_label=i + 5, ignore_flag=0) for i, box in enumerate(boxes)],
        pairs=pairs,
        num_verbs=4,
        strict=strict,
    )
    return LoadHOIAnnotations()(results)


def test_keys_and_types():
    results = annotations([[1, 2, 30, 40], [5, 5, 6, 6]], [(0, 1, [3, 0]), (0, -1, [2])])
    assert isinstance(results["gt_bboxes"], HorizontalBoxes)
    assert results["gt_bboxes"].tensor.dtype == torch.float32
    assert results["gt_bboxes_labels"].tolist() == [5, 6] and results["gt_instances_ids"].tolist() == [0, 1]
    assert results["gt_pairs_ids"].tolist() == [[0, 1], [0, -1]] and results["gt_pairs_ids"].dtype == np.int64
    assert results["gt_pairs_verbs"].tolist() == [[1, 0, 0, 1], [0, 0, 1, 0]]
    assert results["gt_pairs_verbs"].dtype == np.float32


def test_nothing_annotated():
    results = annotations([], [])
    assert results["gt_bboxes"].tensor.shape == (0, 4)
    assert results["gt_pairs_ids"].shape == (0, 2) and results["gt_pairs_verbs"].shape == (0, 4)
    assert results["gt_instances_ids"].shape == (0,)


def test_image_without_annotations_passes():
    assert LoadHOIAnnotations()(dict(img_path="own.jpg")) == dict(img_path="own.jpg")


def test_boxes_are_clipped_and_lost_ones_keep_the_ids_of_others():
    results = annotations([[100, 0, 120, 9], [-5, -5, 300, 300], [5, 60, 9, 70], [1, 1, 2, 2]], [(1, 3, [0])])
    assert results["gt_bboxes"].tensor.tolist() == [[0, 0, 100, 50], [1, 1, 2, 2]]
    assert results["gt_instances_ids"].tolist() == [1, 3]
    assert results["gt_bboxes_labels"].tolist() == [6, 8] and len(results["gt_ignore_flags"]) == 2


def test_annotations_are_not_changed():
    results = annotations([[-5, -5, 300, 300]], [])
    assert results["instances"][0]["bbox"] == [-5, -5, 300, 300]


def test_box_outside_is_an_error_in_strict_mode():
    with pytest.raises(ValueError, match=r"image\.jpg: box 1 = \[100, 0, 120, 9\] .* 100 x 50 pixels.*strict=False"):
        annotations([[1, 1, 2, 2], [100, 0, 120, 9]], [], strict=True)


def test_box_outside_is_reported_with_counts_but_not_for_every_image(logged):
    load_annotations = LoadHOIAnnotations()
    for _ in range(25):
        results = painted_results()
        results.update(strict=False, ori_shape=(10, 20))
        load_annotations(results)
    assert all("painted.png" in message for message in logged)
    assert [message.split()[-1] for message in logged] == ["1.", "10."]


def test_images_that_no_resize_leaves_anything_of_are_refused(tmp_path):
    with pytest.raises(BadImageError, match="thin.png has 1 x 101 pixels and is narrower than 1:100; take it out"):
        load(save(tmp_path, "L", "thin.png", (1, 101)))
    assert load(save(tmp_path, "L", "narrow.png", (2, 200)))["img"].shape == (200, 2, 3)
