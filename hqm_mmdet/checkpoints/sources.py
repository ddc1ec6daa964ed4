"""Code bases whose checkpoints can be read, and how they are told apart."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from torch import Tensor

from hqm_mmdet.errors import UserError

from .h_detr import H_DETR_IN_PVIC, OFFICIAL_H_DETR, as_mmdet_merges
from .key_tables import (
    HOICLIP_UNUSED,
    MMDET_CONDITIONAL,
    MMDET_DETR,
    OFFICIAL_CDN,
    OFFICIAL_CDN_HQM,
    OFFICIAL_DETR,
    OFFICIAL_GENVLKT,
    OFFICIAL_HOICLIP,
    OFFICIAL_HOTR,
    OFFICIAL_HQM,
    OFFICIAL_PVIC,
    OFFICIAL_QPIC,
    OFFICIAL_TIN,
    OFFICIAL_UPT,
    PVIC_HEAD,
    PVIC_UNUSED,
    Rules,
)

StateDict = dict[str, Tensor]


class ConversionError(UserError, ValueError):
    """A checkpoint of another code base that can't become one of ours as it was asked for."""


@dataclass(frozen=True)
class Source:
    """A code base: how its checkpoints are told and named.

    Args:
        title (str): for messages.
        marker (str): a key that only its checkpoints hold.
        rules (list): renaming rules.
        unused (tuple[str]): regular expressions of names that the code base's own forward pass does not read; these
            tensors are dropped.
        initialises (tuple[str]): keys of ``INITIALISERS``; the pair detectors that this box detector can become, the
            usual one first. Empty: it is a pair detector already. Default: none.
        configs (tuple[str]): names of the project's configs that its pair detectors fit, of equal ones the usual one
            first.
        settings (dict): what those configs must say besides for weights of this code base. Default: nothing.
        layout (Callable): gives a tensor with our name as our models want it. Default: as it is.
    """

    title: str
    marker: str
    rules: Rules
    initialises: tuple[str, ...] = ()
    unused: tuple[str, ...] = ()
    configs: tuple[str, ...] = ()
    settings: Mapping[str, object] = field(default_factory=dict)
    layout: Callable[[str, Tensor], Tensor] = lambda name, tensor: tensor


DETR_HEAD = (r"^((?:class|bbox)_embed)\.", r"\1.")
FROM_DETR = ("qpic", "cdn", "hotr", "genvlkt", "hoiclip", "detector")
# A HOICLIP holds the markers of GEN-VLKT and CDN too, a CDN that of QPIC, a Conditional DETR that of DETR, PViC on a
# deformable detector that of PViC, so they come first.
SOURCES = {
    "hoiclip": Source(
        "official HOICLIP",
        "transformer.clip_interaction_decoder.norm.weight",
        OFFICIAL_HOICLIP,
        unused=HOICLIP_UNUSED,
        configs=("hoiclip_hico_released", "hoiclip_vcoco"),
    ),
    "genvlkt": Source(
        "official GEN-VLKT",
        "pos_guided_embedd.weight",
        OFFICIAL_GENVLKT,
        configs=("genvlkt_s_hico", "genvlkt_s_vcoco"),
    ),
    "cdn_hqm": Source(
        "official HQM on CDN",
        "bbox_enc.layers.0.weight",
        OFFICIAL_CDN_HQM,
        configs=("cdn_s_hqm_hico", "cdn_s_hqm_vcoco"),
    ),
    "cdn": Source(
        "official CDN",
        "transformer.interaction_decoder.norm.weight",
        OFFICIAL_CDN,
        configs=tuple(f"cdn_{size}_{dataset}" for size in "sbl" for dataset in ("hico", "vcoco")),
    ),
    "qpic": Source(
        "official QPIC",
        "obj_class_embed.weight",
        OFFICIAL_QPIC,
        configs=("qpic_hico", "qpic_vcoco", "qpic_r101_hico", "qpic_hoia"),
    ),
    "hqm": Source(
        "official HQM on QPIC",
        "transformer.decoder.obj_class_embed.weight",
        OFFICIAL_HQM,
        configs=("qpic_hqm_hico", "qpic_hqm_vcoco"),
    ),
    "hotr": Source(
        "official HOTR",
        "H_Pointer_embed.layers.0.weight",
        OFFICIAL_HOTR,
        configs=("hotr_hico_released", "hotr_vcoco"),
    ),
    "tin": Source(
        "official TIN",
        "binary_classification.cls_score_binary.weight",
        OFFICIAL_TIN,
        configs=("tin_hico", "tin_vcoco"),
    ),
    "upt": Source(
        "official UPT",
        "interaction_head.box_pair_predictor.weight",
        OFFICIAL_UPT,
        configs=("upt_r50_hico", "upt_r50_vcoco"),
    ),
    "pvic_h_detr": Source(
        "official PViC on H-Deformable-DETR",
        "detector.transformer.level_embed",
        [*H_DETR_IN_PVIC, *PVIC_HEAD],
        unused=PVIC_UNUSED,
        configs=("pvic_h_detr_r50_hico", "pvic_h_detr_swin_l_hico"),
        # The official code trains and tests these models with states of other queries than the boxes'.
        settings={"model.instances.official_feature_index": True},
        layout=as_mmdet_merges,
    ),
    "pvic": Source(
        "official PViC",
        "ho_matcher.mmf.fc1.weight",
        OFFICIAL_PVIC,
        unused=PVIC_UNUSED,
        configs=("pvic_r50_hico", "pvic_r50_vcoco"),
    ),
    "detr": Source("official DETR, as initialisation", "class_embed.weight", [*OFFICIAL_DETR, DETR_HEAD], FROM_DETR),
    "h_detr": Source(
        "official H-Deformable-DETR, as detector of a two-stage model",
        "transformer.level_embed",
        OFFICIAL_H_DETR,
        ("h_detector",),
        layout=as_mmdet_merges,
    ),
    "mmdet_conditional_detr": Source(
        "mmdet Conditional DETR, as initialisation",
        "decoder.layers.0.cross_attn.qpos_sine_proj.weight",
        MMDET_CONDITIONAL,
        ("conditional",),
    ),
    "mmdet_detr": Source("mmdet DETR, as initialisation", "bbox_head.fc_cls.weight", MMDET_DETR, FROM_DETR),
}


def foreign_source(content) -> str | None:
    """Name of the code base that a file's content is of, where its keys can't be those of a model of ours.

    Files of mmdet are left out: its detectors share names with ours.

    Args:
        content: what the file holds: weights, alone or under ``model`` or ``state_dict``.
    """
    if not isinstance(content, Mapping):
        return None
    for key in ("model", "state_dict"):
        if isinstance(content.get(key), Mapping):
            content = content[key]
    names = {str(name).removeprefix("module.") for name in content}
    found = (name for name, source in SOURCES.items() if source.marker in names and not name.startswith("mmdet_"))
    return next(found, None)


def recognise(state: StateDict) -> str:
    """Name of the source whose marker the keys hold.

    Raises:
        ConversionError: no source fits, or the file is one of ours.
    """
    for name, source in SOURCES.items():
        if source.marker in state:
            return name
    if "bbox_head.obj_cls.weight" in state:
        raise ConversionError(
            "This is a checkpoint of hqm_mmdet; nothing to convert. `hqm-mmdet publish` writes it as .safetensors."
        )
    known = ", ".join(f"{source.title} ({source.marker})" for source in SOURCES.values())
    raise ConversionError(f"Checkpoint not recognised by its keys, e.g. {list(state)[:3]}. Known: {known}.")
