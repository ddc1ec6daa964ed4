"""Properties of QPIC that hold for any weights."""

import pytest
import torch

from tests.models.tiny import (
    NUM_QUERIES,
    NUM_VERBS,
    assert_batched_equals_single,
    assert_every_parameter_takes_part,
    losses_of_one_batch,
    random_batch,
    tiny_model,
    total,
)


def test_output_format():
    inputs, samples = random_batch([1, 2])
    preds = tiny_model().eval()(inputs, samples, mode="tensor")
    assert preds["obj_logits"].shape == (2, 2, NUM_QUERIES, 5)
    assert preds["verb_logits"].shape == (2, 2, NUM_QUERIES, NUM_VERBS)
    for name in ("sub_boxes", "obj_boxes"):
        assert preds[name].shape == (2, 2, NUM_QUERIES, 4)
        assert preds[name].min() >= 0 and preds[name].max() <= 1


def test_batched_equals_single_in_spite_of_padding():
    assert_batched_equals_single(tiny_model().eval())


def test_sample_without_a_shape_fills_the_batch():
    model, batch = tiny_model(), random_batch([2])
    expected = total(model(*batch, mode="loss"))
    del batch[1][0].img_shape
    assert torch.equal(total(model(*batch, mode="loss")), expected)


def test_order_of_queries_does_not_matter():
    inputs, samples = random_batch([3])
    model = tiny_model().eval()
    before = model(inputs, samples, mode="tensor")
    loss = total(model(inputs, samples, mode="loss"))
    order = torch.randperm(NUM_QUERIES)
    model.query_embedding.weight.data = model.query_embedding.weight.data[order]
    after = model(inputs, samples, mode="tensor")
    for name, value in before.items():
        torch.testing.assert_close(after[name], value[:, :, order], rtol=1e-4, atol=1e-5)
    torch.testing.assert_close(total(model(inputs, samples, mode="loss")), loss, rtol=1e-4, atol=1e-5)


def test_order_of_pairs_does_not_matter():
    inputs, samples = random_batch([4])
    model = tiny_model().eval()
    loss = total(model(inputs, samples, mode="loss"))
    samples[0].gt_pairs = samples[0].gt_pairs[torch.tensor([2, 0, 3, 1])]
    torch.testing.assert_close(total(model(inputs, samples, mode="loss")), loss, rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("counts", ([0, 0], [3, 0], [0, 1], [NUM_QUERIES + 3, 2]))
@pytest.mark.parametrize("absent", (0, 1))
def test_loss_is_finite_and_every_parameter_learns(counts, absent):
    assert_every_parameter_takes_part(tiny_model().train(), random_batch(counts, absent=absent))


def test_absent_object_costs_no_object_box():
    inputs, samples = random_batch([1], absent=1)
    losses = tiny_model()(inputs, samples, mode="loss")
    assert losses["loss_obj_bbox"] == 0 and losses["loss_obj_iou"] == 0
    assert losses["loss_sub_bbox"] > 0 and losses["loss_obj_cls"] > 0


def test_batch_without_pairs_has_no_box_loss():
    inputs, samples = random_batch([0, 0])
    losses = tiny_model()(inputs, samples, mode="loss")
    for name, value in losses.items():
        assert (value == 0) == ("bbox" in name or "iou" in name), name


def test_loss_falls_when_trained_on_one_batch():
    history = losses_of_one_batch(tiny_model(), random_batch([2, 1]), 1e-3)
    assert history[-1] < 0.5 * history[0]


def test_damaged_weights_are_named_with_the_file():
    inputs, samples = random_batch([1, 2])
    model = tiny_model()
    model.bbox_head.sub_box.layers[0].weight.data.fill_(float("nan"))
    with pytest.raises(FloatingPointError, match="image_0.jpg"):
        model(inputs, samples, mode="loss")


def test_boxes_of_predictions_are_in_the_original_image():
    inputs, samples = random_batch([0])
    model = tiny_model().eval()
    samples[0].set_metainfo(dict(ori_shape=(640, 800)))
    large = model(inputs, samples, mode="predict")[0].pred_pairs.sub_bboxes
    samples[0].set_metainfo(dict(ori_shape=(64, 80)))
    small = model(inputs, samples, mode="predict")[0].pred_pairs.sub_bboxes
    torch.testing.assert_close(large, small * 10)


def test_memory_layout_of_the_backbone_changes_nothing():
    inputs, samples = random_batch([2, 1])
    plain, last = tiny_model(), tiny_model(channels_last=True)
    last.load_state_dict(plain.state_dict())
    ours, theirs = (model.eval()(inputs, samples, mode="tensor") for model in (last, plain))
    assert last.backbone.conv1.weight.is_contiguous(memory_format=torch.channels_last)
    for name, value in theirs.items():
        torch.testing.assert_close(ours[name], value, rtol=1e-4, atol=1e-5)
