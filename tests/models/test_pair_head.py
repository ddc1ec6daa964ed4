"""What all heads share: labels are checked, divisors have one rule, losses have one order."""

import pytest
import torch
from mmengine.structures import InstanceData

from hqm_mmdet.errors import ClassMismatchError
from hqm_mmdet.models.losses import by_layer, mean_over_processes, terms
from hqm_mmdet_cli.errors import is_user_error
from tests.models.tiny import NUM_CLASSES, random_batch, tiny_model
from tests.models.tiny_hotr import tiny_hotr


def detector(name):
    return tiny_hotr() if name == "HOTR" else tiny_model(type=name)


@pytest.mark.parametrize("name", ("QPIC", "CDN", "ConditionalHOI", "HOTR"))
class TestLabels:
    @pytest.mark.parametrize("label", (NUM_CLASSES + 1, 79, -1))
    def test_object_label_without_output_is_told_with_file_and_pair(self, name, label):
        inputs, samples = random_batch([1, 3])
        pairs, instances = samples[1].gt_pairs, samples[1].gt_instances
        instances.labels[(instances.bboxes == pairs.obj_bboxes[2]).all(1)] = label  # HOTR looks the pair's box up
        pairs.obj_labels[2] = label
        with pytest.raises(ClassMismatchError, match=rf"image_1.jpg: pair 2 .*label {label}, .*{NUM_CLASSES} object"):
            detector(name)(inputs, samples, mode="loss")

    def test_label_of_no_object_is_sound(self, name):
        losses = detector(name)(*random_batch([1, 3], absent=1), mode="loss")
        assert all(torch.isfinite(value) for value in losses.values())

    def test_other_number_of_verbs_is_told_with_the_file(self, name):
        inputs, samples = random_batch([1])
        samples[0].gt_pairs.verb_labels = torch.ones(1, 9)
        with pytest.raises(ClassMismatchError, match=r"image_0.jpg: .* 9 verbs.*num_verbs") as caught:
            detector(name)(inputs, samples, mode="loss")
        assert is_user_error(caught.value)  # tools tell it in one message


def test_label_of_an_instance_outside_of_any_pair_is_checked_too():
    inputs, samples = random_batch([2])
    extra = InstanceData(bboxes=torch.tensor([[1.0, 2, 3, 4]]), labels=torch.tensor([NUM_CLASSES]))
    samples[0].gt_instances = samples[0].gt_instances.cat([samples[0].gt_instances, extra])
    with pytest.raises(ClassMismatchError, match="image_0.jpg: instance 4 .*label 4"):
        tiny_hotr()(inputs, samples, mode="loss")


def test_divisors_are_what_was_counted_and_one_where_nothing_was():
    amounts = torch.tensor([0.0, 0.1, 1.0, 7.0])  # 0.1: a single pair without object
    assert mean_over_processes(amounts).tolist() == pytest.approx([1.0, 0.1, 1.0, 7.0])


def test_divisors_of_two_processes_are_half_of_what_both_have(monkeypatch):
    """Their gradients are averaged, so a single pair, or none, weighs what it does in one process."""
    monkeypatch.setattr(terms, "get_world_size", lambda: 2)
    monkeypatch.setattr(terms, "reduce_mean", lambda amount: amount / 2)  # the other process has nothing
    assert mean_over_processes(torch.tensor([0.0, 1.0, 4.0])).tolist() == [0.5, 0.5, 2.0]


def test_losses_are_named_and_ordered_from_the_last_layer():
    losses = dict(a=torch.tensor([1.0, 2.0, 3.0]), b=torch.tensor([4.0, 5.0, 6.0]))
    named = {name: value.item() for name, value in by_layer(losses).items()}
    assert list(named.items()) == [("a", 3), ("b", 6), ("d1.a", 2), ("d1.b", 5), ("d0.a", 1), ("d0.b", 4)]
