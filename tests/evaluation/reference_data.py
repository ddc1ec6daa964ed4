"""Reading the reference folder and the simulator beside the real annotations."""

import gzip
import hashlib
import importlib.util
import json

import pytest


def read_json(path):
    """Content of a ``.json`` or ``.json.gz`` file; skips where it is absent."""
    if not path.exists():
        pytest.skip(f"{path.name} is not in {path.parent}")
    opener = gzip.open if path.suffix == ".gz" else open
    with opener(path, "rt") as file:
        return json.load(file)


def load_simulator(data_dir):
    """The module ``simulate_predictions``."""
    path = data_dir / "simulate_predictions.py"
    if not path.exists():
        pytest.skip(f"{path.name} is not in {data_dir}")
    return load_module(path)


def reference_predictions(simulator, annotations, dataset, meta):
    """(index, prediction) of each image of a reference file: its seed, selection and settings, checked by its hash."""
    indices = simulator.select(len(annotations), meta.get("every") or 1, meta.get("limit"))
    simulated = list(simulator.simulate(annotations, dataset, meta["seed"], meta["settings"], indices))
    digest = hashlib.sha256()
    for _, prediction in simulated:
        simulator.update_hash(digest, prediction)
    assert digest.hexdigest() == meta["predictions_sha256"], "these are not the reference's predictions"
    return simulated


def load_module(path):
    """A Python file as a module."""
    spec = importlib.util.spec_from_file_location(path.stem, path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module
