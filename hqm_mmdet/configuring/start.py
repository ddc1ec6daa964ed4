"""Configs that are meant to start from trained weights, and how one gets that start."""

from mmengine.config import Config, ConfigDict

from hqm_mmdet_cli.installation import command

# By depth of the backbone; DETR's own files (https://github.com/facebookresearch/detr#model-zoo).
DETR_FILES = {50: "detr-r50-e632da11.pth", 101: "detr-r101-2c7b67e5.pth"}
# mmdet's (configs/conditional_detr/metafile.yml).
CONDITIONAL_FILE = "conditional-detr_r50_8xb2-50e_coco_20221121_180202-c83a1dc0.pth"


def how_to_start(cfg: Config, config: str = "CONFIG") -> str | None:
    """The commands that give a config the start that it needs (``needs_start``); None if it has one, or needs none.

    Args:
        cfg (Config): ``needs_start`` is what ``hqm-mmdet convert --model`` calls the detector that is initialised;
            ``detector``: the boxes' detector of a two-stage model; ``tin``: TIN's backbone.
        config (str): how commands name the config. Default: ``CONFIG``.
    """
    kind = cfg.get("needs_start")
    if kind is None or cfg.get("load_from") or cfg.get("resume"):
        return None
    if kind == "detector":
        return _detector_start(cfg.model.get("instances", {}), config)
    if kind == "tin":
        return _tin_start(cfg.model.get("backbone", {}), config)
    return _initialised(kind, cfg.model, config)


def _initialised(kind: str, model: ConfigDict, config: str) -> str:
    """A pair detector that a box detector becomes."""
    depth = model.get("backbone", {}).get("depth", 50)
    file = CONDITIONAL_FILE if kind == "conditional" else DETR_FILES.get(depth, "DETR.pth")
    options = "" if kind in ("qpic", "conditional") else f" --model {kind}"
    # 80 classes of COCO and "no object with this verb": V-COCO's. HOTR has no class layer of its own.
    if model.get("bbox_head", {}).get("num_obj_classes") == 81:
        options += " --dataset vcoco"
    start = f"params/{kind}_init.pth"
    return f"`{command(f'convert {file} {start}{options}')}`, then `{_loading(config, start)}`"


def _detector_start(instances: ConfigDict, config: str) -> str | None:
    """A detector that is part of the model; its own ``checkpoint`` is a start, too."""
    if instances.get("checkpoint"):
        return None
    detector = instances.get("detector", {})
    kind = detector.get("type", "the detector") if isinstance(detector, dict) else detector
    file = "params/detector.pth"
    train = command(f"train {config} --cfg-options model.instances.checkpoint={file}")
    origin = "mmdet's"
    if kind == "DETR":
        origin += f", or converted: `{command(f'convert DETR.pth {file} --model detector')}`"
    elif kind == "HDeformableDETR":  # which mmdet does not have
        origin = f"converted: `{command(f'convert H_DETR.pth {file}')}`"
    return f"`{train}`, with weights of {kind}, tuned on the data set's boxes ({origin}); see docs/two_stage.md"


def _tin_start(backbone: ConfigDict, config: str) -> str | None:
    """Weights of a ResNet as slim builds it, which TIN's authors publish as parts of theirs."""
    if backbone.get("init_cfg"):
        return None
    start = "params/tin_init.pth"
    return f"`{command(f'convert tin.npz {start}')}` (docs/two_stage.md), then `{_loading(config, start)}`"


def _loading(config: str, start: str) -> str:
    return command(f"train {config} --load-from {start}")
