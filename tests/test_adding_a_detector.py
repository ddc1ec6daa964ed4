"""docs/adding_a_detector.md: its files, taken from the page, make a detector that gets HQM by configuration alone."""

import pytest
import torch
from mmengine.config import Config

from hqm_mmdet.apis import build_model
from tests.models.tiny import random_batch, tiny_model
from tests.models.toy_training import train_on_toy_set
from tests.page_example import page_example

FILES = ["context_hoi.py", "configs/context_toy.py", "configs/context_hqm_toy.py"]


@pytest.fixture(scope="module")
def project(tmp_path_factory):
    """A folder with the project's configs and the page's files, whose detector can be imported."""
    with page_example("adding_a_detector.md", tmp_path_factory.mktemp("project"), FILES, "ContextHOI") as folder:
        yield folder


@pytest.fixture
def configs(project):
    """Plain and HQM config; loading them imports the detector."""
    return [Config.fromfile(project / "configs" / f"context{hqm}_toy.py") for hqm in ("", "_hqm")]


def test_configs_differ_by_the_fragment(configs):
    plain, hqm = (cfg.to_dict() for cfg in configs)
    assert hqm["model"].pop("query_mining") == hqm["query_mining"]
    assert {key for key in hqm if hqm[key] != plain.get(key)} == {"query_mining", "custom_hooks"}


def test_trains_with_hqm(configs, tmp_path):
    for losses in train_on_toy_set(configs[1], tmp_path):
        assert losses[-6:].mean() < 0.7 * losses[:6].mean()


def test_inference_is_the_plain_detector(configs):
    plain, mined = (build_model(cfg).eval() for cfg in configs)
    mined.load_state_dict(plain.state_dict(), strict=False)
    inputs = torch.randn(2, 3, 96, 96)
    ours, theirs = (model(inputs, mode="tensor") for model in (mined, plain))
    assert all(torch.equal(ours[name], theirs[name]) for name in theirs)


def test_mined_queries_have_the_context_too(configs):
    """Hard queries go through the same ``decode``: with no other loss than theirs, the summary learns."""
    model = build_model(configs[1]).train()
    for iteration, name in enumerate(("gbs", "amm")):
        model.query_mining.take_round(iteration)
        model.zero_grad()
        batch = batch_for(model)
        losses = model(*batch, mode="loss")
        sum(value for key, value in losses.items() if key.startswith(name)).backward()
        assert model.context.weight.grad.abs().sum() > 0


def batch_for(model):
    """A random batch whose pairs have the verbs of the toy set."""
    inputs, samples = random_batch([2, 0], sizes=[(64, 80), (96, 48)])
    for sample in samples:
        sample.gt_pairs.verb_labels = torch.ones(len(sample.gt_pairs), model.bbox_head.num_verbs)
    return inputs, samples


def test_every_parameter_takes_part_and_padding_does_not(configs):
    sizes = [(64, 80), (96, 48)]
    inputs, samples = random_batch([1, 0], sizes=sizes)
    model = tiny_model(type=configs[0].model.type)
    sum(model(inputs, samples, mode="loss").values()).backward()
    assert all(p.grad is not None for p in model.parameters() if p.requires_grad)
    model.eval()
    batched = model(inputs, samples, mode="predict")
    for i, (height, width) in enumerate(sizes):
        _, again = random_batch([1, 0], sizes=sizes)
        single = model(inputs[i : i + 1, :, :height, :width], again[i : i + 1], mode="predict")[0].pred_pairs
        for name, value in single.items():
            torch.testing.assert_close(batched[i].pred_pairs[name], value, rtol=1e-4, atol=1e-4)
