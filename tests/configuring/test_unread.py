"""Settings without effect: refused on the command line, warned of in files."""

import pytest
from mmengine.config import Config

from hqm_mmdet.configuring import merge_options, parse_config, unread_in_files
from hqm_mmdet.errors import ConfigError
from hqm_mmdet.utils.launch import read_config_file
from tests.conftest import REPOSITORY

CONFIGS = [path for path in (REPOSITORY / "configs").rglob("*.py") if "_base_" not in path.parts]


@pytest.fixture
def toy():
    return Config.fromfile(REPOSITORY / "configs" / "qpic_hqm_toy.py")


@pytest.mark.parametrize(
    "options, message",
    (
        ({"max_epochs": 1}, "max_epochs=.*nothing reads.*Set train_cfg.max_epochs"),
        ({"data_root": "/nowhere/"}, "Set train_dataloader.dataset.data_root, val_dataloader.dataset.data_root"),
        ({"optim_wraper.optimizer.lr": 1}, "optim_wraper.optimizer.lr=.*Did you mean optim_wrapper.optimizer.lr"),
        ({"lr": 1}, "Set optim_wrapper.optimizer.lr"),
        ({"query_mining.type": "X"}, "Set model.query_mining.type"),
        ({"no_such_thing": 1}, "nothing reads 'no_such_thing'"),
        ({"env_cfg.cudnn_benchmrk": True}, "env_cfg.cudnn_benchmrk: nothing reads it.*'cudnn_benchmark'"),
        ({"auto_scale_lr.base": 8}, "auto_scale_lr.base: nothing reads it"),
        ({"param_scheduler.7.by_epoch": True}, "param_scheduler.7.by_epoch: it leads nowhere"),
        ({"train_cfg.max_epochs.x": 3}, "train_cfg.max_epochs.x: it leads nowhere"),
    ),
)
def test_options_without_effect_are_refused(toy, options, message):
    with pytest.raises(ConfigError, match=message):
        merge_options(toy, options)


def test_options_with_effect_pass(toy):
    merge_options(toy, {"train_cfg.max_epochs": 1, "work_dir": "x", "model_wrapper_cfg.static_graph": True})
    assert toy.train_cfg.max_epochs == 1 and toy.model_wrapper_cfg.static_graph


def test_the_projects_own_configs_raise_no_warning():
    assert len(CONFIGS) > 60
    for path in CONFIGS:
        assert not unread_in_files(path, Config.fromfile(path))


def test_unread_names_of_files_are_warned_of(tmp_path, capsys):
    (tmp_path / "base.py").write_text("scale = 3\nunused_here = 4\n")
    (tmp_path / "child.py").write_text(
        "_base_ = './base.py'\nmodel = dict(size=_base_.scale)\nmodle = dict(a=1)\nhelper = 5\nseen = helper\n"
    )
    cfg = read_config_file(str(tmp_path / "child.py"))
    assert cfg.model.size == 3
    first, _, second = sorted(capsys.readouterr().err.splitlines())
    assert first.startswith("warning: ") and "nothing reads 'modle'. Did you mean model?" in first
    assert "nothing reads 'unused_here'" in second


@pytest.mark.parametrize(
    "text, message",
    (
        ("model = dict(", "SyntaxError|was never closed"),
        ("model = nothing", "NameError"),
        ("_base_ = 'none.py'", "FileNotFoundError"),
        ("raise KeyError('x')", "KeyError"),
        ("env_cfg = dict(cudnn=True)", "env_cfg.cudnn: nothing reads it"),
        ("import os; 1 / 0", "ZeroDivisionError"),
    ),
)
def test_files_that_can_not_be_read(tmp_path, text, message):
    (tmp_path / "bad.py").write_text(text)
    with pytest.raises(ConfigError, match=f"bad.py.*({message})"):
        parse_config(tmp_path / "bad.py")
