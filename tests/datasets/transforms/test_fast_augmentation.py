"""The fast augmentation does what Pillow does, and has the distribution of resizing, cropping and resizing again."""

import cv2
import numpy as np
import pytest
from PIL import Image, ImageEnhance

from hqm_mmdet.datasets.transforms import AntialiasedResize, ColorJitter, LoadHOIImage, RandomCropAtScale
from hqm_mmdet.datasets.transforms.augmentation import brightness, contrast, saturation

ENHANCERS = {brightness: ImageEnhance.Brightness, contrast: ImageEnhance.Contrast, saturation: ImageEnhance.Color}


def picture(height=60, width=80, seed=0):
    random = np.random.default_rng(seed)
    coarse = random.integers(0, 256, (height // 10, width // 10, 3), dtype=np.uint8)
    smooth = np.asarray(Image.fromarray(coarse).resize((width, height), Image.Resampling.BICUBIC))
    return (smooth + random.normal(0, 20, smooth.shape)).clip(0, 255).astype(np.uint8)


def levels_apart(image, expected):
    return np.abs(image.astype(int) - expected.astype(int)).max()


@pytest.mark.parametrize("factor", (0.6, 0.87, 1.0, 1.23, 1.4))
@pytest.mark.parametrize("step", ENHANCERS)
def test_colour_steps_are_pillows(step, factor):
    rgb = picture()
    expected = np.asarray(ENHANCERS[step](Image.fromarray(rgb)).enhance(factor))
    assert levels_apart(step(rgb[..., ::-1].copy(), factor)[..., ::-1], expected) <= 1


def test_jitter_draws_continuous_factors_and_every_order():
    jitter = ColorJitter()
    np.random.seed(0)
    drawn = [jitter.draw() for _ in range(600)]
    factors = np.array([[factor for _, factor in sorted(steps)] for steps in drawn])
    assert factors.min() < 0.61 and factors.max() > 1.39 and abs(factors.mean() - 1) < 0.03
    assert len(np.unique(factors)) == factors.size
    orders, counts = np.unique([[step for step, _ in steps] for steps in drawn], axis=0, return_counts=True)
    assert len(orders) == 6 and counts.min() > 60


def test_jitter_of_a_flipped_image_is_the_flipped_jitter():
    image, results = picture(), []
    for flipped in (False, True):
        np.random.seed(3)
        results.append(ColorJitter().transform(dict(img=image[:, ::-1] if flipped else image))["img"])
    np.testing.assert_array_equal(results[1][:, ::-1], results[0])


@pytest.mark.parametrize("scale", ((90, 999), (61, 999), (60, 999), (41, 999), (25, 999), (300, 100)))
def test_resizing_is_pillows_bilinear(scale):
    image = picture()
    resize = AntialiasedResize(scale=scale, keep_ratio=True)
    resized = resize(dict(img=image.copy(), img_shape=image.shape[:2]))
    height, width = resized["img"].shape[:2]
    expected = np.asarray(Image.fromarray(image).resize((width, height), Image.Resampling.BILINEAR))
    assert levels_apart(resized["img"], expected) <= 1
    assert resized["scale_factor"] == (width / 80, height / 60)


def test_a_crop_at_a_scale_is_the_part_that_a_crop_of_the_resized_image_would_be():
    """Sides of the part in pixels of the resized image are uniform in the same range, and so are its places."""
    crop = RandomCropAtScale(
        scales=[(500, 4200)], crop_type="absolute_range", crop_size=(384, 600), allow_negative_crop=True
    )
    np.random.seed(0)
    heights, widths = np.array(
        [crop(dict(img=np.zeros((375, 500, 3), np.uint8)))["img"].shape[:2] for _ in range(2000)]
    ).T
    factor = 500 / 375
    for sides, limit in ((heights, 500), (widths, 600)):
        assert abs(sides.min() * factor - 384) < 2 and abs(sides.max() * factor - limit) < 2
        assert abs(sides.mean() * factor - (384 + limit) / 2) < 4
    narrow = crop(dict(img=np.zeros((3, 1000, 3), np.uint8)))["img"]  # resized it is 13 pixels high at most
    assert narrow.shape[0] == 3


class TestDecodingAtAPartOfTheSize:
    @pytest.fixture
    def photograph(self, tmp_path):
        Image.fromarray(picture(600, 800)).save(tmp_path / "photograph.jpg", quality=95)
        return tmp_path / "photograph.jpg"

    def load(self, path, **options):
        return LoadHOIImage(**options)(dict(img_path=str(path)))

    @pytest.mark.parametrize(
        ("scale", "size"), (((150, 999), 150), ((140, 999), 150), ((160, 999), 300), ((400, 999), 600))
    )
    def test_no_side_gets_smaller_than_wanted(self, photograph, scale, size):
        results = self.load(photograph, scale=scale)
        assert results["img"].shape[0] == size == results["img_shape"][0] and results["ori_shape"] == (600, 800)

    def test_what_is_resized_is_the_same_picture(self, photograph):
        resize = AntialiasedResize(scale=(140, 999), keep_ratio=True)
        small, whole = (resize(self.load(photograph, **o))["img"] for o in (dict(scale=(140, 999)), {}))
        assert small.shape == whole.shape and np.abs(small.astype(int) - whole).mean() < 3

    def test_boxes_in_the_files_pixels_get_the_whole_image(self, photograph):
        results = LoadHOIImage(scale=(140, 999))(dict(img_path=str(photograph), detections={}))
        assert results["img_shape"] == (600, 800)

    def test_a_png_is_read_whole(self, tmp_path):
        cv2.imwrite(str(tmp_path / "a.png"), picture())
        assert self.load(tmp_path / "a.png", scale=(10, 20))["img_shape"] == (60, 80)
