"""Samples that are a function of (seed, epoch, index)."""

import copy

import numpy as np
import pytest
from mmengine.dataset import pseudo_collate
from torch.utils.data import DataLoader

from tests.datasets.tiny_hoi import PIPELINE, build, entry, image_path, write_dataset

RANDOM_PIPELINE = [
    *PIPELINE[:-1],
    dict(type="RandomFlip", prob=0.5),
    dict(type="RandomResize", scale=(96, 80), ratio_range=(0.5, 1.5), keep_ratio=True),
    dict(type="RandomCrop", crop_type="relative_range", crop_size=(0.5, 0.5), allow_negative_crop=True),
    PIPELINE[-1],
]


def fingerprints(dataset, num_workers, epochs, **options):
    """One number per image and epoch that changes with any random draw."""
    loader = DataLoader(
        dataset, num_workers=num_workers, collate_fn=pseudo_collate, persistent_workers=num_workers > 0, **options
    )
    found = []
    for epoch in epochs:
        dataset.set_epoch(epoch)
        batches = list(loader)
        found.append([image.double().mean().item() for batch in batches for image in batch["inputs"]])
    return found


@pytest.fixture
def random_dataset(arguments):
    return build(**dict(arguments, pipeline=RANDOM_PIPELINE), seed=3)


@pytest.mark.parametrize("num_workers", [0, 1, 2])
def test_samples_depend_on_seed_epoch_and_index_only(random_dataset, num_workers):
    alone = []
    for epoch in (0, 1, 2):
        random_dataset.set_epoch(epoch)
        alone.append([random_dataset[i]["inputs"].double().mean().item() for i in (2, 1, 0)][::-1])
    assert fingerprints(copy.deepcopy(random_dataset), num_workers, (0, 1, 2)) == alone
    assert fingerprints(random_dataset, num_workers, (2,), batch_size=3) == alone[2:]
    assert alone[0] != alone[1] != alone[2]


def test_other_seed_other_samples(random_dataset):
    first = fingerprints(random_dataset, 0, (0,))
    random_dataset.seed = 4
    assert fingerprints(random_dataset, 0, (0,)) != first


def test_outer_random_numbers_are_not_touched(random_dataset):
    np.random.seed(0)
    expected = np.random.rand()
    np.random.seed(0)
    random_dataset[0], random_dataset.__getitems__([1, 2])
    assert np.random.rand() == expected


def test_a_batch_is_its_samples(random_dataset):
    def means(samples):
        return [sample["inputs"].double().mean().item() for sample in samples]

    assert means(random_dataset.__getitems__([2, 0, 2])) == means(random_dataset[i] for i in (2, 0, 2))


def test_replacement_of_a_bad_image_is_reproducible_too(tmp_path):
    arguments = write_dataset(tmp_path, [entry(f"{i}.png") for i in range(9)])
    image_path(arguments, "8.png").unlink()
    dataset = build(**arguments, pipeline=PIPELINE, seed=0, on_bad_image="skip")
    chosen = []
    for epoch in range(6):
        dataset.set_epoch(epoch)
        first, second = (dataset[8]["data_samples"].img_id for _ in range(2))
        assert first == second
        chosen.append(first)
    assert len(set(chosen)) > 1


def test_without_seed_the_outer_random_numbers_decide(arguments):
    dataset = build(**dict(arguments, pipeline=RANDOM_PIPELINE))
    draws = []
    for seed in (0, 0, 1):
        np.random.seed(seed)
        draws.append(dataset[0]["inputs"].double().mean().item())
    assert draws[0] == draws[1] != draws[2]
