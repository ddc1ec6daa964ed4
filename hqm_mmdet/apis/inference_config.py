"""What a checkpoint that is only used for prediction holds of a config."""

import copy

from mmengine.config import Config, ConfigDict

from hqm_mmdet.checkpoints.loading import TRAINING_ONLY

# What the config of a training says that inference does not ask for.
TRAINING_KEYS = (
    *("train_dataloader", "train_pipeline", "train_cfg", "optim_wrapper", "param_scheduler", "auto_scale_lr"),
    *("val_dataloader", "val_cfg", "val_evaluator", "custom_hooks", "query_mining", "load_from", "resume", "work_dir"),
    "needs_start",
)


def inference_config(config: Config) -> Config:
    """The plain detector's config: without training, mining, re-weighting, and initialisation from files."""
    values = copy.deepcopy(config.to_dict())
    for key in TRAINING_KEYS:
        values.pop(key, None)
    for prefix in TRAINING_ONLY:
        *path, last = prefix.rstrip(".").split(".")
        part = values["model"]
        for step in path:
            part = part.get(step, {})
        # Not the parameters alone: with the part in the config, they would be missing in the file.
        part.pop(last, None)
    _forget_initialisation(values["model"])
    return Config(values)


def _forget_initialisation(part) -> None:
    """Remove ``init_cfg=dict(type='Pretrained', ...)`` at any depth: the files are needed no more."""
    if isinstance(part, dict | ConfigDict):
        if isinstance(part.get("init_cfg"), dict) and part["init_cfg"].get("type") == "Pretrained":
            part.pop("init_cfg")
        part = list(part.values())
    if isinstance(part, list | tuple):
        for item in part:
            _forget_initialisation(item)
