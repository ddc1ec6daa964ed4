"""Converters: what other code bases call things, and what becomes of every tensor."""

import os
import pickle
import re
import subprocess
import sys
from pathlib import Path

import pytest
import torch

from hqm_mmdet.checkpoints import convert_checkpoint, convert_state_dict, recognise
from hqm_mmdet.checkpoints.key_tables import OFFICIAL_QPIC
from hqm_mmdet.safe_loading import CheckpointError, load_untrusted
from tests.models.reference import load_json, official_weights

CONVERT = Path(__file__).parents[2] / "tools" / "model_converters" / "convert.py"


def official_detr(rows=92, dim=4):
    state = {
        "transformer.encoder.layers.0.self_attn.in_proj_weight": torch.rand(3 * dim, dim),
        "backbone.0.body.conv1.weight": torch.rand(2, 3, 1, 1),
        "query_embed.weight": torch.rand(5, dim),
        "class_embed.weight": torch.arange(rows * dim, dtype=torch.float32).view(rows, dim),
        "class_embed.bias": torch.arange(rows, dtype=torch.float32),
    }
    for i in range(3):
        state[f"bbox_embed.layers.{i}.weight"] = torch.rand(dim, dim)
        state[f"bbox_embed.layers.{i}.bias"] = torch.rand(dim)
    return state


def as_mmdet(state):
    """The same DETR as mmdet names it."""
    converted, _ = convert_state_dict(state, "detr", "hico")
    ours = {k: v for k, v in converted.items() if not k.startswith("bbox_head.")}
    names = {"0": "reg_ffn.layers.0.0", "1": "reg_ffn.layers.1", "2": "fc_reg"}
    for i, theirs in names.items():
        for part in ("weight", "bias"):
            ours[f"bbox_head.{theirs}.{part}"] = state[f"bbox_embed.layers.{i}.{part}"]
    for part in ("weight", "bias"):
        ours[f"bbox_head.fc_cls.{part}"] = converted[f"bbox_head.obj_cls.{part}"]
    return ours


@pytest.mark.parity
@pytest.mark.parametrize("dataset", ("hico", "vcoco"))
def test_initialisation_from_official_detr(reference_dir, dataset):
    converted, report = convert_state_dict(official_weights(reference_dir, "qpic", "detr_r50"), dataset=dataset)
    expected = load_json(reference_dir, "qpic", "detr_to_qpic.json")[dataset]
    assert report.source == "detr"
    for official, statistics in expected["tensors"].items():
        tensor = converted[rename(official, OFFICIAL_QPIC)].double()
        if dataset == "vcoco":  # the row for "missing object" is random, the statistics leave it out
            tensor = torch.cat([tensor[:80], tensor[81:]])
        assert tensor.sum().item() == pytest.approx(statistics["sum"], rel=1e-9, abs=1e-9)
        assert tensor.abs().sum().item() == pytest.approx(statistics["abs_sum"], rel=1e-9)
        assert tensor.flatten()[0].item() == pytest.approx(statistics["first"], rel=1e-12)
        assert tensor.flatten()[-1].item() == pytest.approx(statistics["last"], rel=1e-12)
    for name in expected["qpic_keys_left_at_initialisation"]:
        assert rename(name, OFFICIAL_QPIC) not in converted


def rename(official, rules):
    """Our name by the first rule that fits."""
    for pattern, replacement in rules:
        new, count = re.subn(pattern, replacement, official)
        if count:
            return new
    raise KeyError(official)


@pytest.mark.parametrize("dataset,rows", (("hico", 81), ("vcoco", 82)))
def test_mmdet_detr_gives_the_same_as_official_detr(dataset, rows):
    official = official_detr()
    expected, _ = convert_state_dict(official, dataset=dataset)
    converted, report = convert_state_dict(as_mmdet(official), dataset=dataset)
    assert report.source == "mmdet_detr"
    assert set(converted) == set(expected)
    for name, tensor in expected.items():
        torch.testing.assert_close(converted[name], tensor, rtol=0, atol=0)
    assert len(converted["bbox_head.obj_cls.weight"]) == rows


