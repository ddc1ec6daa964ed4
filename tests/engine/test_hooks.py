"""Hooks, each by what it is there for."""

import json
from types import SimpleNamespace

import pytest
import torch
from mmengine.runner import Runner

from hqm_mmdet.engine import BFloat16OptimWrapper, SafeCheckpointHook
from hqm_mmdet.engine.hooks.training_summary_hook import start_of
from hqm_mmdet.errors import ConfigError
from hqm_mmdet.safe_loading import CheckpointError
from hqm_mmdet.utils import find_latest_checkpoint
from tests.engine.small_training import NoisyModel, build_config


def train(work_dir, **options):
    runner = Runner.from_cfg(build_config(work_dir, epochs=2, **options))
    runner.train()
    return runner


# ---- losses that are not finite


def test_loss_that_is_not_finite_stops_and_names_its_images(tmp_path):
    with pytest.raises(FloatingPointError) as caught:
        train(tmp_path, bad_index=4, iter_interval=1)
    message = str(caught.value)
    assert "image_4.jpg" in message and "loss_a=nan" in message and message.count(".jpg") == 3
    iteration = len((tmp_path / "losses.jsonl").read_text().splitlines())
    assert f"iteration {iteration + 1} " in message
    latest = find_latest_checkpoint(tmp_path)
    assert latest is None or latest in message
    for file in tmp_path.glob("*.pth"):
        assert all(value.isfinite().all() for value in torch.load(file, weights_only=False)["state_dict"].values())


def test_gradient_that_is_not_finite_stops_at_once(tmp_path):
    runner = Runner.from_cfg(build_config(tmp_path, epochs=1))
    runner.model.head.weight.register_hook(lambda grad: grad * float("inf"))
    with pytest.raises(FloatingPointError, match=r"iteration 1 .*grad_norm=(nan|inf).*none yet"):
        runner.train()


# ---- checkpoints


def test_only_the_newest_checkpoints_and_the_best_stay(tmp_path):
    train(tmp_path, iter_interval=2)
    names = {file.name for file in tmp_path.glob("*.pth")}
    assert names == {"iter_8.pth", "iter_10.pth", "epoch_2.pth", "best_hico_full_epoch_1.pth"}
    assert (tmp_path / "last_checkpoint").read_text() == str(tmp_path / "epoch_2.pth")


def test_former_best_is_deleted_after_the_new_one_is_complete(tmp_path, monkeypatch):
    order = []
    remove, save = SafeCheckpointHook._remove, Runner.save_checkpoint
    monkeypatch.setattr(SafeCheckpointHook, "_remove", lambda *a: (order.append("remove"), remove(*a)))
    monkeypatch.setattr(Runner, "save_checkpoint", lambda *a, **k: (order.append("save"), save(*a, **k)))
    config = build_config(tmp_path, epochs=4)
    config.default_hooks.checkpoint.max_keep_ckpts = -1
    Runner.from_cfg(config).train()
    # epochs 1 (best), 2, 3 (best), 4: each saves, a best twice more (itself, and the changed score); one is deleted
    assert order == ["save"] * 3 + ["save"] + ["save"] * 3 + ["remove"] + ["save"]


def test_postponed_checkpoints_hold_complete_updates(tmp_path):
    train(tmp_path, accumulate=4)  # 10 iterations: updates after 4, 8 and the last
    assert {file.name for file in tmp_path.glob("[ei]*.pth")} == {"iter_8.pth", "epoch_2.pth"}


def test_metric_without_that_name_is_named(tmp_path):
    config = build_config(tmp_path, epochs=1)
    config.default_hooks.checkpoint.save_best = "hico/ful"
    with pytest.raises(ConfigError, match=r"'hico/ful' is none of the validation's metrics \['hico/full'\]"):
        Runner.from_cfg(config).train()


@pytest.mark.parametrize("wrong", [dict(save_best=["a", "b"]), dict(max_keep_ckpts=0)])
def test_settings_without_meaning_are_refused(wrong):
    with pytest.raises(ConfigError, match=next(iter(wrong))):
        SafeCheckpointHook(**wrong)


