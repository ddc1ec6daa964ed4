"""Modules of the study, a toy set, records."""

from dataclasses import replace

import pytest

from hqm_mmdet.datasets.toy import ToySettings, make_toy_hoi


@pytest.fixture(scope="module")
def plan(script):
    return script("study.plan")


@pytest.fixture(scope="module")
def records_module(script):
    return script("study.records")


@pytest.fixture(scope="module")
def comparison(script):
    return script("study.comparison")


@pytest.fixture(scope="module")
def tiny(plan, tmp_path_factory):
    """A length and a toy set for trainings of seconds."""
    settings = ToySettings(num_train=64, num_test=12)
    scale = replace(plan.SCALES["standard"], epochs=2, evaluated=(1, 2))
    return scale, make_toy_hoi(tmp_path_factory.mktemp("toy"), settings, progress=False)


@pytest.fixture
def record(records_module):
    """Function that makes a record with a final mAP."""

    def make(arm="baseline", split="normal", seed=0, full=0.5, **changes):
        curve = [
            dict(iteration=i, full=full * share, rare=full * share / 2, non_rare=full * share)
            for i, share in ((100, 0.25), (200, 0.5), (300, 1.0))
        ]
        made = records_module.Record(
            arm=arm,
            split=split,
            seed=seed,
            config="configs/qpic_toy.py",
            config_digest="c",
            data_digest="d",
            commit="abc",
            versions=dict(torch="2.13.0", machine="x86_64"),
            date="2026-01-01",
            minutes=5.0,
            training_seconds=250.0,
            trace=[35.0, 34.0, 33.0, 32.0],
            curve=curve,
            triplet_ap={"ride horse": full, "ride bicycle": full / 2, "wave": 0.1},
        )
        return replace(made, **changes)

    return make
