"""Configs by name, listed and copied."""

import pytest
from click.testing import CliRunner
from mmengine.config import Config

from hqm_mmdet.configuring import find_config, project_configs
from hqm_mmdet_cli.configs import configs
from tests.conftest import REPOSITORY


def call(*words):
    result = CliRunner().invoke(configs, [str(word) for word in words])
    return result.exit_code, result.output


@pytest.mark.parametrize("name", ["qpic_hqm_toy", "qpic_hqm_toy.py", "configs/qpic_hqm_toy.py"])
def test_names_and_paths_are_found_from_anywhere(name, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert find_config(name) == REPOSITORY / "configs" / "qpic_hqm_toy.py"
    (tmp_path / "qpic_hqm_toy.py").write_text("x = 1")
    assert find_config("qpic_hqm_toy.py").resolve() == tmp_path / "qpic_hqm_toy.py"  # the user's own comes first


def test_configs_in_folders_have_names_too_and_none_occurs_twice():
    assert find_config("qpic_amm_hico") == REPOSITORY / "configs" / "ablations" / "qpic_amm_hico.py"
    files = [path for path in REPOSITORY.glob("configs/**/*.py") if "_base_" not in path.parts]
    assert len(project_configs()) == len(files)


@pytest.mark.parametrize("name", ["qpic_hqm_tyo", "nowhere/qpic_hqm_toy.py"])
def test_mistakes_get_a_suggestion(name):
    with pytest.raises(FileNotFoundError, match="Did you mean 'qpic_hqm_toy'.*hqm-mmdet configs"):
        find_config(name)


def test_list():
    status, text = call("hoiclip", "hico")
    assert status == 0 and "hoiclip_rf_uc_hico" in text and "qpic" not in text
    (line,) = (line for line in text.splitlines() if line.startswith("hoiclip_hico "))
    assert line.split()[1:] == ["HOICLIP", "HICO-DET", "34.69", "mAP", "full", "(published)"]
    assert len(call()[1].splitlines()) == len(project_configs())
    status, text = call("yolo")
    assert status == 2 and "no config has yolo in its name" in text


@pytest.mark.parametrize("inherit", [False, True])
def test_copy_means_the_same(inherit, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    arguments = ["--copy", "qpic_hqm_toy", *(["--inherit"] if inherit else [])]
    assert call(*arguments) == (0, "wrote qpic_hqm_toy.py\n")
    assert (
        Config.fromfile("qpic_hqm_toy.py").to_dict()
        == Config.fromfile(find_config("configs/qpic_hqm_toy.py")).to_dict()
    )
    assert len((tmp_path / "qpic_hqm_toy.py").read_text().splitlines()) < 3 or not inherit
    status, text = call(*arguments)
    assert status == 2 and "is there already" in text
    assert call("--out", "x.py")[0] == 2
