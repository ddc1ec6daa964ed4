"""The study: arms that differ by the mining alone, records that are not mixed, statistics, the page."""

import json
from argparse import Namespace
from dataclasses import replace

import numpy as np
import pytest
import torch
from mmengine.config import Config
from mmengine.optim import build_optim_wrapper
from mmengine.registry import init_default_scope
from mmengine.runner import Runner
from scipy import stats
from torch import nn

from hqm_mmdet.datasets.toy import ToySettings, make_toy_hoi
from hqm_mmdet.registry import MODELS

needs_gpu = pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a GPU")


@pytest.fixture(scope="module")
def study(script):
    return script("study")


@pytest.fixture(scope="module")
def plan(script):
    return script("study.plan")


@pytest.fixture(scope="module")
def records_module(script):
    return script("study.records")


@pytest.fixture(scope="module")
def comparison(script):
    return script("study.comparison")


@pytest.fixture(scope="module")
def tiny(plan, tmp_path_factory):
    """A length and a toy set for trainings of seconds."""
    settings = ToySettings(num_train=64, num_test=12)
    scale = replace(plan.SCALES["standard"], epochs=2, evaluated=(1, 2))
    return scale, make_toy_hoi(tmp_path_factory.mktemp("toy"), settings, progress=False)


@pytest.fixture
def record(records_module):
    """Function that makes a record with a final mAP."""

    def make(arm="baseline", split="normal", seed=0, full=0.5, **changes):
        curve = [
            dict(iteration=i, full=full * share, rare=full * share / 2, non_rare=full * share)
            for i, share in ((100, 0.25), (200, 0.5), (300, 1.0))
        ]
        made = records_module.Record(
            arm=arm,
            split=split,
            seed=seed,
            config="configs/qpic_toy.py",
            config_digest="c",
            data_digest="d",
            commit="abc",
            versions=dict(torch="2.13.0", machine="x86_64"),
            date="2026-01-01",
            minutes=5.0,
            training_seconds=250.0,
            trace=[35.0, 34.0, 33.0, 32.0],
            curve=curve,
            triplet_ap={"ride horse": full, "ride bicycle": full / 2, "wave": 0.1},
        )
        return replace(made, **changes)

    return make


# ---- arms


def test_arms_differ_from_their_baseline_by_the_mining_alone(plan):
    for arm, baseline in plan.BASELINE_OF.items():
        one, other = (Config.fromfile(plan.ARMS[name]).to_dict() for name in (arm, baseline))
        mining = one["model"].pop("query_mining", None)
        assert (mining is None) == (arm == baseline)
        for cfg in (one, other):
            cfg.pop("query_mining", None), cfg.pop("custom_hooks", None)
        assert one == other, arm
    minings = {json.dumps(Config.fromfile(path).model.get("query_mining")) for path in plan.ARMS.values()}
    assert len(minings) > 10


@pytest.mark.parametrize("arm", ("AJL", "AMM w/o Q^m", "HOTR + HQM", "CDN + HQM", "Conditional + HQM", "12 x 12 AJL"))
def test_equal_seeds_start_from_equal_weights(script, plan, tiny, tmp_path, arm):
    script("study.run")
    scale, data = tiny
    starts = []
    for each in (arm, plan.BASELINE_OF[arm]):
        cfg = plan.run_config(plan.Run("normal", each, 3), data, scale)
        cfg.work_dir, cfg.experiment_name = str(tmp_path), f"start of {each}"
        runner = Runner.from_cfg(cfg)
        runner.model.init_weights()
        starts.append(runner.model.state_dict())
    mined, plain = starts
    assert set(plain) < set(mined)
    assert all(torch.equal(mined[name], value) for name, value in plain.items())


# ---- trainings and records


