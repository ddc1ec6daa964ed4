"""What can't be built of a config is told with the path of the setting and the nearest known name."""

import pytest
from mmengine.config import Config
from mmengine.runner import Runner

from hqm_mmdet.apis import build_model
from hqm_mmdet.configuring import config_errors
from hqm_mmdet.errors import ConfigError
from tests.apis.conftest import inference_config
from tests.engine.small_training import build_config


@pytest.mark.parametrize(
    "options, message",
    (
        ({"model.type": "QPICC"}, "model.type: there is no component 'QPICC'. Did you mean 'QPIC'"),
        ({"model.num_querys": 3}, "model.num_querys: no setting of QPIC. Did you mean 'num_queries'"),
        ({"model.bbox_head.type": "HOIHed"}, "model.bbox_head.type: there is no component 'HOIHed'. .*'HOIHead'"),
        ({"model.bbox_head.num_verb": 3}, "model.bbox_head.num_verb: no setting of HOIHead. Did you mean 'num_verbs'"),
        ({"model.bbox_head.loss_verb.typ": 3}, "model.bbox_head.loss_verb has no type"),
        ({"model.decoder.num_layers": "abc"}, r"model.decoder \(HOIDecoder\) can't be built: TypeError"),
        ({"model.decoder": 5}, "can't be built"),
    ),
)
def test_models(options, message):
    config = inference_config()
    config.merge_from_dict(options)
    with pytest.raises(ConfigError, match=message):
        build_model(config)


@pytest.mark.parametrize(
    "options, message",
    (
        (
            {"train_cfg.max_epoch": 3},
            "train_cfg.max_epoch: no setting of ResumableTrainLoop. Did you mean 'max_epochs'",
        ),
        ({"train_dataloader.bach_size": 3}, "train_dataloader.bach_size: no setting. Did you mean 'batch_size'"),
        ({"train_dataloader.dataset.sed": 3}, "train_dataloader.dataset.sed: no setting of NoisyDataset. .*'seed'"),
        (
            {"train_dataloader.dataset.type": "NoisyData"},
            "train_dataloader.dataset.type: .*'NoisyDataset'",
        ),
        ({"optim_wrapper.optimizer.type": "AdamX"}, "optim_wrapper.optimizer.type: there is no component 'AdamX'"),
        ({"optim_wrapper.optimizer.lrr": 3}, "optim_wrapper.optimizer.lrr: no setting of AdamW. Did you mean 'lr'"),
        ({"optim_wrapper.clip_grad.max_nom": 3}, "optim_wrapper.clip_grad.max_nom: unknown setting. .*'max_norm'"),
        ({"default_hooks.checkpont.interval": 2}, "default_hooks.checkpont has no type.*Did you mean 'checkpoint'"),
        ({"default_hooks.checkpoint.intervall": 2}, "intervall: no setting of the checkpoint hook.*'interval'"),
        ({"randomness.sed": 3}, "randomness.sed: .*Did you mean 'seed'"),
        ({"param_scheduler.0.typ": 3}, "param_scheduler.0.typ: no setting of MultiStepLR"),
        ({"log_processor.window": 3}, "log_processor.window: no setting of DataShareLogProcessor. .*'window_size'"),
        ({"val_evaluator.type": "WaveMetrik"}, "val_evaluator.type: there is no component .*'WaveMetric'"),
        ({"train_cfg": 3}, "can't be built"),
        ({"train_dataloader": 3}, "can't be built"),
        ({"model": 3}, "Config small.py: .*can't be built"),
    ),
)
def test_trainings(tmp_path, options, message):
    config = build_config(tmp_path, epochs=1)
    config.merge_from_dict(options)
    with pytest.raises(ConfigError, match=message), config_errors(config, "small.py"):
        Runner.from_cfg(config).train()


def test_what_is_missing():
    with pytest.raises(ConfigError, match="'model' is missing, or misspelt. Did you mean 'modle'"):
        build_model(Config(dict(modle=dict(type="QPIC"))))


def test_errors_of_others_pass(tmp_path):
    config = build_config(tmp_path)
    for error in (KeyError("x"), TypeError("f() got an unexpected keyword argument 'none_such'"), OSError("disk")):
        with pytest.raises(type(error)), config_errors(config):
            raise error
