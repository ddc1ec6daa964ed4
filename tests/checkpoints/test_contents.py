"""Checkpoints that hold no weights, or broken ones: every door names the file and the parameter."""

import copy

import pytest
import torch

from hqm_mmdet.apis import HOIInferencer, init_model
from hqm_mmdet.apis.deployment import export_onnx, publish_checkpoint
from hqm_mmdet.checkpoints import convert_checkpoint
from hqm_mmdet.checkpoints.contents import resume_defect, weight_defect
from hqm_mmdet.checkpoints.files import Checkpoint
from hqm_mmdet.checkpoints.sources import ConversionError
from hqm_mmdet.safe_loading import CheckpointError
from tests.apis.conftest import META, inference_config, noise
from tests.models.tiny import tiny_model

KEY = "bbox_head.verb_cls.weight"
DOORS = {
    "predict": lambda file, out: HOIInferencer(file, device="cpu"),
    "publish": lambda file, out: publish_checkpoint(file, out / "tiny"),
    "export": lambda file, out: export_onnx(None, file, out / "tiny.onnx"),
}


def one_wrong(value, number):
    value = value.clone()
    value.view(-1)[3] = number
    return value


BROKEN = {
    "NaN": (lambda value: one_wrong(value, float("nan")), "has 1 of .* numbers that are NaN or infinite"),
    "infinite": (lambda value: one_wrong(value, float("-inf")), "has 1 of .* numbers that are NaN or infinite"),
    "integers": (lambda value: value.long(), "holds int64, the model's float32"),
    "complex": (lambda value: value.to(torch.complex64), "holds complex64, the model's float32"),
    "sparse": (lambda value: value.to_sparse(), "is sparse, and dense numbers are needed"),
}


@pytest.fixture
def write(tmp_path):
    def to(change=lambda content: content):
        meta = dict(cfg=inference_config().pretty_text, dataset_meta=META)
        content = dict(state_dict=tiny_model(seed=1).state_dict(), meta=meta)
        torch.save(change(content) or content, tmp_path / "broken.pth")
        return tmp_path / "broken.pth"

    return to


@pytest.mark.parametrize("kind", BROKEN)
@pytest.mark.parametrize("door", DOORS)
def test_broken_weights_are_refused_by_name(write, tmp_path, door, kind):
    damage, message = BROKEN[kind]
    file = write(lambda content: content["state_dict"].update({KEY: damage(content["state_dict"][KEY])}))
    with pytest.raises(CheckpointError, match=rf"broken.pth: its parameter {KEY} {message}"):
        DOORS[door](file, tmp_path)
    assert {path.name for path in tmp_path.iterdir()} == {"broken.pth"}


@pytest.mark.parametrize(
    "change, message",
    (
        (lambda c: c["state_dict"].update({7: torch.zeros(1)}), "under 7 there is a name that is no text"),
        (lambda c: c["state_dict"].update(x="text"), "under 'x' there is str, no tensor"),
        (lambda c: c.update(state_dict=[1]), "holds no weights"),
        (lambda c: [c], "holds no weights"),
        (lambda c: c.update(meta=[1]), "`meta` is list, no dict"),
        (lambda c: c.update(meta=None), "holds no config"),
    ),
    ids=("number as name", "text", "list", "list around", "meta a list", "meta none"),
)
def test_what_is_no_checkpoint(write, change, message):
    with pytest.raises(CheckpointError, match=f"broken.pth.*{message}"):
        init_model(None, write(change))


def test_half_precision_and_infinities_of_the_model_itself_are_right():
    assert weight_defect(dict(a=torch.ones(2).half()), dict(a=torch.ones(2))) is None
    mask = torch.tensor([0.0, -torch.inf])
    assert weight_defect(dict(mask=mask), dict(mask=mask.clone())) is None
    assert weight_defect(dict(other=mask), dict(mask=mask)) is None
    assert weight_defect(dict(mask=mask)) is not None


def test_conversion_refuses_broken_weights(tmp_path):
    torch.save(dict(model={"class_embed.weight": torch.full((92, 4), torch.nan)}), tmp_path / "detr.pth")
    with pytest.raises(CheckpointError, match="detr.pth: its parameter class_embed.weight has 368 of 368"):
        convert_checkpoint(tmp_path / "detr.pth", tmp_path / "out.pth")


def test_a_model_that_computes_nan_is_told(write):
    """Finite weights can be too large to compute with."""
    file = write(lambda content: content["state_dict"].update({KEY: content["state_dict"][KEY] * 1e38}))
    inferencer = HOIInferencer(file, device="cpu", show_progress=False)
    inferencer.model.bbox_head.verb_cls.weight.data.fill_(torch.nan)
    with pytest.raises(CheckpointError, match="image 00000000.jpg: verb_scores of .* are NaN or infinite"):
        list(inferencer.stream(noise(40, 30)))


def test_meta_may_be_missing(write):
    assert Checkpoint.read(write(lambda content: content.update(meta=None))).meta == {}
    assert Checkpoint.read(write(lambda content: content["state_dict"])).meta == {}


def test_what_resuming_needs():
    hub = dict(log_scalars={}, runtime_info={}, resumed_keys={})
    sound = dict(meta=dict(epoch=1, iter=5, seed=0), message_hub=hub, param_schedulers=[])
    sound |= dict(optimizer=dict(state={}, param_groups=[]))
    assert resume_defect(sound) is None
    for path, value, message in (
        (("meta",), None, "`meta` is NoneType"),
        (("meta", "epoch"), "1", "meta.epoch is '1'"),
        (("meta", "iter"), True, "meta.iter is True"),
        (("meta", "seed"), [], "meta.seed"),
        (("message_hub",), [], "`message_hub`"),
        (("message_hub", "log_scalars"), 3, "`message_hub`"),
        (("optimizer",), None, "`optimizer`"),
        (("param_schedulers",), 5, "`param_schedulers`"),
    ):
        broken = copy.deepcopy(sound)
        part = broken
        for step in path[:-1]:
            part = part[step]
        part[path[-1]] = value
        assert message in resume_defect(broken)


def test_another_code_bases_file_under_a_given_source(tmp_path):
    """`convert --source detr` on a QPIC file."""
    weights = {"obj_class_embed.weight": torch.zeros(82, 8), "transformer.decoder.norm.weight": torch.zeros(8)}
    torch.save(dict(model=weights), tmp_path / "qpic.pth")
    with pytest.raises(ConversionError, match="qpic.pth: official DETR.*has no 'class_embed.weight'. Leave"):
        convert_checkpoint(tmp_path / "qpic.pth", tmp_path / "out.pth", "detr")
    weights["class_embed.weight"] = torch.zeros(3)
    torch.save(dict(model=weights), tmp_path / "cut.pth")
    with pytest.raises(ConversionError, match="cut.pth: .*incomplete or unfit"):
        convert_checkpoint(tmp_path / "cut.pth", tmp_path / "out.pth", "detr")
    assert not (tmp_path / "out.pth").exists()
