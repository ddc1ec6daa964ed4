"""Does the rest of a config go with its strategy?"""

from mmengine.config import Config

from hqm_mmdet.errors import ConfigError

SHARDED = ("CheckedFSDPStrategy", "CheckedDeepSpeedStrategy", "FSDPStrategy", "DeepSpeedStrategy")


def check_strategy(cfg: Config, resumes: bool) -> None:
    """Look at what a training with a strategy of mmengine's ``FlexibleRunner`` can't do.

    Args:
        cfg (Config): with or without ``strategy``.
        resumes (bool): the training goes on from a checkpoint, or would if there were one.

    Raises:
        ConfigError: with the remedy.
    """
    if not cfg.get("strategy"):
        return
    kind = cfg.strategy.type.rpartition(".")[2]  # ours are named with their module
    if cfg.get("runner_type") is None:
        raise ConfigError(f"strategy={kind} needs runner_type='FlexibleRunner'; without, nothing reads it.")
    if kind in SHARDED and cfg.get("launcher", "none") == "none":
        raise ConfigError(f"strategy={kind} needs several processes; start them by tools/dist_train.sh CONFIG N.")
    if kind.endswith("DeepSpeedStrategy") and resumes:
        raise ConfigError(
            "A training by DeepSpeed can't be resumed: its checkpoints run code when they are read. Start from the "
            "weights of best_*.pth (--load-from), or train with _base_/strategies/fsdp.py, which resumes."
        )
    if kind.endswith("DeepSpeedStrategy") and cfg.get("auto_scale_lr", {}).get("enable"):
        raise ConfigError(
            "DeepSpeed's strategy does not scale the learning rate: give --lr instead of --auto-scale-lr."
        )
    hooks = [*(cfg.get("custom_hooks") or ()), *(cfg.get("default_hooks") or {}).values()]
    if any(hook is not None and hook["type"] == "EMAHook" for hook in hooks):
        raise ConfigError(
            f"EMAHook does not go with strategy={kind}: it averages the weights that one process has. Remove one of "
            "them."
        )
