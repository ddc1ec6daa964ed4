"""Fixtures for data set tests."""

import pytest

import hqm_mmdet.datasets.problems
import hqm_mmdet.datasets.sampling_dataset
import hqm_mmdet.datasets.transforms.loading
from tests.datasets.tiny_hoi import BOXES, PIPELINE, entry, write_dataset


@pytest.fixture
def logged(monkeypatch) -> list[str]:
    """Messages that the reader and its transforms log."""
    messages = []
    datasets = hqm_mmdet.datasets
    for module in (datasets.sampling_dataset, datasets.problems, datasets.transforms.loading):
        monkeypatch.setattr(module, "print_log", lambda message, **options: messages.append(message))
    return messages


@pytest.fixture
def arguments(tmp_path) -> dict:
    """Arguments of a data set of three images in ``tmp_path / 'data'``; the second has no pair."""
    entries = [
        entry("a.png", BOXES, [(0, 1, 1), (0, 2, 1), (0, 1, 2), (0, -1, 3), (0, 1, 1)]),
        entry("b.png", BOXES[:1], []),
        entry("c.png", BOXES, [(0, 1, 1)]),
    ]
    return dict(write_dataset(tmp_path / "data", entries), pipeline=PIPELINE)


@pytest.fixture
def eval_arguments(arguments) -> dict:
    """The same images as a test set."""
    return dict(arguments, test_mode=True, vocabulary_ann_file="train.json")
