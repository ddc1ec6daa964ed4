"""Fragments that spread a training over processes, and what does not go with them."""

import inspect

import pytest
from mmengine._strategy import DeepSpeedStrategy, FSDPStrategy
from mmengine.config import Config
from mmengine.registry import RUNNERS, STRATEGIES, init_default_scope

from hqm_mmdet.configuring import check_strategy, unread_in_files
from hqm_mmdet.engine.runner.deepspeed_strategy import CheckedDeepSpeedStrategy
from hqm_mmdet.engine.runner.fsdp_strategy import sharding_units
from hqm_mmdet.errors import ConfigError
from tests.conftest import REPOSITORY
from tests.models.tiny import tiny_model

PARENTS = dict(fsdp=FSDPStrategy, deepspeed=DeepSpeedStrategy)


def config_with(fragment, folder, more=""):
    """The toy config with a fragment, launched as processes."""
    bases = [f"{REPOSITORY}/configs/qpic_hqm_toy.py", f"{REPOSITORY}/configs/_base_/strategies/{fragment}.py"]
    path = folder / "config.py"
    path.write_text(f"_base_ = {bases}\nlauncher = 'pytorch'\n{more}")
    return Config.fromfile(path)


@pytest.mark.parametrize("fragment", PARENTS)
def test_fragments_name_what_there_is(tmp_path, fragment):
    cfg = config_with(fragment, tmp_path)
    check_strategy(cfg, resumes=False)
    assert unread_in_files(tmp_path / "config.py", cfg) == []
    assert RUNNERS.get(cfg.runner_type) is not None
    strategy = STRATEGIES.get(cfg.strategy.type)
    assert issubclass(strategy, PARENTS[fragment])
    # a setting that neither class names would be passed on until something fails far away
    known = inspect.signature(PARENTS[fragment].__init__).parameters.keys()
    assert set(cfg.strategy) - {"type"} <= known


@pytest.mark.parametrize(
    ("fragment", "more", "resumes", "message"),
    (
        ("fsdp", "launcher = 'none'", False, "several processes.*dist_train.sh"),
        ("deepspeed", "", True, "can't be resumed.*best_.*fsdp.py"),
        ("deepspeed", "auto_scale_lr = dict(enable=True)", False, "--lr instead"),
        ("fsdp", "custom_hooks = [dict(type='EMAHook')]", False, "EMAHook does not go with"),
        ("fsdp", "runner_type = None", False, "needs runner_type='FlexibleRunner'"),
    ),
)
def test_what_does_not_go_together_is_refused(tmp_path, fragment, more, resumes, message):
    with pytest.raises(ConfigError, match=message):
        check_strategy(config_with(fragment, tmp_path, more), resumes)


def test_configs_without_a_strategy_pass():
    check_strategy(Config(dict(custom_hooks=[dict(type="EMAHook")], launcher="none")), resumes=True)


@pytest.mark.parametrize(
    ("installed", "settings", "message"),
    (
        (False, {}, "not installed: `pip install 'deepspeed<0.18'`"),
        (True, dict(zero_optimization=dict(stage=3)), "1 or 2"),
        (True, dict(gradient_accumulation_steps=2), "1 only"),
        (True, dict(bf16=dict(enabled=True)), "strategy.bf16.*float32"),
    ),
)
def test_deepspeed_says_what_it_needs(monkeypatch, installed, settings, message):
    found = "hqm_mmdet.engine.runner.deepspeed_strategy.importlib.util.find_spec"
    monkeypatch.setattr(found, lambda name: installed or None)
    with pytest.raises(ConfigError, match=message):
        CheckedDeepSpeedStrategy(**settings)


@pytest.fixture
def deepspeed():
    """A strategy by the time the optimizer is built, for which DeepSpeed itself is not needed."""
    init_default_scope("hqm_mmdet")
    strategy = object.__new__(CheckedDeepSpeedStrategy)
    strategy.config, strategy.dispatch_kwargs = {}, dict(train_micro_batch_size_per_gpu=2)
    return strategy


def test_settings_of_the_optimizer_become_deepspeeds(deepspeed, tmp_path):
    settings = config_with("deepspeed", tmp_path).optim_wrapper
    wrapper = deepspeed.build_optim_wrapper(settings, tiny_model())
    assert type(wrapper).__name__ == "DeepSpeedOptimWrapper"
    assert wrapper.optimizer.defaults["lr"] == settings.optimizer.lr
    assert deepspeed.config == dict(gradient_clipping=settings.clip_grad.max_norm, train_micro_batch_size_per_gpu=2)


@pytest.mark.parametrize(
    ("settings", "message"),
    (
        (dict(type="BFloat16OptimWrapper"), "With --amp, train with _base_/strategies/fsdp.py"),
        (dict(clip_grad=dict(max_norm=1, norm_type=1)), "clip_grad is max_norm"),
        (dict(clip_grad=dict(clip_value=1, type="value")), "clip_grad is max_norm"),
        (dict(accumulative_counts=4), "remove optim_wrapper.accumulative_counts"),
    ),
)
def test_other_settings_of_the_optimizer_are_refused(deepspeed, settings, message):
    with pytest.raises(ConfigError, match=message):
        deepspeed.build_optim_wrapper(dict(optimizer=dict(type="AdamW")) | settings, None)


def test_decoders_are_no_units_of_their_own():
    model = tiny_model()
    units = sharding_units(model)
    assert set(model.encoder.layers) < set(units) and not set(model.decoder.modules()) & set(units)
    assert all(
        any(unit is child for child in model.backbone.children()) for unit in units[: -len(model.encoder.layers)]
    )
