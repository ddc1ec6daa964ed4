"""docs/adding_a_data_set.md: its class, taken from the page, reads a data set and trains."""

import csv

import pytest
import torch
from mmengine.config import Config
from mmengine.registry import DefaultScope
from mmengine.runner import Runner

from hqm_mmdet.apis import build_model
from hqm_mmdet.datasets import ToyHOIDataset
from hqm_mmdet.datasets.checking import check_dataset
from hqm_mmdet.datasets.toy import ToySettings, make_toy_hoi
from hqm_mmdet.registry import DATASETS
from tests.page_example import page_example

FILES = ["household.py", "configs/qpic_household.py"]
COLUMNS = ("image", "person", "object", "class", "verb")
SPLITS = {"train": "trainval_toy.json", "test": "test_toy.json"}


@pytest.fixture(scope="module")
def project(tmp_path_factory):
    with page_example("adding_a_data_set.md", tmp_path_factory.mktemp("project"), FILES, "HouseholdDataset") as folder:
        yield folder


@pytest.fixture(scope="module")
def rows(project):
    """Toy images whose annotations are written as the page's CSV; its lines by split."""
    root = make_toy_hoi(project / "toy", ToySettings(num_train=40, num_test=20), progress=False)
    written = {}
    for split, ann_file in SPLITS.items():
        toy = ToyHOIDataset(data_root=str(root), ann_file=f"annotations/{ann_file}", test_mode=True, pipeline=[])
        written[split] = [row for item in toy for row in lines(item, toy.metainfo)]
        with open(root / f"{split}.csv", "w", newline="") as file:
            csv.writer(file).writerows([COLUMNS, *written[split]])
    return written


def lines(item, meta):
    """The interactions of a toy image that the page has names for."""
    for subject, obj, verb in item["gt_hois"]["hois"].tolist():
        person, thing = (item["instances"][i] if i >= 0 else None for i in (subject, obj))
        name = meta["classes"][thing["bbox_label"]] if thing else ""
        verb = meta["verbs"][verb]
        if name in ("cup", "umbrella", "bicycle", "") and verb in ("hold", "drink_from", "ride", "wave"):
            boxes = [" ".join(map(str, box["bbox"])) if box else "" for box in (person, thing)]
            yield item["img_path"].split("/")[-1], *boxes, name, verb


@pytest.fixture
def cfg(project, rows):
    """The page's config, with the folder of the toy images."""
    cfg = Config.fromfile(project / "configs" / "qpic_household.py")
    for split, loader in (("train", cfg.train_dataloader), ("test", cfg.val_dataloader)):
        loader.dataset.update(data_root=str(project / "toy"), data_prefix=dict(img=f"images/{split}"))
    return cfg


def build(loader, **changes):
    with DefaultScope.overwrite_default_scope("hqm_mmdet"):
        return DATASETS.build({**loader.dataset, **changes})


def test_holds_what_the_file_says(cfg, rows):
    data = build(cfg.val_dataloader, pipeline=[])
    read = []
    for item in data:
        for subject, obj, verb in item["gt_hois"]["hois"].tolist():
            person, thing = (item["instances"][i] if i >= 0 else None for i in (subject, obj))
            boxes = [tuple(box["bbox"]) if box else () for box in (person, thing)]
            name = data.metainfo["classes"][thing["bbox_label"]] if thing else ""
            read.append((item["img_path"].split("/")[-1], *boxes, name, data.metainfo["verbs"][verb]))
    numbers = [[tuple(map(float, text.split())) for text in row[1:3]] for row in rows["test"]]
    assert read == [(row[0], *boxes, *row[3:]) for row, boxes in zip(rows["test"], numbers, strict=True)]
    assert {"", "cup"} < {row[3] for row in read}  # with and without object


def test_tables_are_counted_in_training(cfg, rows):
    meta = build(cfg.val_dataloader).metainfo
    valid = {(meta["classes"][c], meta["verbs"][v]) for v, c in zip(*meta["valid_pairs"].nonzero(), strict=True)}
    assert valid == {row[3:] for row in rows["train"] if row[3]}


def test_is_sound(cfg):
    loaders = dict(train=cfg.train_dataloader, test=cfg.val_dataloader)
    splits = {name: build(loader, lazy_init=True) for name, loader in loaders.items()}
    reports = check_dataset(splits, progress=False)
    assert [problem for report in reports for problem in report.problems if problem.level == "error"] == []
    assert all(report.statistics.images for report in reports)


def test_missing_file_comes_with_advice(cfg):
    with pytest.raises(FileNotFoundError, match=r"nothing\.csv does not exist\. Expected layout: data/household"):
        build(cfg.train_dataloader, ann_file="nothing.csv")


def test_trains(cfg):
    torch.manual_seed(0)
    model = build_model(cfg).train()
    with DefaultScope.overwrite_default_scope("hqm_mmdet"):
        loader = Runner.build_dataloader(cfg.train_dataloader, seed=0)
    optimizer = torch.optim.AdamW(model.parameters(), 4e-4)
    batch = model.data_preprocessor(next(iter(loader)), True)
    totals = []
    for _ in range(8):
        optimizer.zero_grad()
        total = sum(model(**batch, mode="loss").values())
        total.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
        totals.append(total.item())
    assert totals[-1] < 0.8 * totals[0]
