"""Hostile checkpoints, configs and options, through every command that reads them."""

import io
from pathlib import Path
from random import Random

import click
import torch

from fuzz.material import ROOT, Material
from fuzz.mutation import hostile_value, misspelt, mutate_bytes, mutate_value, places
from fuzz.verdict import Verdict, run_command
from hqm_mmdet.apis import HOIInferencer, init_model
from hqm_mmdet.checkpoints import convert_checkpoint
from hqm_mmdet.checkpoints.files import Checkpoint
from hqm_mmdet.utils import find_latest_checkpoint
from hqm_mmdet_cli import COMMANDS, main

TENSORS = (
    lambda value: value * float("nan"),
    lambda value: value.long(),
    lambda value: value.half(),
    lambda value: value.to(torch.complex64),
    lambda value: value.to_sparse(),
    lambda value: value.flatten(),
    lambda value: value.flatten()[:0],
    lambda value: value.to("meta"),
    lambda value: value.clone().fill_(float("inf")) if value.is_floating_point() else value,
)


class Checkpoints:
    """Checkpoint files: read, loaded, published, exported, converted, resumed from."""

    names = ("fuzz.", "work", "published")

    def __call__(self, rng: Random, material: Material) -> Verdict | None:
        """One file, one reader."""
        file = material.write("fuzz.pth", self._content(rng, material))
        kinds = ("read", "load", "convert", "latest", "publish", "export", "train")
        kind = rng.choices(kinds, (4, 3, 3, 2, 0.12, 0.05, 0.1))[0]
        if kind == "read":
            Checkpoint.read(file).config()
        elif kind == "load":
            rng.choice((lambda: init_model(None, file), lambda: HOIInferencer(file, device="cpu")))()
        elif kind == "convert":
            convert_checkpoint(
                file, material.folder / "converted.pth", rng.choice((None, "detr", "qpic", "mmdet_detr"))
            )
        elif kind == "latest":
            material.write("last_checkpoint", rng.choice((b"\xff\xfe", b"a\0b", str(file).encode(), b"")))
            find_latest_checkpoint(file.parent)
        elif kind == "publish":
            return run_command("publish", file, material.folder / "published")
        elif kind == "export":
            return run_command("export", "--checkpoint", file, "--out", material.folder / "out.onnx")
        else:
            return self._train(rng, material, file)
        return None

    @staticmethod
    def _train(rng: Random, material: Material, file: Path) -> Verdict:
        config = material.write("sound.py", material.config.pretty_text.encode())
        start = ("--resume", file) if rng.random() < 0.5 else ("--cfg-options", f"load_from={file}")
        return run_command("train", config, "--work-dir", material.folder / "work", *start)

    def _content(self, rng: Random, material: Material) -> bytes:
        content = dict(material.checkpoint)
        content["state_dict"] = dict(content["state_dict"])
        if rng.random() < 0.3:  # a box detector's or another code base's names
            content["state_dict"] = {rng.choice(("class_embed.weight", "x")): torch.zeros(5, 3)}
        if rng.random() < 0.5:
            key = rng.choice(list(content["state_dict"]))
            content["state_dict"][key] = rng.choice(TENSORS)(content["state_dict"][key])
        elif rng.random() < 0.7:
            content["meta"] = mutate_value(rng, dict(content["meta"], saved_at=1.0), rng.choice((1, 3)))
        else:
            content = self._restructured(rng, content)
        stream = io.BytesIO()
        torch.save(content, stream)
        data = stream.getvalue()
        return mutate_bytes(rng, data) if rng.random() < 0.3 else data

    @staticmethod
    def _restructured(rng: Random, content: dict):
        kind = rng.choice(("value", "key", "entry", "hub"))
        if kind == "value":
            return hostile_value(rng)
        if kind == "hub":
            hub = dict(log_scalars={}, runtime_info={}, resumed_keys={})
            more = dict(message_hub=hub, optimizer=dict(state={}, param_groups=[]), param_schedulers=[])
            return dict(content, **mutate_value(rng, more))
        state = dict(content["state_dict"])
        state[hostile_key(rng) if kind == "key" else rng.choice(list(state))] = hostile_value(rng)
        return dict(content, state_dict=state)


