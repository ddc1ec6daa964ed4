"""Both towers against the official code: all tokens after the last norm, image and text embeddings, token ids."""

import numpy as np
import pytest
import torch

from hqm_mmdet.models.clip import CLIP, load_phrases, to_openai_names, tokenize
from hqm_mmdet.structures import load_metainfo
from tests.models.clip.reference import clip_weights
from tests.models.reference import load_arrays, load_json

pytestmark = pytest.mark.parity
MEAN, STD = (0.48145466, 0.4578275, 0.40821073), (0.26862954, 0.26130258, 0.27577711)


@pytest.fixture(scope="module")
def clip(reference_dir):
    """ViT-B/32 with stand-in weights; their names carry the prefix of a HOICLIP checkpoint."""
    return CLIP.of_state(to_openai_names(clip_weights(reference_dir)))


@pytest.fixture(scope="module")
def expected(reference_dir):
    return load_arrays(reference_dir, "hoiclip", "clip_vit_b32.npz")


def test_image_tower(clip, expected):
    images = torch.from_numpy(expected["clip_image_uint8"]) / 255
    images = (images - torch.tensor(MEAN)[:, None, None]) / torch.tensor(STD)[:, None, None]
    with torch.no_grad():
        tokens = clip.visual(images)
        embeddings = clip.visual.embed(images)
    np.testing.assert_allclose(tokens, expected["tokens_post_ln"], rtol=0, atol=1e-4)
    np.testing.assert_allclose(embeddings, expected["image_embed"], rtol=0, atol=1e-4)


@pytest.mark.parametrize("kind", ("hoi", "object"))
def test_text_tower(clip, expected, reference_dir, kind):
    prompts = load_json(reference_dir, "hoiclip", "prompts.json")[f"hico_{kind}"]
    features = clip.text_features(tokenize([prompts[i] for i in expected[f"{kind}_prompt_index"]]))
    np.testing.assert_allclose(features, expected[f"{kind}_text_embed_normalised"], rtol=0, atol=1e-4)


def test_prompts_and_token_ids(reference_dir):
    prompts = load_json(reference_dir, "hoiclip", "prompts.json")
    ids = load_arrays(reference_dir, "hoiclip", "prompt_tokens.npz")
    for name, texts in prompts.items():
        np.testing.assert_array_equal(tokenize(texts), ids[name], err_msg=name)
    coco = load_metainfo("hico_det")["classes"]
    for table, prefix, rows in (
        ("hico_det", "hico", load_json(reference_dir, "hoiclip", "hico_hoi_categories.json")),
        ("v_coco", "vcoco", load_json(reference_dir, "hoiclip", "vcoco_hoi_categories.json")),
    ):
        phrases = load_phrases(table)
        hois = [(row["verb"], coco[row["object_id"]] if row["object_id"] < len(coco) else None) for row in rows]
        assert phrases.hoi_prompts(hois) == prompts[f"{prefix}_hoi"]
        assert phrases.object_prompts(coco) == prompts[f"{prefix}_object"]
