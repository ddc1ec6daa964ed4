"""What CLIP's frozen tower sees, and where its weights come from."""

import numpy as np
import pytest
import torch
from PIL import Image

from hqm_mmdet.apis import build_model
from hqm_mmdet.errors import ConfigError
from hqm_mmdet.models.clip import FrozenCLIPVision, clip_view
from hqm_mmdet.structures import HOIDataSample
from tests.models.clip.small_clip import SIZE, small_clip
from tests.models.tiny import random_batch
from tests.models.tiny_text import tiny_hoiclip_config


@pytest.mark.parametrize("size", ((80, 120), (121, 97), (40, 40)))
def test_view_is_that_of_pil(size):
    generator = np.random.default_rng(0)
    smooth = np.kron(generator.integers(0, 255, (8, 8, 3)), np.ones((20, 20, 1)))[: size[0], : size[1]].astype(np.uint8)
    image = Image.fromarray(smooth)
    short = min(size)
    resized = image.resize((int(32 * size[1] / short), int(32 * size[0] / short)), Image.BICUBIC)
    left, top = (round((length - 32) / 2) for length in resized.size)
    expected = np.asarray(resized.crop((left, top, left + 32, top + 32)), dtype=np.float32)
    view = clip_view(torch.from_numpy(smooth).permute(2, 0, 1).float(), 32)
    difference = np.abs(view.permute(1, 2, 0).numpy() - expected)
    # PIL works on bytes, and clips between its two passes: a few levels at the corners of hard edges
    assert difference.max() < 8 and (difference > 1.5).mean() < 0.002 and difference.mean() < 0.5


def test_inputs_become_the_views_that_samples_would_carry():
    torch.manual_seed(0)
    model = build_model(tiny_hoiclip_config()).eval()
    inputs, samples = random_batch([1, 1], sizes=[(64, 80), (96, 48)])
    derived = model.clip_tokens(model.clip, inputs, samples)
    mean, std = model.data_preprocessor.mean, model.data_preprocessor.std
    for i, (height, width) in enumerate(((64, 80), (96, 48))):
        sample = HOIDataSample(metainfo=dict(img_shape=(height, width)))
        sample.set_field(clip_view(inputs[i, :, :height, :width] * std + mean, 32), "clip_image")
        torch.testing.assert_close(model.clip_tokens(model.clip, inputs[i : i + 1], [sample])[0], derived[i])
    assert model.clip_tokens(model.clip, inputs, None).shape == (2, 5, 64)


def test_tower_reads_its_weights_when_training_starts(tmp_path):
    clip = small_clip()
    torch.save(clip.state_dict(), tmp_path / "clip.pth")
    tower = FrozenCLIPVision(vars(SIZE), str(tmp_path / "clip.pth"))
    tower.init_weights()
    for name, value in clip.visual.state_dict().items():
        assert torch.equal(tower.state_dict()[name], value)
    with pytest.raises(ConfigError, match=r"clip.pth is a CLIP of .*image_size=32.*clip.size"):
        FrozenCLIPVision("ViT-B/32", str(tmp_path / "clip.pth")).init_weights()
    with pytest.raises(FileNotFoundError, match="ViT-B-32.pt"):
        FrozenCLIPVision("ViT-B/32", str(tmp_path / "absent.pt")).init_weights()


def test_unknown_size():
    with pytest.raises(ConfigError, match=r"'ViT-B32'.*ViT-B/32"):
        FrozenCLIPVision("ViT-B32")


def test_cache_gives_what_was_computed_and_runs_the_tower_once_per_image(tmp_path):
    torch.manual_seed(0)
    plain, cached = FrozenCLIPVision(vars(SIZE)), FrozenCLIPVision(vars(SIZE), cache=str(tmp_path))
    cached.load_state_dict(plain.state_dict())
    seen = []
    cached.transformer.register_forward_pre_hook(lambda _, inputs: seen.append(len(inputs[0])))
    images = torch.randn(3, 3, SIZE.image_size, SIZE.image_size)
    assert torch.equal(cached(images[:2]), plain(images[:2]))
    assert torch.equal(cached(images[[1, 2, 0]])[[2, 0]], plain(images[:2]))
    torch.testing.assert_close(cached(images[2:]), plain(images[2:]))
    assert seen == [2, 1]  # batches of what was new

    with torch.autocast("cpu", torch.bfloat16):  # another number type is another file
        torch.testing.assert_close(cached(images[:1]), plain(images[:1]))
    assert seen == [2, 1, 1]
    other = {name: value + 0.1 for name, value in plain.state_dict().items()}
    cached.load_state_dict(other)  # and so are other weights
    plain.load_state_dict(other)
    torch.testing.assert_close(cached(images[:1]), plain(images[:1]))
    assert seen == [2, 1, 1, 1] and len(list(tmp_path.rglob("*.safetensors"))) == 5


def test_cache_of_a_model(tmp_path):
    """The tower sees an image once, in training and in evaluation mode."""
    torch.manual_seed(0)
    cfg = tiny_hoiclip_config()
    cfg.model.clip = dict(cfg.model.clip, cache=str(tmp_path))
    model = build_model(cfg)
    seen = []
    model.clip.transformer.register_forward_pre_hook(lambda _, inputs: seen.append(len(inputs[0])))
    batch = random_batch([1, 1])
    sum(model(*batch, mode="loss").values()).backward()
    model.eval()(*batch, mode="predict")
    assert seen == [2]
