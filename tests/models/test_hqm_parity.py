"""HQM on QPIC against the numbers of the released code, with recorded shifts and masks handed in."""

import numpy as np
import pytest
import torch

from hqm_mmdet.models.query_mining import LearnablePass, ReleasedBoxShift
from hqm_mmdet.structures import cxcywh_to_xyxy
from tests.models.reference import (
    LOSS_NAMES,
    annotate,
    images,
    load_arrays,
    load_converted,
    load_json,
    official_weights,
)

pytestmark = pytest.mark.parity
CONFIG = "ablations/qpic_hqm_hico_released.py"
OFFICIAL_PREFIX = {"gbs": "gt", "amm": "occ"}
ZERO_GRADIENT = "transformer.decoder.layers.0.self_attn.in_proj_weight"


class Released:
    """The model, its inputs and what the released code computed."""

    def __init__(self, reference_dir, tmp_path):
        self.dir = reference_dir
        self.model, self.report = load_converted(CONFIG, official_weights(reference_dir, "qpic", "hqm"), tmp_path)
        self.forward = load_arrays(self.dir, "qpic", "hqm_learnable_forward.npz")
        self.gbs = load_arrays(self.dir, "qpic", "hqm_gbs.npz")
        self.amm = load_arrays(self.dir, "qpic", "hqm_amm.npz")
        self.losses = load_json(self.dir, "qpic", "hqm_losses.json")
        self.inputs, _ = images(self.forward)

    def samples(self, case):
        targets = load_json(self.dir, "qpic", "hqm_targets.json")[case]
        return annotate(images(self.forward)[1], targets, self.model.bbox_head.num_verbs)

    def masks(self):
        width = int(self.amm["mask_shape"][-1])
        return np.unpackbits(self.amm["mask_packed"], axis=-1)[..., :width].astype(bool)

    def prepare(self, case, miner, monkeypatch):
        """Choose the round and hand in the recorded draw."""
        mining = self.model.query_mining
        mining.take_round(("gbs", "amm").index(miner))
        if miner == "gbs" and f"{case}_shifted12" in self.gbs:
            shifted = torch.from_numpy(self.gbs[f"{case}_shifted12"])
            monkeypatch.setattr(mining.miners.gbs, "shift", lambda *boxes: (shifted[..., :4], shifted[..., 4:8]))
        if miner == "amm":
            masks, layers = torch.from_numpy(self.masks()), self.model.decoder.layers
            by_layer = {layer.cross_attn: mask for layer, mask in zip(layers, masks, strict=True)}
            monkeypatch.setattr(
                "hqm_mmdet.models.query_mining.amm.MaskRule.__call__",
                lambda rule, attention, queries, keys, mask: by_layer[attention],
            )

    def hard_pass(self, case, miner):
        model, samples = self.model.eval(), self.samples(case)
        with torch.no_grad():
            memory = model.encode(self.inputs, samples)
            queries = model.query_mining.prepare(model.learnable_queries(memory))
            preds = model.bbox_head(model.decode(queries, memory))
            targets = model.bbox_head.targets(samples)
            learnable = LearnablePass(queries, memory, targets, model.bbox_head.assign(preds, targets))
            (hard,) = model.query_mining(learnable)
            states = model.decode(hard, memory)
            return preds, hard, states, model.bbox_head(states), learnable


@pytest.fixture(scope="module")
def released(reference_dir, tmp_path_factory):
    return Released(reference_dir, tmp_path_factory.mktemp("released"))


def test_learnable_pass(released):
    released.model.query_mining.take_round(0)
    preds, *_, learnable = released.hard_pass("B", "gbs")
    for name, atol in dict(obj_logits=2e-4, verb_logits=2e-4, sub_boxes=2e-5, obj_boxes=2e-5).items():
        np.testing.assert_allclose(preds[name], released.forward[name], rtol=0, atol=atol)
    first = released.forward["memory_first8"]
    np.testing.assert_allclose(learnable.memory.tokens[:, : first.shape[1]], first, atol=2e-4)


