"""docs/own_data.md, followed to the letter on a tiny data set: other classes, other verbs, one short training."""

import json
import re
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from mmengine.config import Config
from PIL import Image

from hqm_mmdet.apis import init_model
from hqm_mmdet.checkpoints import convert_state_dict
from tests.conftest import REPOSITORY
from tests.datasets.tiny_hoi import entry

DOCUMENT = (REPOSITORY / "docs/own_data.md").read_text(encoding="utf-8")
COLOURS = {1: (200, 120, 40), 2: (40, 90, 220)}  # person, cup
SIZE = 64


def block(language: str, position: int = 0) -> str:
    """A code block of the document."""
    return re.findall(rf"```{language}\n(.*?)```", DOCUMENT, re.DOTALL)[position]


def write_images(folder: Path, names, seed: int) -> list[dict]:
    """Coloured boxes; a cup above the middle is drunk from, one below is held."""
    generator, entries = np.random.default_rng(seed), []
    folder.mkdir(parents=True, exist_ok=True)
    for name in names:
        x, y = generator.integers(2, 20, 2).tolist()
        above = bool(generator.integers(2))
        boxes = [(x, y, x + 24, y + 38, 1), (x + 18, y + (4 if above else 26), x + 30, y + (16 if above else 38), 2)]
        image = generator.integers(100, 150, (SIZE, SIZE, 3), dtype=np.uint8)
        for x1, y1, x2, y2, category in boxes:
            image[y1:y2, x1:x2] = COLOURS[category]
        Image.fromarray(image).save(folder / name)
        entries.append(entry(name, boxes, [(0, 1, 2 if above else 1)]))
    return entries


@pytest.fixture
def config(tmp_path) -> Path:
    """The document's files and config, the latter with a small model and short schedule."""
    root = tmp_path / "data/own"
    root.mkdir(parents=True)
    (root / "names.json").write_text(block("json"))
    for name, number in (("train", 12), ("test", 4)):
        names = [f"{name}_{i}.png" for i in range(number)]
        (root / f"{name}.json").write_text(json.dumps(write_images(root / "images", names, seed=number)))
    own = block("python").replace("./_base_", str(REPOSITORY / "configs/_base_"))
    (tmp_path / "own.py").write_text(own.replace("qpic_r50", "qpic_small").replace("qpic_150e", "toy"))
    resize = dict(type="Resize", scale=(SIZE, SIZE), keep_ratio=False)
    load, annotations, pack = (dict(type=t) for t in ("LoadHOIImage", "LoadHOIAnnotations", "PackHOIInputs"))
    (tmp_path / "short.py").write_text(
        f"_base_ = ['./own.py']\n"
        f"train_dataloader = dict(batch_size=4, num_workers=0, persistent_workers=False, "
        f"dataset=dict(pipeline={[load, annotations, pack]}))\n"
        f"val_dataloader = dict(batch_size=2, num_workers=0, persistent_workers=False, "
        f"dataset=dict(pipeline={[load, resize, pack]}))\n"
        "test_dataloader = val_dataloader\n"
        "model = dict(num_queries=8)\n"
        "train_cfg = dict(max_epochs=10, val_interval=10)\n"
        "param_scheduler = [dict(type='ConstantLR', factor=1.0)]\n"
        "default_hooks = dict(logger=dict(interval=1), checkpoint=dict(interval=10))\n"
        "visualizer = dict(name='own_data', vis_backends=[dict(type='LocalVisBackend')])\n"
    )
    return tmp_path / "short.py"


def logged(work_dir: Path) -> list[dict]:
    (file,) = work_dir.glob("*/vis_data/scalars.json")
    return [json.loads(line) for line in file.read_text().splitlines()]


def test_training_on_own_data(call, config, tmp_path, capsys):
    files = "--names data/own/names.json --ann-file data/own/train.json data/own/test.json --images data/own/images"
    assert call("check_dataset", "--dataset", "HOIDataset", *files.split(), "--quiet") == 0
    assert call("train", config, "--work-dir", tmp_path / "out") == 0
    losses = [row["loss"] for row in logged(tmp_path / "out") if "loss" in row]
    assert len(losses) == 30 and np.mean(losses[-6:]) < 0.7 * np.mean(losses[:6])
    metrics = logged(tmp_path / "out")[-1]
    assert metrics["hico/max_recall"] >= 0 and set(metrics) >= {"hico/full", "hico/ko_full"}
    checkpoint = next((tmp_path / "out").glob("epoch_*.pth"))
    model = init_model(Config.fromfile(config), checkpoint)
    assert model.dataset_meta["verbs"] == ("hold", "drink_from") and model.bbox_head.num_verbs == 2


def test_sizes_that_were_not_set_are_one_message(call, config, capsys):
    assert call("train", config, "--cfg-options", "model.bbox_head.num_verbs=117") == 2
    assert "2 object classes and 2 verbs, but the head has 2 and 117" in capsys.readouterr().err


