"""Trainings from device memory, in captured steps."""

from argparse import Namespace

import numpy as np
import pytest
import torch
from mmengine.config import Config
from mmengine.optim import build_optim_wrapper
from mmengine.registry import init_default_scope
from mmengine.runner import Runner
from torch import nn

from hqm_mmdet.registry import MODELS

needs_gpu = pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a GPU")


def test_device_loader_gives_the_batches_of_the_loader_it_stands_for(script, plan, tiny):
    script("study.run")  # registers what the config names
    device_data = script("study.device_data")
    scale, data = tiny
    cfg = plan.run_config(plan.Run("normal", "baseline", 0), data, scale)
    init_default_scope("hqm_mmdet")
    loader, other = (Runner.build_dataloader(cfg.train_dataloader, seed=0) for _ in range(2))
    loader.dataset.seed = other.dataset.seed = 5
    on_device = device_data.DeviceLoader(other, "cpu")
    assert len(on_device) == len(loader) == 4
    mirrored = []
    for epoch in range(3):
        for each in (loader, on_device):
            each.dataset.set_epoch(epoch)
            each.sampler.set_epoch(epoch)
        for wanted, batch in zip(loader, on_device, strict=True):
            assert all(map(torch.equal, wanted["inputs"], batch["inputs"]))
            for one, same in zip(wanted["data_samples"], batch["data_samples"], strict=True):
                assert (one.img_id, one.flip) == (same.img_id, same.flip)
                assert torch.equal(one.gt_pairs.sub_bboxes, same.gt_pairs.sub_bboxes)
            mirrored += [sample.flip for sample in batch["data_samples"]]
    assert 0.4 < np.mean(mirrored) < 0.6
    with pytest.raises(ValueError, match="RandomFlip"):
        loader.dataset.pipeline.transforms.pop()
        device_data.DeviceLoader(loader, "cpu")


@pytest.fixture
def model_and_loader(script, plan, tiny):
    """Function that builds an arm's model as the study trains it, on a device, and all its training batches."""
    script("study.run")  # registers what the config names
    DeviceLoader = script("study.device_data").DeviceLoader
    scale, data = tiny

    def build(arm, device):
        init_default_scope("hqm_mmdet")
        cfg = plan.run_config(plan.Run("normal", arm, 0), data, scale)
        torch.manual_seed(0)
        model = MODELS.build(cfg.model)
        model.init_weights()
        loader = Runner.build_dataloader(cfg.train_dataloader, seed=0)
        loader.dataset.seed = 0
        return model.to(device).train(), DeviceLoader(loader, device), cfg

    return build


@pytest.mark.parametrize("device", ("cpu", pytest.param("cuda", marks=needs_gpu)))
@pytest.mark.parametrize("arm", ("AJL", "AMM", "CJL", "CDN + HQM", "Conditional + HQM"))
def test_the_step_of_the_graphs_has_the_models_gradients(script, model_and_loader, arm, device):
    """Padding, draws ahead and capturing change nothing, also in batches that were not captured."""
    graphs, draws_on_host = script("study.graphs"), script("study.run").draws_on_host
    torch.backends.cudnn.allow_tf32 = False
    (plain, loader, cfg), (model, *_) = (model_and_loader(arm, device) for _ in range(2))
    step, wrapper = graphs.GraphedStep(model, loader), build_optim_wrapper(model, cfg.optim_wrapper)
    wrapper.optimizer.step = lambda: None  # the weights stay, so that rounding does not grow
    losses, gradients = [], []
    for i, batch in enumerate([*loader, *loader]):
        for each in (plain, model):
            each.query_mining.take_round(i)
        torch.manual_seed(i)
        losses.append([step(batch, wrapper)["loss"].item()])
        plain.zero_grad()
        torch.manual_seed(i)
        with draws_on_host():
            total, _ = plain.parse_losses(plain(**plain.data_preprocessor(batch, True), mode="loss"))
        total.backward()
        nn.utils.clip_grad_norm_(plain.parameters(), **wrapper.clip_grad_kwargs)
        losses[-1].append(total.item())
        pairs = [(a.grad, b.grad) for a, b in zip(model.parameters(), plain.parameters(), strict=True)]
        wrong = torch.stack([(a - b).norm() for a, b in pairs]).norm()
        gradients.append((wrong / torch.stack([b.norm() for _, b in pairs]).norm()).item())
    ours, theirs = zip(*losses, strict=True)
    np.testing.assert_allclose(ours, theirs, rtol=2e-4)
    assert len(set(theirs)) == len(theirs)
    # masked is what has the largest logits; where two are equal but for rounding, another position may be meant
    assert np.median(gradients) < 1e-5 and max(gradients) < 0.05, gradients


def test_graphs_refuse_a_head_with_another_matching(script, plan, tiny):
    graphs = script("study.graphs")
    init_default_scope("hqm_mmdet")
    fits = {arm: graphs.GraphedStep.fits(MODELS.build(Config.fromfile(plan.ARMS[arm]).model)) for arm in plan.ARMS}
    assert [arm for arm, does in fits.items() if not does] == ["HOTR", "HOTR + HQM", "frozen HOTR", "frozen HOTR + HQM"]


def test_joined_average_is_mmengines(script):
    run_module = script("study.run")
    torch.manual_seed(0)
    model = torch.nn.Sequential(torch.nn.Conv2d(3, 4, 1), torch.nn.BatchNorm2d(4))
    both = [
        kind(model, momentum=0.1, update_buffers=True)
        for kind in (run_module.ExponentialMovingAverage, run_module.JoinedAverage)
    ]
    for _ in range(4):
        model(torch.rand(2, 3, 5, 5))
        for parameter in model.parameters():
            parameter.data += torch.randn_like(parameter)
        for each in both:
            each.update_parameters(model)
    one, other = (each.state_dict() for each in both)
    assert all(torch.equal(value, other[name]) for name, value in one.items())
    assert not torch.equal(both[0].module[0].weight, model[0].weight)


def test_miners_draw_on_the_host_for_every_device(script):
    draws_on_host = script("study.run").draws_on_host
    like = torch.zeros(4, dtype=torch.float64)
    torch.manual_seed(0)
    wanted = [torch.rand(2, 3), torch.rand_like(like), torch.randn_like(like), torch.rand(3)]
    torch.manual_seed(0)
    with draws_on_host():
        assert torch.rand(5, device="meta").is_meta
        torch.manual_seed(0)
        drawn = [torch.rand(2, 3, device="cpu"), torch.rand_like(like), torch.randn_like(like), torch.rand(3)]
    assert all(map(torch.equal, wanted, drawn))


def test_whole_study_at_a_tiny_size(script, tmp_path, capsys):
    """What `make study-gpu` does, on a CPU: trainings side by side from device memory, records, page; then nothing is
    left to do."""
    main = script("study.__main__").main
    args = Namespace(scale="tiny", experiments=None, jobs=2, minutes=60, page_only=False, costs=False, debug=True)
    args.commit = "abc"
    args.records, args.page, args.work_dir = tmp_path / "records", tmp_path / "page.md", tmp_path / "work"
    main(args)
    records = sorted(path.name for path in (tmp_path / "records" / "tiny").glob("*.json"))
    assert records == ["ajl_normal_0.json", "baseline_normal_0.json"]
    assert "2 records; 0 trainings are missing" in capsys.readouterr().out
    before = (tmp_path / "page.md").read_text()
    assert "| AJL | 1 |" in before and "2 trainings of 4 iterations" in before and "* CPU, torch" in before
    main(args)
    assert (tmp_path / "page.md").read_text() == before
