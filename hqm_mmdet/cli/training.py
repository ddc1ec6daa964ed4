"""The common wishes about a training, followed the same way for every config."""

from mmengine.config import Config

from hqm_mmdet.configuring import common_settings

# What each option of `hqm_mmdet_cli.train` does to a config.
WISHES = {
    "epochs": common_settings.set_epochs,
    "batch_size": common_settings.set_batch_size,
    "lr": common_settings.set_learning_rate,
    "data_root": common_settings.set_data_root,
    "workers": common_settings.set_workers,
    "val_interval": common_settings.set_val_interval,
    "fresh": common_settings.start_afresh,
}


def follow(cfg: Config, **wishes) -> None:
    """Change a config as the given options say.

    Raises:
        ConfigError: the config has no such thing.
    """
    for name, change in WISHES.items():
        if wishes[name] is not None and wishes[name] != ():
            change(cfg, wishes[name])