def test_every_tensor_is_accounted_for():
    state = official_detr()
    state["something.else"] = torch.zeros(1)
    converted, report = convert_state_dict(state)
    head = [name for name in state if name.startswith(("class_embed", "bbox_embed"))]
    assert set(report.renamed) | set(report.dropped) | set(head) == set(state)
    assert report.dropped == ["something.else"]
    assert set(converted) == set(report.renamed.values()) | set(report.added)


def test_unknown_checkpoint_names_known_sources():
    with pytest.raises(ValueError, match="official QPIC"):
        recognise({"foo.weight": torch.zeros(1)})
    with pytest.raises(ValueError, match="nothing to convert"):
        recognise({"bbox_head.obj_cls.weight": torch.zeros(1)})


def test_hotr_needs_the_classes_of_coco():
    with pytest.raises(ValueError, match="5 rows"):
        convert_state_dict(official_detr(rows=5), model="hotr")


@pytest.mark.parametrize("dataset", ("hico", "vcoco"))
@pytest.mark.parametrize("theirs", ["official", "mmdet"])
def test_detr_tuned_on_classes_of_its_own(tmp_path, dataset, theirs):
    """Its class layer is taken over where the model has as many, else left out; both is said."""
    state = official_detr(rows=5)
    if theirs == "mmdet":
        state = as_mmdet(state)
    torch.save({"model": {f"module.{name}": value for name, value in state.items()}}, tmp_path / "detr.pth")

    def convert(own=None):
        report = convert_checkpoint(tmp_path / "detr.pth", tmp_path / "out.pth", dataset=dataset, own=own)
        return load_untrusted(tmp_path / "out.pth")["state_dict"], report

    converted, report = convert()
    rows = torch.arange(20, dtype=torch.float32).view(5, 4)
    assert torch.equal(converted["bbox_head.obj_cls.weight"], rows)
    assert "has 5 outputs, not COCO's: a model with as many takes it over" in str(report)
    own = {name: torch.zeros_like(value) for name, value in converted.items()}
    assert torch.equal(convert(own)[0]["bbox_head.obj_cls.weight"], rows)
    other = {**own, "bbox_head.obj_cls.weight": torch.zeros(3, 4), "bbox_head.obj_cls.bias": torch.zeros(3)}
    converted, report = convert(other)
    assert (
        not [name for name in converted if "obj_cls" in name]
        and "encoder.layers.0.self_attn.attn.in_proj_weight" in converted
    )
    assert "class layer is left out, it has 5 outputs and the model 3" in report.summary()
    assert report.missing == ["bbox_head.obj_cls.weight", "bbox_head.obj_cls.bias"]
    coco, report = convert_state_dict(official_detr(), dataset=dataset)
    assert not report.notes and len(coco["bbox_head.obj_cls.weight"]) == (82 if dataset == "vcoco" else 81)


def test_other_numbers_of_queries_and_classes_are_named(tmp_path):
    torch.save(official_detr(), tmp_path / "detr.pth")
    own = convert_state_dict(official_detr())[0] | {"query_embedding.weight": torch.zeros(7, 4)}
    with pytest.raises(CheckpointError, match=r"\(5, 4\), in the config's model \(7, 4\).*set model\.num_queries=5"):
        convert_checkpoint(tmp_path / "detr.pth", tmp_path / "out.pth", own=own)


def official_qpic():
    return {"obj_class_embed.weight": torch.rand(3, 4), "query_embed.weight": torch.rand(5, 4)}


def test_pair_detector_is_not_converted_in_part_silently():
    state = official_qpic() | {"something.else": torch.zeros(1)}
    with pytest.raises(ValueError, match=r"official QPIC: 1 tensors have no place.*something.else.*--partial"):
        convert_state_dict(state)
    converted, report = convert_state_dict(state, partial=True)
    assert report.dropped == ["something.else"] and len(converted) == 2