def test_the_class_layer_starts_afresh_from_a_detr(call, config, tmp_path):
    """DETR knows 80 classes; all that fits is taken over, and it says what is not."""
    model = init_model(Config.fromfile(config))
    detr = {name: torch.full_like(value, 0.01) for name, value in model.state_dict().items() if "bbox_head" not in name}
    detr |= {"bbox_head.fc_cls.weight": torch.zeros(81, 128), "bbox_head.fc_cls.bias": torch.zeros(81)}
    torch.save(dict(state_dict=convert_state_dict(detr, "mmdet_detr")[0]), tmp_path / "init.pth")
    options = (
        "load_from=init.pth",
        "train_cfg.max_epochs=1",
        "default_hooks.checkpoint.interval=1",
        "optim_wrapper.optimizer.lr=0.0",
        "val_dataloader=None",
    )
    options += "val_cfg=None", "val_evaluator=None"
    assert call("train", config, "--work-dir", "out", "--cfg-options", *options) == 0
    log = next(Path("out").glob("*/*.log")).read_text()
    assert "other classes, so bbox_head.obj_cls.weight, bbox_head.obj_cls.bias start afresh" in log
    trained = torch.load("out/epoch_1.pth", weights_only=False)["state_dict"]
    assert trained["bbox_head.obj_cls.weight"].shape == (3, 128) and trained["bbox_head.obj_cls.weight"].std() > 0
    assert (trained["query_embedding.weight"] == 0.01).all()


def test_a_checkpoint_of_other_verbs_starts_a_training_with_fresh(call, config, tmp_path, capsys):
    """It says what differs and what to do; done so, the rest of the file is taken over."""
    model = init_model(Config.fromfile(config))
    state = model.state_dict() | {
        f"bbox_head.verb_cls.{k}": torch.zeros(117, *s) for k, s in (("weight", [128]), ("bias", []))
    }
    state["query_embedding.weight"] = torch.full_like(state["query_embedding.weight"], 0.25)
    state = {f"module.{name}": value for name, value in state.items()}  # as saved inside of DistributedDataParallel
    torch.save(dict(state_dict=state), tmp_path / "hico.pth")
    options = "--cfg-options", "load_from=hico.pth", "val_dataloader=None", "val_cfg=None", "val_evaluator=None"
    assert call("train", config, "--work-dir", "out", "--epochs", 1, "--lr", 0, *options) == 2
    error = capsys.readouterr().err
    assert "(117, 128) in the checkpoint, (2, 128) in the model" in error
    assert "--fresh bbox_head.verb_cls (default_hooks.weight_check.fresh)" in error
    fresh = "--fresh", "bbox_head.verb_cls", "--epochs", "1", "--lr", "0"
    more = "visualizer.name=fresh_verbs", "default_hooks.checkpoint.interval=1"
    assert call("train", config, "--work-dir", "out2", *fresh, *options, *more) == 0
    trained = torch.load("out2/epoch_1.pth", weights_only=False)["state_dict"]
    assert trained["bbox_head.verb_cls.weight"].std() > 0 and (trained["query_embedding.weight"] == 0.25).all()


def test_another_number_of_queries_is_named(call, config, tmp_path, capsys):
    state = init_model(Config.fromfile(config)).state_dict()
    state["query_embedding.weight"] = torch.zeros(100, 128)
    torch.save(dict(state_dict=state), tmp_path / "more.pth")
    assert call("train", config, "--work-dir", "out", "--cfg-options", "load_from=more.pth") == 2
    assert "The number of queries differs: set model.num_queries=100" in capsys.readouterr().err


def lose_hois(config, name):
    path = config.parent / "data/own" / f"{name}.json"
    path.write_text(json.dumps([dict(item, hoi_annotation=[]) for item in json.loads(path.read_text())]))


def test_data_without_any_hoi(call, config, tmp_path, capsys):
    """A converter lost them: of the validation a warning, of the training an error; check-data finds both."""
    short = "--cfg-options", "train_cfg.max_epochs=1", "train_cfg.val_interval=1", "visualizer.name=no_hoi"
    lose_hois(config, "test")
    assert call("train", config, "--work-dir", "out", *short) == 0
    log = next(Path("out").glob("*/*.log")).read_text()
    assert "test.json: no image has an HOI. Metrics are nan and no best checkpoint is kept" in log
    lose_hois(config, "train")
    capsys.readouterr()
    assert call("train", config, "--work-dir", "out2", *short) == 2
    assert "train.json: no image has an HOI, so there is nothing to train on" in capsys.readouterr().err
    files = "--names data/own/names.json --ann-file data/own/train.json data/own/test.json --images data/own/images"
    assert call("check_dataset", "--dataset", "HOIDataset", *files.split(), "--quiet") == 1
    assert capsys.readouterr().out.count("error: no HOI in the whole file (1)") == 2


def test_the_template_is_the_document():
    """configs/qpic_own.py says what the document says."""
    template = Config.fromfile(REPOSITORY / "configs/qpic_own.py")
    text = block("python").replace("./_base_", str(REPOSITORY / "configs/_base_"))
    assert Config.fromstring(text, ".py").to_dict() == template.to_dict()


def test_missing_folder_leads_to_the_document(start):
    """In a process of its own: a runner that ends so early leaves its logger half open."""
    config = REPOSITORY / "configs/qpic_own.py"
    done = start(sys.executable, REPOSITORY / "tools/train.py", config, "--data-root", "nowhere")
    assert done.returncode == 2 and "Traceback" not in done.stderr, done.stderr
    error = done.stderr
    assert "nowhere/names.json" in error and "docs/own_data.md" in error and "--data-root" in error
