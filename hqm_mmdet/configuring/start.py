"""Configs that are meant to start from a detector, and how one gets that start."""

from mmengine.config import Config

from hqm_mmdet_cli.installation import command

# By depth of the backbone; DETR's own files (https://github.com/facebookresearch/detr#model-zoo).
DETR_FILES = {50: "detr-r50-e632da11.pth", 101: "detr-r101-2c7b67e5.pth"}
# mmdet's (configs/conditional_detr/metafile.yml).
CONDITIONAL_FILE = "conditional-detr_r50_8xb2-50e_coco_20221121_180202-c83a1dc0.pth"


def how_to_start(cfg: Config, config: str = "CONFIG") -> str | None:
    """The commands that give a config the start that it needs (``needs_start``); None if it has one, or needs none.

    Args:
        cfg (Config): ``needs_start`` is what ``hqm-mmdet convert --model`` calls the detector that is initialised.
        config (str): how commands name the config. Default: ``CONFIG``.
    """
    kind = cfg.get("needs_start")
    if kind is None or cfg.get("load_from") or cfg.get("resume"):
        return None
    model = cfg.model
    depth = model.get("backbone", {}).get("depth", 50)
    file = CONDITIONAL_FILE if kind == "conditional" else DETR_FILES.get(depth, "DETR.pth")
    options = "" if kind in ("qpic", "conditional") else f" --model {kind}"
    # 80 classes of COCO and "no object with this verb": V-COCO's. HOTR has no class layer of its own.
    if model.get("bbox_head", {}).get("num_obj_classes") == 81:
        options += " --dataset vcoco"
    start = f"params/{kind}_init.pth"
    return f"`{command(f'convert {file} {start}{options}')}`, then `{command(f'train {config} --load-from {start}')}`"