@pytest.mark.parametrize("case", ("A", "B"))
def test_gbs_queries_and_outputs(released, case, monkeypatch):
    released.prepare(case, "gbs", monkeypatch)
    _, hard, states, preds, learnable = released.hard_pass(case, "gbs")
    recorded = released.gbs
    present = ~learnable.targets.padding_mask.numpy()
    np.testing.assert_allclose(hard.pos[present], recorded[f"{case}_query_embed"][present], atol=2e-5)
    gt_boxes = torch.cat([learnable.targets.sub_boxes, learnable.targets.obj_boxes], -1)
    np.testing.assert_allclose(gt_boxes, recorded[f"{case}_gt_boxes8"], atol=1e-6)
    np.testing.assert_allclose(states[-1][present], recorded[f"{case}_gt_hs_last"][present], atol=2e-4)
    for name, atol in dict(obj_logits=2e-4, verb_logits=2e-4, sub_boxes=2e-5, obj_boxes=2e-5).items():
        expected = recorded[f"{case}_gt_{name}"][:, present]
        np.testing.assert_allclose(preds[name][:, present], expected, rtol=0, atol=atol, err_msg=name)


@pytest.mark.parametrize("case", ("A", "B"))
@pytest.mark.parametrize("who", ("sub", "obj"))
def test_released_shift_applies_recorded_draws(released, case, who):
    recorded, columns = released.gbs, dict(sub=slice(0, 4), obj=slice(4, 8))[who]
    image, pair = recorded[f"{case}_pair_index"].T
    boxes = torch.from_numpy(recorded[f"{case}_gt_boxes8"][..., columns])
    draws = torch.zeros(*boxes.shape[:2], 3, dtype=torch.long)
    for i, name in enumerate(("ratio", "hshift", "wshift")):
        draws[image, pair, i] = torch.from_numpy(recorded[f"{case}_{who}_draw_{name}"]).long()
    sizes = torch.from_numpy(released.forward["image_sizes"])[:, [1, 0, 1, 0]]
    moved, passed = ReleasedBoxShift().candidates(boxes, draws, sizes)
    accepted = recorded[f"{case}_{who}_accepted"]
    np.testing.assert_array_equal(passed[image, pair], accepted)
    expected = recorded[f"{case}_shifted12"][..., columns][image, pair]
    np.testing.assert_allclose(moved[image, pair][accepted], expected[accepted], atol=1e-6)


def test_amm_reference_logits_and_candidates(released, monkeypatch):
    """The learnable pass's recorded queries give the released code's logits and top-100 positions."""
    released.model.query_mining.take_round(1)
    _, hard, *_, learnable = released.hard_pass("B", "amm")
    width = int(released.amm["mask_shape"][-1])
    candidates = np.unpackbits(released.amm["top100_packed"], axis=-1)[..., :width].astype(bool)
    for layer, decoder_layer in enumerate(released.model.decoder.layers):
        attention = decoder_layer.cross_attn
        keys, _ = learnable.memory.projected["decoder"].keys_values[layer]
        mask = ~learnable.memory.padding_mask[:, None, None]
        logits = attention.logits(learnable.queries.recorder.queries[attention], keys, mask)
        expected = released.amm["learnable_attn_logits_q0_q37_q99"][layer]
        shown = logits[:, :, [0, 37, 99]]
        valid = np.isfinite(expected)
        np.testing.assert_array_equal(torch.isfinite(shown), valid)
        np.testing.assert_allclose(shown.numpy()[valid], expected[valid], rtol=0, atol=2e-4)
        top = torch.zeros_like(logits, dtype=torch.bool).scatter_(-1, logits.topk(100).indices, True)
        valid = np.broadcast_to(mask.numpy(), top.shape)
        differing = (top.numpy() != candidates[layer]) & valid
        assert differing.mean() < 1e-4  # near-ties at rank 100 may swap


def test_amm_outputs(released, monkeypatch):
    released.prepare("B", "amm", monkeypatch)
    _, _, states, preds, _ = released.hard_pass("B", "amm")
    for name, atol in dict(obj_logits=2e-4, verb_logits=2e-4, sub_boxes=2e-5, obj_boxes=2e-5).items():
        np.testing.assert_allclose(preds[name], released.amm[f"occ_{name}"], rtol=0, atol=atol, err_msg=name)
    hidden = released.amm["occ_hidden_last_before_norm_first20"]
    count = hidden.shape[1]
    np.testing.assert_allclose(states[-1, :, :count], hidden, atol=2e-4)
    normed = released.model.decoder.post_norm(states[-1, :, :count]).detach()
    np.testing.assert_allclose(normed, released.amm["occ_hidden_last_after_norm_first20"], atol=2e-4)


