"""DETR as the initialisation of CDN, and which checkpoints are CDN's."""

from pathlib import Path

import pytest
import torch

from hqm_mmdet.apis import build_model
from hqm_mmdet.checkpoints import convert_state_dict, recognise
from tests.checkpoints.test_convert import as_mmdet, official_detr, rename_as_qpic
from tests.models.reference import load_json, official_weights

ROOT = Path(__file__).parents[2]


def detr(num_layers=2, dim=4):
    """A DETR of which only what matters here is there."""
    state = official_detr(dim=dim)
    state["query_embed.weight"] = torch.rand(100, dim)
    for i in range(num_layers):
        state[f"transformer.decoder.layers.{i}.multihead_attn.in_proj_weight"] = torch.rand(3 * dim, dim)
    state["transformer.decoder.norm.weight"] = torch.rand(dim)
    return state


@pytest.mark.parity
@pytest.mark.parametrize("dataset", ("hico", "vcoco"))
@pytest.mark.parametrize("model", ("cdn", "cdn_released"))
def test_every_tensor_comes_from_where_the_official_one_does(reference_dir, dataset, model):
    weights = official_weights(reference_dir, "qpic", "detr_r50")
    converted, report = convert_state_dict(weights, dataset=dataset, model=model)
    assert report.source == "detr"
    mapping = load_json(reference_dir, "cdn", "detr_to_cdn_init.json")[dataset]["mapping"]
    for official, origin in mapping.items():
        name, source = rename_as_qpic(official), origin["source"]
        if source is None and model == "cdn" and "interaction_decoder" in official:
            # what the released converter misses: published models started from DETR's decoder (official issue 18)
            source = official.replace("interaction_decoder", "decoder")
        assert (name in converted) == (source is not None), name
        if source is not None:
            ours, theirs = rows_of(converted[name], weights[source], origin.get("rows"))
            assert torch.equal(ours, theirs), name
    queries = 64 if dataset == "hico" else 100
    assert len(converted["query_embedding.weight"]) == queries


@pytest.mark.parity
@pytest.mark.parametrize("size,layers", (("s", 3), ("b", 6)))
def test_initialised_cdn_lacks_the_verb_layer_only(reference_dir, size, layers):
    converted, _ = convert_state_dict(official_weights(reference_dir, "qpic", "detr_r50"), model="cdn")
    model = build_model(ROOT / "configs" / f"cdn_{size}_hico.py")
    missing, unexpected = model.load_state_dict(converted, strict=False)
    assert {name for name in missing if not name.endswith("num_batches_tracked")} == {
        "bbox_head.verb_cls.weight",
        "bbox_head.verb_cls.bias",
    }
    assert {name.split(".layers.")[1][0] for name in unexpected} == set("345"[layers - 3 :])


def rows_of(ours, source, rows):
    """Both tensors, less a row that is random, and as far as the fixture takes rows of the source."""
    if rows is None:
        return ours, source
    if isinstance(rows, str):
        first, last = map(int, rows.split(".."))
        return ours, source[first : last + 1]
    known = [i for i, row in enumerate(rows) if isinstance(row, int)]
    assert len(ours) == len(rows)
    return ours[known], source[[rows[i] for i in known]]


@pytest.mark.parametrize("dataset", ("hico", "vcoco"))
def test_mmdet_detr_gives_the_same_as_official_detr(dataset):
    official = detr()
    expected, _ = convert_state_dict(official, dataset=dataset, model="cdn")
    converted, report = convert_state_dict(as_mmdet(official), dataset=dataset, model="cdn")
    assert report.source == "mmdet_detr"
    assert set(converted) == set(expected)
    assert all(torch.equal(tensor, converted[name]) for name, tensor in expected.items())


def test_decoders_are_copies_and_the_released_way_leaves_the_second_out():
    converted, report = convert_state_dict(detr(), model="cdn")
    first = {name: tensor for name, tensor in converted.items() if name.startswith("decoder.")}
    assert len(first) == 3
    for name, tensor in first.items():
        copy = converted[f"interaction_{name}"]
        assert torch.equal(copy, tensor) and copy.data_ptr() != tensor.data_ptr()
    assert set(converted) == set(report.renamed.values()) | set(report.added)
    released, _ = convert_state_dict(detr(), model="cdn_released")
    assert set(converted) - set(released) == {f"interaction_{name}" for name in first}


@pytest.mark.parametrize("folder_model,source", (("cdn_hico", "cdn"), ("cdn_hqm_hico", "cdn_hqm")))
@pytest.mark.parity
def test_official_checkpoints_are_recognised(reference_dir, folder_model, source):
    keys = load_json(reference_dir, "cdn", f"{folder_model}_keys.json")
    assert recognise(dict.fromkeys(keys)) == source


@pytest.mark.parametrize("model", ("other", "cdn"))
def test_model_that_does_not_apply_is_refused(model):
    pair_detector = {"obj_class_embed.weight": torch.zeros(1)}
    with pytest.raises(ValueError, match="official QPIC"):
        convert_state_dict(pair_detector, model=model)
    with pytest.raises(ValueError, match="cdn_released"):
        convert_state_dict(detr(), model="other")