# ---- weights that do not fit


@pytest.fixture
def checkpoint(tmp_path):
    train(tmp_path / "made")
    return str(tmp_path / "made" / "epoch_2.pth")


@pytest.mark.parametrize("resume", [False, True])
def test_other_shapes_are_refused_in_training(checkpoint, tmp_path, resume):
    with pytest.raises(RuntimeError, match=r"body.0.weight: \(8, 8\) in the checkpoint, \(6, 8\) in the model"):
        train(tmp_path / "new", load_from=checkpoint, resume=resume, width=6)


def test_other_shapes_are_refused_in_a_test(checkpoint, tmp_path):
    with pytest.raises(RuntimeError, match=r"epoch_2.pth.*\(8, 8\) in the checkpoint, \(6, 8\) in the model"):
        Runner.from_cfg(build_config(tmp_path / "new", load_from=checkpoint, width=6)).test()


def without_head(checkpoint, file):
    content = torch.load(checkpoint, weights_only=False)
    content["state_dict"] = {k: v for k, v in content["state_dict"].items() if not k.startswith("head.")}
    torch.save(content, file)
    return str(file)


@pytest.mark.parametrize("run", [lambda r: r.test(), lambda r: r.val()])
def test_missing_parameters_are_refused_in_a_test(checkpoint, tmp_path, run):
    file = without_head(checkpoint, tmp_path / "part.pth")
    with pytest.raises(RuntimeError, match=r"part.pth lacks 2 of the model's parameters, e.g. \['head.weight'"):
        run(Runner.from_cfg(build_config(tmp_path / "new", load_from=file)))


def test_missing_parameters_are_refused_on_resume(checkpoint, tmp_path):
    file = without_head(checkpoint, tmp_path / "part.pth")
    with pytest.raises(RuntimeError, match="lacks 2 of the model's parameters"):
        train(tmp_path / "new", load_from=file, resume=True)


def test_missing_parameters_keep_their_initialisation_in_training(checkpoint, tmp_path, monkeypatch):
    told = []
    for place in ("hqm_mmdet.checkpoints.loading.print_log", "mmengine.runner.checkpoint.print_log"):
        monkeypatch.setattr(place, lambda text, **kwargs: told.append(text))
    file = without_head(checkpoint, tmp_path / "part.pth")
    runner = Runner.from_cfg(build_config(tmp_path / "new", load_from=file))
    head = runner.model.head.weight.detach().clone()
    runner._train_loop = runner.build_train_loop(runner._train_loop)
    runner.load_or_resume()
    assert torch.equal(runner.model.head.weight, head)
    assert torch.equal(runner.model.body[0].weight, torch.load(file, weights_only=False)["state_dict"]["body.0.weight"])
    assert [text for text in told if "keep their initialisation" in text and "2 parameters" in text]
    assert not [text for text in told if "do not match" in text]  # mmengine's own list


def test_frozen_parts_must_come_from_a_checkpoint(checkpoint, tmp_path, monkeypatch):
    told = []
    monkeypatch.setattr("hqm_mmdet.engine.hooks.weight_check_hook.print_log", lambda text, **kwargs: told.append(text))
    monkeypatch.setattr(NoisyModel, "required_parameters", ("head.",), raising=False)
    train(tmp_path / "complete", load_from=checkpoint)
    assert not told
    train(tmp_path / "none")
    assert len(told) == 1 and "head." in told[0] and "load_from" in told[0]
    with pytest.raises(RuntimeError, match=r"lacks 2 of the model's parameters, e.g. \['head.weight'"):
        train(tmp_path / "incomplete", load_from=without_head(checkpoint, tmp_path / "part.pth"))


def test_file_of_which_nothing_fits_is_refused(tmp_path):
    weights = {"transformer.weight": torch.zeros(1)}
    for content, message in (
        (weights, r"No parameter of .*other.pth belongs to the model.*convert .*other.pth"),
        ({"model": weights}, r"other.pth holds no weights: under 'model' there is dict.*convert .*other.pth"),
    ):
        torch.save(content, tmp_path / "other.pth")
        with pytest.raises(CheckpointError, match=message):
            train(tmp_path / "new", load_from=str(tmp_path / "other.pth"))


