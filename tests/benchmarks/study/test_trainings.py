"""Arms that differ by the mining alone, and records that are not mixed."""

import json
from dataclasses import replace

import numpy as np
import pytest
import torch
from mmengine.config import Config
from mmengine.runner import Runner


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