def test_a_training_leaves_a_record_that_the_same_code_confirms(script, plan, records_module, tiny, tmp_path):
    run_module = script("study.run")
    scale, data = tiny
    run = plan.Run("normal", "AJL", 1)
    record = run_module.make_record(run, data, scale, tmp_path, "abc")
    assert [point["iteration"] for point in record.curve] == [4, 8]
    assert record.run == run and record.config == "configs/qpic_hqm_toy.py"
    assert len(record.trace) == 2 + 4 and all(np.isfinite(record.trace)) and record.training_seconds > 0
    assert set(record.triplet_ap) and all(0 <= ap <= 1 for ap in record.triplet_ap.values())
    assert {"torch", "mmdet", "pillow"} < set(record.versions)

    (tmp_path / "records").mkdir()
    (tmp_path / "records" / run.file_name()).write_text(record.as_json())
    assert records_module.read_records(tmp_path / "records") == [record]
    trace = run_module.trace_of(run, data, scale, tmp_path)
    records_module.require_same_trace(record, trace)
    records_module.require_same_trace(record, [*trace[:4], trace[4] * 1.0001, trace[5] * 1.001], device="a GPU")
    with pytest.raises(records_module.StudyError, match="must not be mixed"):
        records_module.require_same_trace(record, [*trace[:4], trace[4] * 1.0001, trace[5]])
    other = run_module.trace_of(plan.Run("normal", "AJL", 2), data, scale, tmp_path)
    with pytest.raises(records_module.StudyError, match="must not be mixed"):
        records_module.require_same_trace(record, other)


@pytest.mark.parametrize(
    ("arms", "kept", "anew"),
    (
        (("localised baseline", "localised AJL"), "query_embedding.weight", "bbox_head.verb_cls.weight"),
        (("frozen HOTR", "frozen HOTR + HQM"), "instance_queries.weight", "query_embedding.weight"),
    ),
)
def test_arms_of_a_localiser_share_their_start(script, plan, tiny, tmp_path, monkeypatch, arms, kept, anew):
    run_module = script("study.run")
    scale, data = tiny
    scale, traces, starts = replace(scale, evaluated=(2,)), [], []
    load = run_module.Runner.load_or_resume

    def note(runner):
        before = runner.model.get_parameter(anew).clone()
        load(runner)
        if runner.cfg.load_from:
            assert torch.equal(before, runner.model.get_parameter(anew))
            starts.append(runner.model.get_parameter(kept).clone())

    monkeypatch.setattr(run_module.Runner, "load_or_resume", note)
    for arm in arms:
        folder = tmp_path / arm
        folder.mkdir()
        traces.append(run_module.make_record(plan.Run("normal", arm, 3), data, scale, folder, "abc").trace)
    assert torch.equal(*starts) and traces[0] == traces[1]
    (path,) = tmp_path.glob("*.pth")
    state = torch.load(path, weights_only=True)["state_dict"]
    assert torch.equal(state[kept], starts[0]) and anew not in state
    again = run_module.trace_of(plan.Run("normal", arms[1], 3), data, scale, tmp_path / arms[1])
    np.testing.assert_allclose(again, traces[0], rtol=1e-5)


def test_what_is_evaluated_are_averaged_weights(script, plan, tiny, tmp_path, monkeypatch):
    """With a momentum near 1 the average is the newest weights; near 0 it stays at the start."""
    run_module = script("study.run")
    scale, data = tiny
    seen = {}
    for momentum in (1e-9, 0.999):
        cfg = plan.run_config(plan.Run("normal", "baseline", 0), data, scale)
        cfg.custom_hooks[-1].momentum = momentum
        cfg.val_evaluator.type = "StudyMetric"
        before = []

        def evaluate(loop, before=before):
            model = loop.runner.model
            loop.runner.call_hook("before_val_epoch")
            before.append(model.query_embedding.weight.detach().clone())
            loop.runner.call_hook("after_val_epoch", metrics={f"hico/{k}": 0.0 for k in ("full", "rare", "non_rare")})

        monkeypatch.setattr("mmengine.runner.ValLoop.run", evaluate)
        run_module.train(cfg, tmp_path)
        seen[momentum] = before
    after_each_epoch = {momentum: (first - second).abs().max() for momentum, (first, second) in seen.items()}
    assert after_each_epoch[1e-9] < 1e-6 < 1e-5 < after_each_epoch[0.999]


def test_digest_knows_the_recipe_but_neither_folders_nor_model(plan, records_module, tmp_path):
    def digest(arm="AJL", data=tmp_path, seed=0, **changes):
        cfg = plan.run_config(plan.Run("normal", arm, seed), data, plan.SCALES["standard"])
        cfg.merge_from_dict(changes)
        return records_module.config_digest(cfg)

    assert digest() == digest(data=tmp_path / "elsewhere") == digest(seed=5) == digest(arm="PJL")
    assert digest() != digest(**{"optim_wrapper.optimizer.lr": 1e-3})
    assert digest() != digest(**{"train_dataloader.batch_size": 8})
    assert digest() != digest(**{"param_scheduler.1.milestones": [20, 22]})
    assert digest() != digest(**{"custom_hooks.1.momentum": 0.01})


