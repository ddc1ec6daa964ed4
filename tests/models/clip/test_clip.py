"""Properties of the towers."""

import torch

from tests.models.clip.small_clip import SIZE, small_clip


def test_a_prompt_alone_equals_the_prompt_in_a_batch():
    clip = small_clip()
    short, long = torch.tensor([[49406, 320, 49407]]), torch.tensor([[49406, 320, 1125, 539, 49407]])
    padded = torch.cat([torch.nn.functional.pad(short, (0, 2)), long])
    alone = torch.cat([clip.text_features(short), clip.text_features(long)])
    torch.testing.assert_close(clip.text_features(padded), alone)
    torch.testing.assert_close(clip.text_features(padded, batch_size=1), alone)
    torch.testing.assert_close(alone.norm(dim=1), torch.ones(2))
    assert not torch.allclose(alone[0], alone[1])


def test_an_image_alone_equals_the_image_in_a_batch():
    clip = small_clip()
    images = torch.randn(3, 3, SIZE.image_size, SIZE.image_size)
    tokens = clip.visual(images)
    assert tokens.shape == (3, 5, SIZE.vision_width)
    torch.testing.assert_close(torch.cat([clip.visual(image[None]) for image in images]), tokens)
    torch.testing.assert_close(clip.visual.embed(images), tokens[:, 0] @ clip.visual.proj)


def test_no_prompt():
    assert small_clip().text_features(torch.zeros(2, 3, dtype=torch.long)[:0]).shape == (0, SIZE.embed_dims)