def hostile_key(rng: Random):
    """A name that is none."""
    return rng.choice((7, None, 1.5, True, (1, 2), b"bytes", ""))


class Configs:
    """Config files: models built, data sets checked, trainings started."""

    names = ("fuzz.py", "hqm_fuzz_")  # the config, or a file that it names

    def __call__(self, rng: Random, material: Material) -> Verdict | None:
        """One file, one reader."""
        text = self._text(rng, material)
        file = material.write("fuzz.py", text)
        kind = rng.choices(("model", "check", "train", "predict"), (6, 5, 0.2, 0.3))[0]
        if kind == "model":
            init_model(str(file))
            return None
        if kind == "check":
            return run_command("check-data", file, "--no-images", "--quiet")
        if kind == "train":
            return run_command("train", file, "--work-dir", material.folder / "work")
        common = ("--device", "cpu", "--quiet", "--out", material.folder / "out", "--no-pictures")
        image = next(material.images.iterdir())
        return run_command("predict", image, "--config", file, "--checkpoint", material.checkpoint_file, *common)

    @staticmethod
    def _text(rng: Random, material: Material) -> bytes:
        values = material.config.to_dict()
        if rng.random() < 0.5:
            values = _misspelt(rng, values)
        else:
            values = _bounded(mutate_value(rng, values))
        lines = [f"{key} = {_literal(value)}" for key, value in values.items() if str(key).isidentifier()]
        data = "\n".join(lines).encode(errors="replace")
        return mutate_bytes(rng, data) if rng.random() < 0.2 else data


def _bounded(value):
    """Without huge numbers: who asks for 10^20 layers waits for them."""
    if isinstance(value, dict):
        return {key: _bounded(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return type(value)(map(_bounded, value))
    return -1 if isinstance(value, int | float) and abs(value) > 1e4 else value


def _literal(value) -> str:
    return repr(value).replace("nan", "float('nan')").replace("inf,", "float('inf'),")


def _misspelt(rng: Random, values: dict) -> dict:
    """A config with one key, or one component's name, misspelt."""
    names = [place for place in places(values) if isinstance(place[-1], str)]
    types = [place for place in names if place[-1] == "type"]
    *above, key = rng.choice(types if rng.random() < 0.4 else names)
    values = mutate_value(Random(0), values, 0)
    parent = values
    for step in above:
        parent = parent[step]
    if key == "type" and isinstance(parent[key], str):
        parent[key] = misspelt(rng, parent[key])
    else:
        parent[misspelt(rng, key)] = parent.pop(key)
    return values


class Options:
    """Command lines: options misspelt, out of range, of another type, files that are none."""

    names = ()
    WORDS = ("-1", "0", "1", "nan", "inf", "1e400", "", "x", "--", "a=b", "model.x=1", "a=(1", "\ud800", "9" * 5000)

    def __call__(self, rng: Random, material: Material) -> Verdict | None:
        """One command line; it may start what a user would want, so files that it would read do not exist."""
        name = rng.choice([name for name in COMMANDS if name not in NOT_CALLED])
        options = OPTIONS[name]
        words = [rng.choice((*self.WORDS, str(material.folder), str(material.folder / "none.json"))) for _ in range(2)]
        for _ in range(rng.randrange(4)):
            option = rng.choice(options)
            words += [misspelt(rng, option) if rng.random() < 0.2 else option]
            words += [rng.choice((*self.WORDS, str(material.names_file), str(material.folder)))] * rng.randrange(3)
        rng.shuffle(words)
        return run_command(name, *words)


def options_of(name: str) -> list[str]:
    """Option names of a command."""
    command = main.get_command(click.Context(main), name)
    return [option for param in command.params for option in param.opts if option.startswith("--")]


# They serve, look at the machine, work without any file, or have commands of their own.
NOT_CALLED = ("demo", "doctor", "quickstart", "make-toy", "to-hoia", "mmdet")
OPTIONS = {name: options_of(name) for name in COMMANDS}
CONFIGS = ROOT / "configs"
