"""Names out of files stay in their folder."""

import os
from pathlib import Path

from hqm_mmdet.utils.inside import path_inside


def test_inside():
    for name in ("a.jpg", "val/a.jpg", "./a.jpg", "val/../a.jpg", "val//a.jpg", "..a.jpg", "...", "a..b"):
        assert path_inside("images", name) == Path("images", os.path.normpath(name))


def test_outside():
    for name in (
        "",
        ".",
        "..",
        "../a.jpg",
        "val/../../a.jpg",
        "/etc/hostname",
        "../images2/a.jpg",
        "a\0.jpg",
        "val/..",
    ):
        assert path_inside("images", name) is None


def test_absolute_names_of_files_in_the_folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for folder in ("images", tmp_path / "images"):
        assert path_inside(folder, str(tmp_path / "images" / "a.jpg")) == Path(folder, "a.jpg")
        assert path_inside(folder, str(tmp_path / "a.jpg")) is None


def test_no_way_out_behind_a_link(tmp_path):
    """`link/../x` reads like `x`, but the system follows the link first."""
    (tmp_path / "private" / "deep").mkdir(parents=True)
    (tmp_path / "private" / "a.jpg").write_text("private")
    (tmp_path / "images").mkdir()
    (tmp_path / "images" / "link").symlink_to(tmp_path / "private" / "deep")
    assert (tmp_path / "images" / "link" / ".." / "a.jpg").is_file()
    assert not path_inside(tmp_path / "images", "link/../a.jpg").exists()
