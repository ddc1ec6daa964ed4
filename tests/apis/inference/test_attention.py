"""Attention maps of pairs."""

import numpy as np
import pytest
import torch

from hqm_mmdet.apis import HOIInferencer, build_model
from hqm_mmdet.apis.inference.attention import AttentionMaps
from tests.apis.conftest import inference_config, noise, write_checkpoint
from tests.models.tiny import NUM_QUERIES, tiny_config
from tests.models.tiny_hotr import tiny_hotr_config


def attention_of(model_config, tmp_path):
    torch.manual_seed(2)
    weights = write_checkpoint(tmp_path / "m.pth", build_model(model_config))
    config = inference_config()
    config.model = model_config.model
    config.model.data_preprocessor.bgr_to_rgb = True
    given = HOIInferencer(config, weights, "cpu", show_progress=False)
    return given.attention(noise(96, 64))[1]


def test_maps_of_every_layer_sum_to_one_and_pairs_are_those_of_prediction(inferencer):
    image, maps = inferencer.attention(noise(96, 64))
    assert image.shape == (64, 96, 3)
    assert list(maps.layers) == ["decoder layer 1", "decoder layer 2"]
    for weights in maps.layers.values():
        assert weights.shape == (4, NUM_QUERIES, 4, 6)
        torch.testing.assert_close(weights.sum((-1, -2)), torch.ones(4, NUM_QUERIES))
    (prediction,) = inferencer.stream(noise(96, 64))
    torch.testing.assert_close(maps.pairs.verb_scores, prediction.sample.pred_pairs.verb_scores)
    assert prediction.sample.pred_pairs.queries.tolist() == list(range(NUM_QUERIES))


def test_cascaded_decoders_are_all_there(tmp_path):
    maps = attention_of(tiny_config("CDN"), tmp_path)
    assert list(maps.layers) == [
        "decoder layer 1",
        "decoder layer 2",
        "interaction decoder layer 1",
        "interaction decoder layer 2",
    ]


def test_pointers_show_their_interaction_query(tmp_path):
    maps = attention_of(tiny_hotr_config(), tmp_path)
    assert list(maps.layers) == ["decoder layer 1", "decoder layer 2"]  # instances are found before
    assert maps.pairs.queries.tolist() == list(range(len(maps.pairs)))


def test_heads_without_queries_are_named(inferencer, monkeypatch):
    predict = inferencer.model.bbox_head.predict

    def without_queries(*args):
        (pairs,) = predict(*args)
        del pairs.queries
        return [pairs]

    monkeypatch.setattr(inferencer.model.bbox_head, "predict", without_queries)
    with pytest.raises(ValueError, match="Pairs of HOIHead don't belong to single queries"):
        inferencer.attention(noise(20, 20))


def test_average_and_single_head():
    layers = {"decoder layer 1": torch.rand(4, 3, 2, 5)}
    maps = AttentionMaps(None, layers)
    np.testing.assert_allclose(maps.of_query(1)["decoder layer 1"], layers["decoder layer 1"][:, 1].mean(0))
    np.testing.assert_allclose(maps.of_query(2, head=3)["decoder layer 1"], layers["decoder layer 1"][3, 2])
    with pytest.raises(IndexError, match="Head 4 does not exist; the model has heads 0 to 3"):
        maps.of_query(0, head=4)
