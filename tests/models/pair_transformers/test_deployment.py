"""UPT and PViC on a detector, as a checkpoint: one's own images, publishing; what can't be says why not."""

import numpy as np
import pytest
from mmengine.config import Config

from hqm_mmdet.apis import build_model
from hqm_mmdet.apis.deployment.export import ExportError, ImageToPairs
from hqm_mmdet.apis.deployment.publish import publish_checkpoint
from hqm_mmdet.apis.inference import HOIInferencer
from hqm_mmdet.apis.inference.attention import AttentionError
from hqm_mmdet.checkpoints import write_checkpoint
from tests.models.pair_transformers.small import HEADS
from tests.models.reference import CONFIGS
from tests.models.two_stage.test_detector_instances import CLASSES, THEIRS, detr


@pytest.fixture(scope="module", params=("upt", "pvic"))
def checkpoint(request, tmp_path_factory):
    cfg = Config.fromfile(CONFIGS / f"{request.param}_hqm_toy.py")
    cfg.model.instances = dict(
        type="DetectorFeatures", detector=detr(), classes=CLASSES, detector_classes=THEIRS, frozen=True
    )
    cfg.model.bbox_head.update(**HEADS[request.param], in_channels=32, map_channels=64)
    cfg.model.query_mining.miners.gbs.embed_dims = 16
    file = tmp_path_factory.mktemp("checkpoint") / "pairs.pth"
    write_checkpoint(file, build_model(cfg).state_dict(), dict(cfg=cfg.pretty_text))
    return file


def test_one_s_own_images_and_published_files(checkpoint, tmp_path):
    image = np.random.default_rng(0).integers(0, 256, (100, 120, 3), dtype=np.uint8)
    publish_checkpoint(checkpoint, tmp_path / "small", formats=("safetensors",))
    (published,) = tmp_path.glob("small-*.safetensors")
    results = []
    for file in (checkpoint, published):
        result = HOIInferencer(weights=str(file), show_progress=False)(image, return_vis=True)
        assert len(result["visualization"]) == 1 and not result["failures"]
        results.append(result["predictions"][0])
    assert results[0] == results[1]


def test_what_is_not_there_says_so(checkpoint):
    inferencer = HOIInferencer(weights=str(checkpoint), show_progress=False)
    with pytest.raises(AttentionError, match="A PairTransformerHOI has no queries"):
        inferencer.attention(np.zeros((96, 96, 3), np.uint8))
    with pytest.raises(ExportError, match="A PairTransformerHOI is not exported.*publish"):
        ImageToPairs(inferencer.model)