@pytest.mark.parametrize(
    "changes",
    (
        {"model.query_mining.miners.gbs.shift.iou_range": (0.6, 0.7)},
        {"model.bbox_head.verb_prior": 0.03},
        {"train_dataloader.dataset.pipeline.1.prob": 0.0},
        {"val_dataloader.dataset.pipeline.0.transforms.1.scale": (64, 64)},
    ),
    ids=lambda changes: next(iter(changes)),
)
def test_trace_knows_what_the_digest_leaves_out(script, plan, records_module, record, tiny, tmp_path, changes):
    run_module = script("study.run")
    scale, data = tiny
    traces = []
    for change in ({}, changes):
        cfg = plan.run_config(plan.Run("normal", "AJL", 0), data, scale)
        cfg.merge_from_dict(change)
        traces.append(run_module.train(cfg, tmp_path, only_trace=True)[0].trace)
    with pytest.raises(records_module.StudyError, match="must not be mixed"):
        records_module.require_same_trace(record("AJL", trace=traces[0]), traces[1])


def test_records_of_another_config_or_data_are_left_out_and_named(records_module, record):
    records = [record(), record(seed=1, config_digest="old"), record(seed=2, config_digest="old", data_digest="old")]
    kept, left_out = records_module.fitting(records, lambda r: ("c", "d"))
    assert kept == records[:1]
    assert left_out == {records[1].run: "other config", records[2].run: "other config and data"}


def test_a_file_that_is_no_record_is_named(records_module, tmp_path):
    (tmp_path / "x.json").write_text('{"arm": "AJL"}')
    with pytest.raises(records_module.StudyError, match=r"x\.json is no record"):
        records_module.read_records(tmp_path)


# ---- statistics


def test_paired_interval_is_students(comparison, record):
    gains = [0.01, 0.03, -0.01, 0.02]
    records = {}
    for seed, gain in enumerate(gains):
        base = 0.4 + 0.05 * seed  # seeds differ by more than arms do; pairing takes that out
        records |= {r.run: r for r in (record(seed=seed, full=base), record("AJL", seed=seed, full=base + gain))}
    records |= {r.run: r for r in [record("AJL", seed=9, full=0.9)]}  # without a baseline: not counted
    result = comparison.paired(records, "normal", "AJL", comparison.final("full"))
    np.testing.assert_allclose(result.differences, gains, atol=1e-12)
    low, high = stats.ttest_1samp(gains, 0).confidence_interval(0.95)
    assert result.mean - result.half_width == pytest.approx(low)
    assert result.mean + result.half_width == pytest.approx(high)
    assert result.verdict == "open"


@pytest.mark.parametrize(
    ("gains", "verdict"), [([0.02, 0.021, 0.019], "helps"), ([-0.02, -0.021], "hurts"), ([0.5], "open")]
)
def test_verdicts(comparison, gains, verdict):
    assert comparison.Paired(np.array(gains)).verdict == verdict


@pytest.mark.parametrize(("level", "expected"), [(0.1, 80), (0.25, 200), (0.375, 250), (0.5, 300), (0.6, np.nan)])
def test_iterations_to_a_level(comparison, record, level, expected):
    assert comparison.iterations_to(record(full=0.5), level) == pytest.approx(expected, nan_ok=True)


def test_verbs_average_their_triplets(comparison, record):
    records = {r.run: r for s in (0, 1) for r in (record(seed=s, full=0.4), record("AJL", seed=s, full=0.6))}
    gains = comparison.verb_gains(records, "normal", "AJL")
    assert set(gains) == {"ride", "wave"}
    assert gains["ride"].mean == pytest.approx(0.15) and gains["wave"].mean == 0


# ---- what is trained next