def test_model_says_what_is_missing(tmp_path):
    torch.save({"model": official_qpic()}, tmp_path / "qpic.pth")
    own = {"bbox_head.obj_cls.weight": torch.rand(3, 4), "query_embedding.weight": torch.rand(5, 4)}
    out = tmp_path / "out.pth"
    training_only = {"query_mining.x": torch.zeros(1), "bn.num_batches_tracked": torch.tensor(0)}
    assert convert_checkpoint(tmp_path / "qpic.pth", out, own=own | training_only).missing == []
    own["decoder.a"] = torch.zeros(1)
    out.unlink()
    with pytest.raises(CheckpointError, match=r"qpic.pth does not fit.*lacks 1 parameters, e.g. \['decoder.a'\]"):
        convert_checkpoint(tmp_path / "qpic.pth", out, own=own)
    own["query_embedding.weight"] = torch.rand(9, 4)
    with pytest.raises(CheckpointError, match=r"query_embedding.weight is \(5, 4\), in the config's model \(9, 4\)"):
        convert_checkpoint(tmp_path / "qpic.pth", out, own=own, partial=True)
    assert not out.exists()
    del own["query_embedding.weight"]
    report = convert_checkpoint(tmp_path / "qpic.pth", out, own=own, partial=True)
    assert report.missing == ["decoder.a"] and "  missing decoder.a\n" in str(report)
    assert str(report).endswith("official QPIC: 2 renamed, 0 kept, 0 added, 0 dropped, 1 missing")


def test_mmdet_names_are_kept():
    _, report = convert_state_dict(as_mmdet(official_detr()))
    assert "kept backbone.conv1.weight" in str(report) and " 3 kept, " in report.summary()


@pytest.mark.parametrize("content", ([1, 2], {"model": {"a": "text"}}, {"epoch": 3}, {"model": {}}), ids=str)
def test_no_weights(tmp_path, content):
    torch.save(content, tmp_path / "x.pth")
    with pytest.raises(CheckpointError, match=r"x.pth holds no weights"):
        convert_checkpoint(tmp_path / "x.pth", tmp_path / "out.pth")


class Settings:
    """What an old code base put beside its weights."""


def test_trusted_file_is_read_on_demand_only(tmp_path):
    torch.save({"model": official_detr(), "settings": Settings()}, tmp_path / "old.pth")
    with pytest.raises(CheckpointError, match=r"Settings.*refused.*hqm-mmdet convert --trust"):
        convert_checkpoint(tmp_path / "old.pth", tmp_path / "out.pth")
    convert_checkpoint(tmp_path / "old.pth", tmp_path / "out.pth", trust=True)
    assert "bbox_head.obj_cls.weight" in load_untrusted(tmp_path / "out.pth")["state_dict"]


class Bomb:
    def __reduce__(self):
        return exec, ("raise SystemExit('code ran')",)


def test_malicious_checkpoint_is_refused(tmp_path):
    (tmp_path / "bad.pth").write_bytes(pickle.dumps({"model": Bomb()}))
    torch.save({"model": Bomb()}, tmp_path / "bad_zip.pth")
    for name in ("bad.pth", "bad_zip.pth"):
        with pytest.raises(RuntimeError, match="refused"):
            convert_checkpoint(tmp_path / name, tmp_path / "out.pth")
    assert not (tmp_path / "out.pth").exists()


@pytest.mark.parametrize("suffix", ("pth", "safetensors"))
def test_command(tmp_path, suffix):
    torch.save({"model": official_detr()}, tmp_path / "detr.pth")
    out = tmp_path / f"ours.{suffix}"
    command = [sys.executable, CONVERT, tmp_path / "detr.pth", out, "--quiet"]
    done = subprocess.run(command, capture_output=True, text=True, env=environment())
    assert done.returncode == 0, done.stderr
    assert "3 renamed, 0 kept, 14 added, 0 dropped" in done.stdout
    assert "bbox_head.obj_cls.weight" in load_untrusted(out)["state_dict"]


def test_command_on_missing_file(tmp_path):
    command = [sys.executable, CONVERT, tmp_path / "none.pth", tmp_path / "out.pth"]
    done = subprocess.run(command, capture_output=True, text=True, env=environment())
    assert done.returncode == 2
    assert "none.pth" in done.stderr
    assert "Traceback" not in done.stderr


def environment():
    return {**os.environ, "PYTHONPATH": str(CONVERT.parents[2])}
