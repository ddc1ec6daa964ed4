"""TIN against the official code: network, losses, logits at test time."""

import numpy as np
import pytest
import torch
from mmengine.structures import InstanceData

from hqm_mmdet.models.interactiveness import roi_crop
from hqm_mmdet.models.two_stage import TINHead
from hqm_mmdet.structures import new_pairs
from tests.models.interactiveness.fixtures import poses_of
from tests.models.reference import load_arrays, load_converted, load_json, official_weights

pytestmark = pytest.mark.parity
TOLERANCES = dict(features=1e-4, logits=3e-4, losses=1e-4)


class Case:
    """Model with the stand-in weights, and what the fixture holds."""

    def __init__(self, reference_dir, name, tmp_path):
        self.name = name
        self.given = load_arrays(reference_dir, "tin", f"network_{name}.npz")
        self.expected_losses = load_json(reference_dir, "tin", f"network_{name}.json")["losses"]
        self.logit_weights = load_json(reference_dir, "tin", "loss_weights.json")
        weights = official_weights(reference_dir, "tin", f"network_{name}")
        self.model, self.report = load_converted(f"tin_{name}.py", weights, tmp_path)
        self.model.eval()
        image = torch.from_numpy(self.given["image_bgr_uint8"].astype(np.float32)).permute(2, 0, 1)
        inputs = self.model.data_preprocessor(dict(inputs=[image]))["inputs"]
        with torch.no_grad():
            (self.feature,) = self.model.extract_feat(inputs)
        boxes = [torch.from_numpy(self.given[f"{who}_boxes"]) for who in ("human", "object")]
        self.pairs = new_pairs(*boxes, torch.zeros(5, dtype=torch.long), keypoints=poses_of(reference_dir, name))

    def predictions(self, num_positive=5):
        """Features of the pairs and the head's output; the first pairs are complete."""
        complete = torch.arange(5) < num_positive
        with torch.no_grad():
            features = self.model.pair_encoder([self.feature], [self.pairs], [complete])
            return features, self.model.bbox_head(features)

    def agrees(self, ours, theirs, kind="features"):
        torch.testing.assert_close(ours, torch.from_numpy(self.given[theirs]), rtol=0, atol=TOLERANCES[kind])


@pytest.fixture(scope="module", params=["hico", "vcoco"])
def case(request, reference_dir, tmp_path_factory):
    return Case(reference_dir, request.param, tmp_path_factory.mktemp("tin"))


def test_every_official_tensor_has_its_place(case):
    assert case.report.source == "tin" and not case.report.dropped
    assert len(case.report.renamed) == 353


def test_feature_map_and_crops(case):
    case.agrees(case.feature[None, :4].permute(0, 2, 3, 1), "head_first4ch")
    for boxes, who in ((case.pairs.sub_bboxes, "H"), (case.pairs.obj_bboxes, "O")):
        case.agrees(roi_crop(case.feature, boxes / 16)[:, :4].permute(0, 2, 3, 1), f"crop_{who}_first4ch")


def test_streams_and_attention(case):
    features, _ = case.predictions()
    case.agrees(features.sub[:, :64], "fc7_H_first64")
    case.agrees(features.obj[:, :64], "fc7_O_first64")
    case.agrees(features.layout[:, :64], "sp_first64")
    context = case.model.pair_encoder.context
    keys = torch.relu(context.key(case.feature[None]))[0]
    for layer, boxes, who in ((context.sub_query, features.sub, "H"), (context.obj_query, features.obj, "O")):
        attention = context.attention(keys, torch.relu(layer(boxes))).view(5, *keys.shape[1:])
        case.agrees(attention.detach(), f"attention_{who}")


def test_scores_at_test_time(case):
    _, preds = case.predictions()
    for ours, theirs in (("sub", "H"), ("obj", "O"), ("layout", "sp"), ("interactiveness", "binary")):
        case.agrees(preds[f"{ours}_logits"], f"inference_cls_score_{theirs}", "logits")
    case.agrees(TINHead.fuse(preds), "inference_cls_prob_HO")
    case.agrees(preds["interactiveness_logits"].sigmoid(), "inference_cls_prob_binary")


def test_chunks_do_not_change_scores(case):
    case.model.pair_encoder.chunk_size, size = 2, case.model.pair_encoder.chunk_size
    with torch.no_grad():
        chunked = case.model._scores(case.feature, case.pairs)
    case.model.pair_encoder.chunk_size = size
    for name, value in case.predictions()[1].items():
        torch.testing.assert_close(chunked[name], value, rtol=1e-5, atol=1e-5)


def test_scores_and_losses_of_the_training_layout(case):
    """Two positive pairs, three negative ones."""
    _, preds = case.predictions(num_positive=2)
    for ours, theirs in (("obj", "O"), ("layout", "sp"), ("interactiveness", "binary")):
        case.agrees(preds[f"{ours}_logits"], f"train_layout_cls_score_{theirs}", "logits")
    subjects = case.given["train_layout_cls_score_H"]
    case.agrees(preds["sub_logits"][: len(subjects)], "train_layout_cls_score_H", "logits")

    losses = class_losses(case, preds)
    official = case.expected_losses
    obj = "O_cross_entropy" if case.name == "hico" else "HO_cross_entropy"
    names = dict(sub="H_cross_entropy", obj=obj, layout="sp_cross_entropy", interactiveness="binary_cross_entropy")
    for ours, theirs in names.items():
        weight = case.model.bbox_head.loss_weights.get(ours, 1.0)
        value = losses["loss_interactiveness" if ours == "interactiveness" else f"loss_{ours}_cls"]
        assert value.item() == pytest.approx(weight * official[theirs], rel=TOLERANCES["losses"]), ours
    assert sum(losses.values()).item() == pytest.approx(official["total_loss"], rel=TOLERANCES["losses"])


def class_losses(case, preds):
    """Losses with the official logit weights. V-COCO's streams have labels of their own for the same positives."""
    head, weights, given = case.model.bbox_head, case.logit_weights, case.given
    interactive = torch.from_numpy(given["binary_labels"][:, 0] == 1)
    labels = torch.from_numpy(given["labels"])
    if case.name == "hico":
        streams = dict.fromkeys(("sub", "obj", "layout"), weights["hico_hoi"])
    else:
        streams = dict(sub=weights["vcoco_human_stream"], obj=weights["vcoco_object_stream"])
    for stream, values in streams.items():
        head.register_buffer(f"{stream}_logit_weights", torch.tensor(values), persistent=False)
    losses = head.class_loss(preds, labels, interactive)
    losses.update(head.interactiveness.loss(preds, [InstanceData(interactive=interactive)]))
    if case.name == "vcoco":
        for stream, name in (("sub", "labels_H"), ("obj", "labels_HO")):
            positives = labels.clone()
            positives[interactive] = torch.from_numpy(given[name])
            losses[f"loss_{stream}_cls"] = head.class_loss(preds, positives, interactive)[f"loss_{stream}_cls"]
    for stream in streams:
        delattr(head, f"{stream}_logit_weights")
    return losses
