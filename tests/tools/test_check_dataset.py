"""tools/check_dataset.py: arguments, output, exit status."""

import json

import pytest

from tests.datasets.tiny_hoi import BOXES, CLASSES, VERBS, entry, write_dataset


@pytest.fixture
def files(tmp_path):
    """Arguments for a sound training file and a test file with a warning."""
    names = dict(classes=CLASSES, verbs=VERBS, category_ids=[1, 7, 90])
    (tmp_path / "names.json").write_text(json.dumps(names))
    write_dataset(tmp_path, [entry("a.png"), entry("b.png", hois=[])])
    write_dataset(tmp_path, [entry("c.png", [*BOXES, BOXES[2]])], "test.json")
    (tmp_path / "images/c.png").write_bytes((tmp_path / "images/b.png").read_bytes()[:-1] + b"\x00")
    arguments = "--dataset HOIDataset --names names.json --ann-file train.json test.json --images images --quiet"
    return arguments.split()


def test_sound_data(call, files, capsys):
    assert call("check_dataset", *files) == 0
    printed = capsys.readouterr().out
    assert "train.json: 0 errors, 0 warnings" in printed and "test.json: 0 errors, 1 warnings" in printed
    assert "entry 0 (c.png): annotations[2] and [3]" in printed and "2 images, 1 with a pair" in printed
    assert call("check_dataset", *files, "--strict") == 1


def test_suspicious(call, files, tmp_path, capsys):
    assert call("check_dataset", *files, "--suspicious", "--strict", "--json", "report.json") == 1  # the warning
    assert "train.json: 0 errors, 0 warnings, 1 suspicious" in capsys.readouterr().out
    (problem,) = json.loads((tmp_path / "report.json").read_text())["train.json"]["problems"]
    assert problem["kind"] == "image without HOI" and problem["entry"] == 1 and problem["boxes"] == []


def test_problems_and_json(call, files, tmp_path, capsys):
    (tmp_path / "images/a.png").unlink()
    assert call("check_dataset", *files, "--json", "out/report.json") == 1
    assert "image missing (1)" in capsys.readouterr().out
    report = json.loads((tmp_path / "out/report.json").read_text())
    assert [p["kind"] for p in report["train.json"]["problems"]] == ["image missing"]
    assert call("check_dataset", *files, "--no-images") == 0


def test_five_of_a_kind_are_shown_and_the_last_line_sums_up(call, tmp_path, capsys):
    (tmp_path / "names.json").write_text(json.dumps(dict(classes=CLASSES, verbs=VERBS, category_ids=[1, 7, 90])))
    write_dataset(tmp_path, [entry(f"{i}.png") for i in range(8)])
    for image in (tmp_path / "images").iterdir():
        image.unlink()
    files = [
        "--dataset",
        "HOIDataset",
        "--names",
        "names.json",
        "--ann-file",
        "train.json",
        "--images",
        "images",
        "--quiet",
    ]

    def printed(*options):
        assert call("check_dataset", *files, *options) == 1
        return capsys.readouterr().out.splitlines()

    lines = printed()
    assert sum(".png): " in line for line in lines) == 5 and "... and 3 more" in lines[-2]
    assert lines[-1] == (
        "In all 8 images: 8 errors, 0 warnings. Shown are 5 of a kind (--max-shown); --json FILE has all."
    )
    assert sum(".png): " in line for line in printed("--max-shown", 2)) == 2
    assert printed("--max-shown", 8)[-1] == "In all 8 images: 8 errors, 0 warnings."
    assert printed("--json", "all.json")[-1].endswith("all.json has all.")


def test_a_config(call, files, tmp_path, capsys):
    loader = (
        f"dict(dataset=dict(type='HOIDataset', ann_file='%s.json', data_root='{tmp_path}', names_file='names.json'))"
    )
    (tmp_path / "config.py").write_text(
        f"train_dataloader = {loader % 'train'}\nval_dataloader = {loader % 'test'}\ntest_dataloader = val_dataloader\n"
    )
    options = "train_dataloader.dataset.data_prefix.img=images", "val_dataloader.dataset.data_prefix.img=images"
    assert call("check_dataset", "config.py", "--quiet", "--splits", "train", "val", "--cfg-options", *options) == 0
    printed = capsys.readouterr().out
    assert "train: " in printed and "val: " in printed and "test: " not in printed


@pytest.mark.parametrize(
    "arguments, message",
    [
        (("nothing.py",), "Config nothing.py does not exist"),
        (
            ("--dataset", "HOIADataset", "--ann-file", "nothing.json"),
            "nothing.json does not exist (nor does nothing.json.gz;",
        ),
        (("--dataset", "NoDataset", "--ann-file", "train.json"), "NoDataset is no HOI data set"),
        (("--dataset", "HOIDataset", "--ann-file", "train.json"), "HOIDataset needs names_file or metainfo"),
        (
            ("--dataset", "HOIDataset", "--ann-file", "train.json", "--names", "bad.json"),
            "bad.json: expected classes and",
        ),
    ],
    ids=["config", "file", "type", "no names", "names"],
)
def test_what_can_not_be_checked(call, files, tmp_path, capsys, arguments, message):
    (tmp_path / "bad.json").write_text('{"names": []}')
    assert call("check_dataset", *arguments) == 2
    error = capsys.readouterr().err
    assert message in error and "Traceback" not in error


@pytest.mark.parametrize("arguments", [(), ("c.py", "--dataset", "HOIDataset"), ("--dataset", "HOIDataset")])
def test_usage(call, arguments):
    assert call("check_dataset", *arguments) == 2