def test_amm_alone_applies_the_norm(released, monkeypatch):
    """The stand-alone AMM model of the release uses the decoder's norm in the masked pass."""
    released.prepare("B", "amm", monkeypatch)
    monkeypatch.setattr(released.model.query_mining.miners.amm, "post_norm", True)
    _, _, states, preds, _ = released.hard_pass("B", "amm")
    expected = released.amm["occ_hidden_last_after_norm_first20"]
    np.testing.assert_allclose(states[-1, :, : expected.shape[1]], expected, atol=2e-4)
    for name, atol in dict(obj_logits=2e-4, verb_logits=2e-4, sub_boxes=2e-5, obj_boxes=2e-5).items():
        expected = released.amm[f"standalone_hq_last_{name}"]
        np.testing.assert_allclose(preds[name][-1], expected, rtol=0, atol=atol, err_msg=name)


@pytest.mark.parametrize("miner,prefix", (("gbs", "gt"), ("amm", "hq")))
def test_losses_of_stand_alone_models(released, miner, prefix, monkeypatch):
    """The release's separate GBS and AMM models weigh hard losses by 1 and always use the norm."""
    released.prepare("B", miner, monkeypatch)
    component = released.model.query_mining.miners[miner]
    monkeypatch.setattr(component, "loss_weight", 1.0)
    monkeypatch.setattr(component, "post_norm", True, raising=False)
    with torch.no_grad():
        terms = released.model.train()(released.inputs, released.samples("B"), mode="loss")
    expected = released.losses[f"{miner.upper()}_standalone_B"]
    for name, value in terms.items():
        official = official_name(name).replace(f"_{OFFICIAL_PREFIX[miner]}_", f"_{prefix}_")
        assert value.item() == pytest.approx(expected["weighted"][official], rel=1e-4, abs=1e-6), official


@pytest.mark.parametrize("case", ("A", "B", "C"))
@pytest.mark.parametrize("miner", ("gbs", "amm"))
@pytest.mark.parametrize("hard_only", (False, True))
def test_losses_and_gradients(released, case, miner, hard_only, monkeypatch):
    released.prepare(case, miner, monkeypatch)
    model = released.model.train()
    model.zero_grad()
    terms = model(released.inputs, released.samples(case), mode="loss")
    expected = released.losses[f"{miner.upper()}_{case}"]
    ours = {official_name(name): value for name, value in terms.items()}
    for name, value in expected["weighted"].items():
        got = ours[name].item() if name in ours else 0.0
        assert got == pytest.approx(value, rel=1e-4, abs=1e-6), name
    assert sum(ours.values()).item() == pytest.approx(expected["total"], rel=1e-4)
    norms = expected.get("grad_norms_hard_terms_only" if hard_only else "grad_norms")
    if norms is None:
        return
    marker = f"_{OFFICIAL_PREFIX[miner]}_"
    sum(value for name, value in ours.items() if marker in name or not hard_only).backward()
    parameters = dict(model.named_parameters())
    for name, value in norms.items():
        if name.startswith("__"):
            total = torch.stack([p.grad.norm() for p in parameters.values() if p.grad is not None]).norm()
            assert total.item() == pytest.approx(value, rel=1e-3)
        elif name != ZERO_GRADIENT:
            gradient = parameters[released.report.renamed[name]].grad
            got = 0.0 if gradient is None else gradient.norm().item()
            assert got == pytest.approx(value or 0.0, rel=1e-3, abs=1e-6), name


def official_name(ours):
    *prefix, name = ours.split(".")
    official = {v: k for k, v in LOSS_NAMES.items()}[name]
    miner = next((OFFICIAL_PREFIX[p] for p in prefix if p in OFFICIAL_PREFIX), None)
    if miner:
        official = official.replace("loss_", f"loss_{miner}_")
    layer = next((p[1:] for p in prefix if p[0] == "d"), None)
    return official if layer is None else f"{official}_{layer}"


def test_shifted_boxes_lie_inside_the_image(released):
    boxes = cxcywh_to_xyxy(torch.from_numpy(released.gbs["B_shifted12"][..., :4]))
    assert boxes.min() > -1e-6 and boxes.max() < 1 + 1e-6
