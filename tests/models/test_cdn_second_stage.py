"""CDN's second stage: the official list of what learns."""

import pytest

from hqm_mmdet.apis import build_model
from hqm_mmdet.checkpoints import convert_state_dict
from tests.models.reference import CONFIGS, load_json, official_weights

pytestmark = pytest.mark.parity


def test_trained_parameters_are_those_of_freeze_mode_1(reference_dir):
    official = load_json(reference_dir, "cdn", "cdn_trainable_freeze_mode_1.json")
    _, report = convert_state_dict(official_weights(reference_dir, "cdn", "cdn_hico"))
    model = build_model(CONFIGS / "cdn_s_reweight_hico.py")
    learning = {name for name, parameter in model.named_parameters() if parameter.requires_grad}
    assert learning == {report.renamed[name] for name in official}