def test_queue_takes_whole_pairs_first_and_skips_what_is_done(script, plan, record):
    scheduling = script("study.scheduling")
    experiment = plan.Experiment(("baseline", "AJL"), ("normal", "position shift"), 2)
    done = {r.run: r for r in [record(), record("AJL")]}
    assert [(r.split, r.arm, r.seed) for r in scheduling.wanted(experiment, done)] == [
        ("position shift", "baseline", 0),
        ("position shift", "AJL", 0),
        ("normal", "baseline", 1),
        ("normal", "AJL", 1),
        ("position shift", "baseline", 1),
        ("position shift", "AJL", 1),
    ]


@pytest.mark.parametrize(("spread", "wanted"), [(0.05, 15), (0.013, 2), (0.0001, 0)])
def test_seeds_are_added_until_the_interval_is_narrow(script, plan, record, spread, wanted):
    scheduling = script("study.scheduling")
    experiment = plan.Experiment(("baseline", "PJL", "AJL"), ("normal",), 5, precision=0.015, most_seeds=20)
    arms = dict(baseline=0.0, PJL=0.01, AJL=0.02)
    done = {
        r.run: r
        for seed in range(5)
        for arm, gain in arms.items()
        for r in [record(arm, seed=seed, full=0.5 + gain + (spread * (-1) ** seed if arm == "AJL" else 0))]
    }
    seeds = range(5, 5 + wanted)  # all that the spread asks for at once, so that many can be trained side by side
    assert [(r.seed, r.arm) for r in scheduling.wanted(experiment, done)] == [(s, arm) for s in seeds for arm in arms]


def test_a_training_that_fails_names_its_log(script, plan, records_module, tmp_path):
    scheduling = script("study.scheduling")
    experiment = plan.Experiment(("baseline",), ("normal",), 1)
    queue = scheduling.Queue("standard", [experiment], {}, tmp_path, tmp_path, 1, "abc")  # there is no data in tmp_path
    with pytest.raises(records_module.StudyError, match=r"baseline_normal_0\.json.*worker_0\.log"):
        list(queue.run())
    log = tmp_path / "worker_0.log"
    assert "toy_hoi.json" in log.read_text()


# ---- the GPU's study


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


# ---- page


def test_runs_of_two_devices_are_compared(script, plan, record):
    tables, versions = script("study.tables"), dict(torch="2.13.0", machine="x86_64", device="a GPU")
    records = {r.run: r for seed in range(2) for r in [record(seed=seed, full=0.5 + 0.1 * seed)]}
    again = [record(seed=seed, full=0.4, versions=versions) for seed in range(3)]  # the last one was made there alone
    text = tables.devices_text(records, again)
    assert "| baseline, normal, seed 1 | CPU, torch 2.13.0 | 0.6000 | a GPU, torch 2.13.0 | 0.4000 | +0.2000 |" in text
    assert text.endswith("Mean difference: +0.1500 [-0.4853, +0.7853].") and "seed 2" not in text
    assert tables.devices_text(records, [record(full=0.1)]) == ""


def test_page_is_made_from_records(script, plan, record, tmp_path):
    tables = script("study.tables")
    records = {
        r.run: r
        for split in plan.SPLITS
        for seed in range(3)
        for arm, gain in dict(baseline=0, AJL=0.1, GBS=-0.001 * seed).items()
        for r in [record(arm, split, seed, 0.4 + gain + 0.01 * seed)]
    }
    page = tmp_path / "study.md"
    page.write_text("# Study\n\nwritten by hand\n")
    for _ in range(2):  # the second time, nothing is doubled
        left_out = {plan.Run("normal", "PJL", 0): "other config"}
        tables.write_page(page, plan.SCALES["standard"], records, left_out, dict(baseline=100, AJL=125))
    text = page.read_text()
    assert text.startswith("# Study\n\nwritten by hand\n")
    rows = [line for line in text.splitlines() if line.startswith("| AJL | 3 | 0.5100 ± 0.0100 | +0.1000 [")]
    assert len(rows) == 2 and all("| helps |" in row for row in rows)
    # 240 of 300 iterations, on the line from half of the final mAP to the whole of it
    assert all(row.endswith("| 125 | -0.0530 [-0.0605, -0.0455] |") for row in rows)
    assert text.count("| PJL |") == 0 and text.count("no training is finished yet") == 3
    assert text.count("left out: `pjl_normal_0.json` (other config)") == 1
    for name in ("study_strategies.png", "study_strategies_verbs.png"):
        assert (tmp_path / "images" / name).stat().st_size > 10_000
