"""Timing of steps side by side: order, counts, and batches that models can learn from."""

import time

import pytest
import torch

from tests.models.tiny import NUM_CLASSES, NUM_VERBS, tiny_model


@pytest.fixture
def timing(script):
    return script("step_timing")


def test_steps_take_turns_and_the_first_turn_does_not_count(timing, monkeypatch):
    calls, clock = [], iter(range(1000))
    monkeypatch.setattr(time, "perf_counter", lambda: next(clock))
    monkeypatch.setattr(time, "process_time", lambda: 0.0)

    def step(name, seconds):
        def run():
            calls.append(name)
            for _ in range(next(seconds)):
                next(clock)

        return run

    steps = dict(a=step("a", iter([90, 1, 2, 30])), b=step("b", iter([0, 3, 3, 3])))
    times = timing.interleaved(steps, repeats=3, synchronize=lambda: calls.append("wait"))
    assert [c for c in calls if c != "wait"] == ["a", "b"] * 4
    assert calls[:3] == ["wait", "a", "wait"]
    assert {name: t["wall"] for name, t in times.items()} == dict(a=3, b=4)  # the clock's own ticks are 1


def test_batch_fits_the_head(timing):
    model = tiny_model()
    inputs, samples = timing.make_batch((64, 80), batch=2, pairs=3, head=model.bbox_head)
    assert inputs.shape == (2, 3, 64, 80) and len(samples) == 2
    for sample in samples:
        pairs = sample.gt_pairs
        boxes = torch.cat([pairs.sub_bboxes, pairs.obj_bboxes])
        assert torch.equal(sample.gt_instances.bboxes, boxes) and len(pairs) == 3
        assert (boxes[:, :2] < boxes[:, 2:]).all() and (boxes >= 0).all()
        assert (boxes <= torch.tensor([80, 64, 80, 64])).all()
        assert pairs.verb_labels.shape == (3, NUM_VERBS) and (pairs.verb_labels.sum(1) == 1).all()
        assert pairs.obj_labels.max() < NUM_CLASSES


def test_steps_train_and_predict(timing):
    model = tiny_model()
    batch = timing.make_batch((64, 80), batch=1, pairs=2, head=model.bbox_head)
    timing.train_step(model, batch)
    gradients = [parameter.grad.clone() for parameter in model.parameters() if parameter.requires_grad]
    timing.train_step(model, batch)
    repeated = [parameter.grad for parameter in model.parameters() if parameter.requires_grad]
    assert all(torch.equal(a, b) for a, b in zip(gradients, repeated, strict=True))  # nothing accumulates
    timing.predict_step(model.eval(), batch)
    assert len(batch[1][0].pred_pairs) == model.num_queries
