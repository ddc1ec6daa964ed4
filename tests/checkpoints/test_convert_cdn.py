"""DETR as the initialisation of CDN, and which checkpoints are CDN's."""

import subprocess
import sys
from pathlib import Path

import pytest
import torch

from hqm_mmdet.apis import build_model
from hqm_mmdet.checkpoints import convert_state_dict, recognise
from hqm_mmdet.checkpoints.key_tables import OFFICIAL_CDN
from tests.checkpoints.test_convert import CONVERT, as_mmdet, environment, official_detr, rename
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
@pytest.mark.parametrize("copy_decoder", (True, False))
def test_every_tensor_comes_from_where_the_official_one_does(reference_dir, dataset, copy_decoder):
    weights = official_weights(reference_dir, "qpic", "detr_r50")
    converted, report = convert_state_dict(weights, dataset=dataset, model="cdn", copy_decoder=copy_decoder)
    assert report.source == "detr"
    mapping = load_json(reference_dir, "cdn", "detr_to_cdn_init.json")[dataset]["mapping"]
    for official, origin in mapping.items():
        name, source = rename(official, OFFICIAL_CDN), origin["source"]
        if source is None and copy_decoder and "interaction_decoder" in official:
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
    released, _ = convert_state_dict(detr(), model="cdn", copy_decoder=False)
    assert set(converted) - set(released) == {f"interaction_{name}" for name in first}


@pytest.mark.parametrize("folder_model,source", (("cdn_hico", "cdn"), ("cdn_hqm_hico", "cdn_hqm")))
@pytest.mark.parity
def test_official_checkpoints_are_recognised(reference_dir, folder_model, source):
    keys = load_json(reference_dir, "cdn", f"{folder_model}_keys.json")
    assert recognise(dict.fromkeys(keys)) == source


def test_command(tmp_path):
    torch.save({"model": detr()}, tmp_path / "detr.pth")
    arguments = [tmp_path / "detr.pth", tmp_path / "cdn.pth", "--model", "cdn", "--random-decoder", "--quiet"]
    done = subprocess.run([sys.executable, CONVERT, *arguments], capture_output=True, text=True, env=environment())
    assert done.returncode == 0, done.stderr
    assert "14 added, 0 dropped" in done.stdout  # with a copied decoder it would be 17


def test_unknown_model_is_named():
    with pytest.raises(ValueError, match="'cdn'.*'other'"):
        convert_state_dict(detr(), model="other")