def test_parameters_of_training_only_may_be_missing_in_a_test(checkpoint, tmp_path):
    file = without_head(checkpoint, tmp_path / "part.pth")
    config = build_config(tmp_path / "new", load_from=file)
    next(hook for hook in config.custom_hooks if hook.type == "WeightCheckHook").training_only = ["head."]
    assert "hico/full" in Runner.from_cfg(config).test()


# ---- log and precision


def test_log_says_the_share_of_data_loading(tmp_path):
    runner = train(tmp_path)
    lines = (tmp_path / runner.timestamp / "vis_data" / f"{runner.timestamp}.json").read_text().splitlines()
    shares = [json.loads(line).get("data_share") for line in lines if "loss" in line]
    assert shares and all(0 <= share <= 100 for share in shares)


def test_log_history_is_limited_and_ends_as_it_would(tmp_path):
    whole = train(tmp_path / "whole").message_hub.get_scalar("train/loss").data[0]
    config = build_config(tmp_path / "short", epochs=2)
    config.custom_hooks.append(dict(type="LogHistoryHook", keep=3))
    runner = Runner.from_cfg(config)
    runner.train()
    values, counts = runner.message_hub.get_scalar("train/loss").data
    assert list(values) == list(whole[-3:]) and len(counts) == 3 < len(whole)


def test_bfloat16_is_used_in_the_forward_pass_only(tmp_path):
    seen = []
    runner = Runner.from_cfg(build_config(tmp_path, epochs=1, amp=True))
    runner.model.head.register_forward_hook(lambda module, args, out: seen.append(out.dtype))
    runner.train()
    assert isinstance(runner.optim_wrapper, BFloat16OptimWrapper)
    assert torch.bfloat16 in seen and runner.model.head.weight.dtype == torch.float32


def test_a_loss_that_only_grows_stops_too(tmp_path):
    """In bfloat16 a diverged training may stay finite for epochs."""
    config = build_config(tmp_path, epochs=1, amp=True)
    runner = Runner.from_cfg(config)
    runner.model.head.weight.data.fill_(1e6)
    with pytest.raises(FloatingPointError, match=r"beyond 1e\+06, training has diverged, in iteration 1 .*none yet"):
        runner.train()
    assert not list(tmp_path.glob("*.pth"))


def test_integer_weights_start_no_training(tmp_path):
    train(tmp_path / "first")
    content = torch.load(tmp_path / "first" / "epoch_1.pth", weights_only=False)
    content["state_dict"]["head.weight"] = content["state_dict"]["head.weight"].long()
    torch.save(content, tmp_path / "broken.pth")
    with pytest.raises(CheckpointError, match="broken.pth: its parameter head.weight holds int64"):
        train(tmp_path / "second", load_from=str(tmp_path / "broken.pth"))


def test_what_can_not_be_gone_on_from_is_told(tmp_path):
    train(tmp_path / "first")
    content = torch.load(tmp_path / "first" / "epoch_1.pth", weights_only=False)
    torch.save(dict(content, meta=None), tmp_path / "broken.pth")
    with pytest.raises(CheckpointError, match="broken.pth can't be gone on from: `meta` is NoneType"):
        train(tmp_path / "second", load_from=str(tmp_path / "broken.pth"), resume=True)


@pytest.mark.parametrize("loaded", (None, "start.pth"))
def test_the_start_of_a_two_stage_model_names_the_detector_s_file(loaded):
    provider = SimpleNamespace(checkpoint="detector.pth")
    runner = SimpleNamespace(_resume=False, _load_from=loaded, model=SimpleNamespace(instances=provider))
    assert start_of(runner) == f"{loaded or 'random weights'}, its detector from detector.pth"
    provider.checkpoint = None
    assert start_of(runner) == (loaded or "random weights")
