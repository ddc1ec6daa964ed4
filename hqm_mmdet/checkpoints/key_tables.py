"""How other code bases name what ours calls otherwise: (pattern, replacement) pairs, tried in order."""

import re

Rules = list[tuple[str, str]]


def layers(theirs: str, ours: str) -> Rules:
    """Rules of a transformer's encoder or decoder, given their and our prefix of it."""
    theirs = re.escape(theirs)
    parts = {
        "self_attn": "self_attn.attn",
        "multihead_attn": "cross_attn.attn",
        "linear1": "ffn.layers.0.0",
        "linear2": "ffn.layers.1",
        "norm1": "norms.0",
        "norm2": "norms.1",
        "norm3": "norms.2",
    }
    return [
        *((rf"^{theirs}layers\.(\d+)\.{part}\.", rf"{ours}layers.\1.{name}.") for part, name in parts.items()),
        (rf"^{theirs}norm\.", f"{ours}post_norm."),
    ]


OFFICIAL_DETR: Rules = [
    (r"^backbone\.0\.body\.", "backbone."),
    (r"^input_proj\.", "neck.convs.0.conv."),
    (r"^query_embed\.", "query_embedding."),
    *layers("transformer.encoder.", "encoder."),
    *layers("transformer.decoder.", "decoder."),
]

# QPIC keeps the heads beside the transformer.
OFFICIAL_QPIC: Rules = [
    *OFFICIAL_DETR,
    (r"^obj_class_embed\.", "bbox_head.obj_cls."),
    (r"^verb_class_embed\.", "bbox_head.verb_cls."),
    (r"^(sub|obj)_bbox_embed\.", r"bbox_head.\1_box."),
]

# HQM keeps the same heads, and the GBS encoder, inside the transformer's decoder and beside it.
OFFICIAL_HQM: Rules = [
    (r"^transformer\.decoder\.obj_class_embed\.", "bbox_head.obj_cls."),
    (r"^transformer\.decoder\.verb_class_embed\.", "bbox_head.verb_cls."),
    (r"^transformer\.decoder\.(sub|obj)_bbox_embed\.", r"bbox_head.\1_box."),
    (r"^query_embed_sp\.", "query_mining.miners.gbs.mlp."),
    *OFFICIAL_DETR,
]

# CDN is a QPIC with a second decoder; HQM on it adds the GBS encoder.
OFFICIAL_CDN: Rules = [*OFFICIAL_QPIC, *layers("transformer.interaction_decoder.", "interaction_decoder.")]
OFFICIAL_CDN_HQM: Rules = [*OFFICIAL_CDN, (r"^bbox_enc\.", "query_mining.miners.gbs.mlp.")]

# HOTR holds a whole DETR, and its encoder a second time as part of the interaction transformer.
OFFICIAL_HOTR: Rules = [
    (r"^detr\.backbone\.0\.body\.", "backbone."),
    (r"^detr\.input_proj\.", "neck.convs.0.conv."),
    (r"^detr\.query_embed\.", "instance_queries."),
    *layers("detr.transformer.encoder.", "encoder."),
    *layers("interaction_transformer.encoder.", "encoder."),
    *layers("detr.transformer.decoder.", "instance_decoder."),
    *layers("interaction_transformer.decoder.", "decoder."),
    (r"^detr\.class_embed\.", "bbox_head.instance_head.cls."),
    (r"^detr\.bbox_embed\.", "bbox_head.instance_head.box."),
    (r"^query_embed\.", "query_embedding."),
    (r"^H_Pointer_embed\.", "bbox_head.sub_pointer."),
    (r"^O_Pointer_embed\.", "bbox_head.obj_pointer."),
    (r"^action_embed\.", "bbox_head.verb_cls."),
]

# GEN-VLKT finds subject and object with queries of their own.
OFFICIAL_GENVLKT: Rules = [
    (r"^query_embed_h\.", "subject_embedding."),
    (r"^query_embed_o\.", "object_embedding."),
    (r"^pos_guided_embedd\.", "query_embedding."),
    *layers("transformer.instance_decoder.", "decoder."),
    *layers("transformer.interaction_decoder.", "interaction_decoder."),
    (r"^hum_bbox_embed\.", "bbox_head.sub_box."),
    (r"^obj_bbox_embed\.", "bbox_head.obj_box."),
    (r"^obj_class_fc\.", "bbox_head.obj_proj."),
    (r"^hoi_class_fc\.", "bbox_head.hoi_proj."),
    (r"^obj_visual_projection\.", "bbox_head.obj_cls."),
    (r"^visual_projection\.", "bbox_head.hoi_cls."),
    (r"^eval_visual_projection\.", "bbox_head.all_hoi_cls."),
    (r"^obj_logit_scale$", "bbox_head.obj_scale"),
    (r"^logit_scale$", "bbox_head.hoi_scale"),
    *OFFICIAL_DETR,
]

# HOICLIP is a GEN-VLKT with another interaction decoder; the one of GEN-VLKT and its projection are there, unused.
OFFICIAL_HOICLIP: Rules = [
    *layers("transformer.clip_interaction_decoder.", "interaction_decoder."),
    (r"^transformer\.queries2spacial_proj\.", "interaction_decoder.query_proj.0."),
    (r"^transformer\.queries2spacial_proj_norm\.", "interaction_decoder.query_proj.1."),
    (r"^transformer\.obj_class_fc\.", "interaction_decoder.memory_proj.0."),
    (r"^transformer\.obj_class_ln\.", "interaction_decoder.memory_proj.1."),
    (r"^clip_model\.visual\.", "clip."),
    (r"^inter2verb\.", "bbox_head.verb_adapter."),
    (r"^verb_projection\.", "bbox_head.verb_cls."),
    (r"^verb2hoi_proj_eval$", "bbox_head.verb_to_all_hois"),
    (r"^verb2hoi_proj$", "bbox_head.verb_to_hoi"),
    *OFFICIAL_GENVLKT,
]
HOICLIP_UNUSED = (
    r"^transformer\.(interaction_decoder|inter_guided_embedd)\.",
    r"^transformer\.clip_interaction_decoder\.layers\.\d+\.norm4\.",
    r"^hoi_class_fc\.",
    r"^clip_model\.(?!visual\.)",  # the text tower has done its work when the classifiers are there
)

# mmdet's DETR already has our names; only its head differs, and is rebuilt by the initialisation.
MMDET_DETR: Rules = [
    (r"^(backbone|neck|query_embedding|encoder|decoder)\.", r"\1."),
    (r"^bbox_head\.fc_cls\.", "class_embed."),
    (r"^bbox_head\.reg_ffn\.layers\.0\.0\.", "bbox_embed.layers.0."),
    (r"^bbox_head\.reg_ffn\.layers\.1\.", "bbox_embed.layers.1."),
    (r"^bbox_head\.fc_reg\.", "bbox_embed.layers.2."),
]

# mmdet's Conditional DETR keeps the projections in the attention itself, ours in its `attn`.
MMDET_CONDITIONAL: Rules = [(r"^(decoder\.layers\.\d+\.(?:self|cross)_attn)\.", r"\1.attn."), *MMDET_DETR]

# DETR's class layer has 91 + 1 rows; those of the COCO ids that a category uses, and of "no object":
UNUSED_COCO_IDS = (12, 26, 29, 30, 45, 66, 68, 69, 71, 83)
USED_ROWS = [*(i for i in range(1, 91) if i not in UNUSED_COCO_IDS), 91]


def _slim_stage(block: int, ours: str, num_units: int) -> Rules:
    """Rules of a stage of slim's ResNet; ``bottleneck_v1/BatchNorm`` follows each convolution."""
    rules = []
    for unit in range(num_units):
        theirs = rf"^resnet_v1_50\.block{block}\.unit_{unit + 1}\.bottleneck_v1"
        rules += [
            (rf"{theirs}\.conv(\d)\.BatchNorm\.", rf"{ours}.{unit}.bn\1."),
            (rf"{theirs}\.conv(\d)\.", rf"{ours}.{unit}.conv\1."),
            (rf"{theirs}\.shortcut\.BatchNorm\.", f"{ours}.{unit}.downsample.1."),
            (rf"{theirs}\.shortcut\.", f"{ours}.{unit}.downsample.0."),
        ]
    return rules


# TIN's TensorFlow variables, `/` read as `.`, in PyTorch's layout (checkpoints/tensorflow.py).
OFFICIAL_TIN: Rules = [
    (r"^resnet_v1_50\.conv1\.BatchNorm\.", "backbone.bn1."),
    (r"^resnet_v1_50\.conv1\.", "backbone.conv1."),
    *(rule for b, n in enumerate((3, 4, 6), 1) for rule in _slim_stage(b, f"backbone.layer{b}", n)),
    *_slim_stage(4, "pair_encoder.sub_stream", 3),
    *_slim_stage(5, "pair_encoder.obj_stream", 3),
    (r"^resnet_v1_50\.conv(\d)_sp\.", r"pair_encoder.layout_net.conv\1."),
    (r"^head_phi\.", "pair_encoder.context.key."),
    (r"^head_g\.", "pair_encoder.context.value."),
    (r"^Att_H\.fc1_b\.", "pair_encoder.context.sub_query."),
    (r"^Att_O\.fc1_b\.", "pair_encoder.context.obj_query."),
    (r"^bottleneck\.bottleneck\.", "pair_encoder.context.out."),
    # The hidden layers of H, O, S: a dropout and a ReLU lie between the two.
    (r"^fc8_SH\.", "bbox_head.sub_fc.0."),
    (r"^fc9_SH\.", "bbox_head.sub_fc.3."),
    (r"^fc8_SO\.", "bbox_head.obj_fc.0."),
    (r"^fc9_SO\.", "bbox_head.obj_fc.3."),
    (r"^Concat_SHsp\.", "bbox_head.layout_fc.0."),
    (r"^fc7_SHsp\.", "bbox_head.layout_fc.3."),
    (r"^classification\.cls_score_H\.", "bbox_head.sub_cls."),
    (r"^classification\.cls_score_O\.", "bbox_head.obj_cls."),
    (r"^classification\.cls_score_sp\.", "bbox_head.layout_cls."),
    (r"^fc_binary\.conv(\d)_pose_map\.", r"bbox_head.interactiveness.pose_net.conv\1."),
    (r"^fc_binary\.fc8_binary_1\.", "bbox_head.interactiveness.sub_fc."),
    (r"^fc_binary\.fc8_binary_2\.", "bbox_head.interactiveness.obj_fc."),
    (r"^fc_binary\.fc9_binary\.", "bbox_head.interactiveness.fc."),
    (r"^binary_classification\.cls_score_binary\.", "bbox_head.interactiveness.score."),
]


def _detr_instances(theirs: str, ours: str) -> Rules:
    """Rules of a whole DETR with its own head, given prefixes; ours is mmdet's."""
    inner = [
        *OFFICIAL_DETR,
        (r"^class_embed\.", "bbox_head.fc_cls."),
        (r"^bbox_embed\.layers\.0\.", "bbox_head.reg_ffn.layers.0.0."),
        (r"^bbox_embed\.layers\.1\.", "bbox_head.reg_ffn.layers.1."),
        (r"^bbox_embed\.layers\.2\.", "bbox_head.fc_reg."),
    ]
    return with_prefixes(inner, theirs, ours)


def with_prefixes(rules: Rules, theirs: str, ours: str) -> Rules:
    """Rules of a model that is a part of another one."""
    theirs = re.escape(theirs)
    return [(pattern.replace("^", f"^{theirs}", 1), ours + replacement) for pattern, replacement in rules]


UPT_COOP = r"^interaction_head\.coop_layer\.mod_enc\.(\d+)\."
UPT_COMP = r"^interaction_head\.comp_layer\."
OFFICIAL_UPT: Rules = [
    *_detr_instances("detector.", "instances.detector."),
    (rf"{UPT_COOP}ffn\.ffn\.0\.", r"bbox_head.coop_layers.\1.ffn.fc1."),
    (rf"{UPT_COOP}ffn\.ffn\.2\.", r"bbox_head.coop_layers.\1.ffn.fc2."),
    (UPT_COOP, r"bbox_head.coop_layers.\1."),
    (rf"{UPT_COMP}attention\.attention\.(query|key|value)\.", r"bbox_head.comp_layer.attention.attn.\1."),
    (rf"{UPT_COMP}attention\.output\.aggregate\.", "bbox_head.comp_layer.attention.attn.out_proj."),
    (rf"{UPT_COMP}attention\.output\.norm\.", "bbox_head.comp_layer.norm."),
    (rf"{UPT_COMP}ffn\.ffn\.0\.", "bbox_head.comp_layer.ffn.fc1."),
    (rf"{UPT_COMP}ffn\.ffn\.2\.", "bbox_head.comp_layer.ffn.fc2."),
    (rf"{UPT_COMP}ffn\.norm\.", "bbox_head.comp_layer.ffn.norm."),
    (r"^interaction_head\.mbf\.", "bbox_head.fusion."),
    (r"^interaction_head\.mbf_g\.", "bbox_head.map_fusion."),
    (r"^interaction_head\.box_pair_predictor\.", "bbox_head.verb_cls."),
    (r"^interaction_head\.spatial_head\.", "bbox_head.spatial_head."),
]

PVIC_ENCODER = r"^ho_matcher\.encoder\.layers\.(\d+)\."
PVIC_DECODER = r"^decoder\.layers\.(\d+)\."
PVIC_PARTS = dict(q="query", k="key", v="value", qpos="query_pos", kpos="key_pos")
PVIC_SWIN = r"^feature_head\.layers\.1\.blocks\.(\d+)\."
PVIC_HEAD: Rules = [
    (r"^ho_matcher\.(ref_anchor_head|spatial_head)\.", r"bbox_head.\1."),
    *(
        (rf"{PVIC_ENCODER}{theirs}_proj\.", rf"bbox_head.encoder.\1.attention.attn.{ours}.")
        for theirs, ours in PVIC_PARTS.items()
    ),
    (rf"{PVIC_ENCODER}attn\.out_proj\.", r"bbox_head.encoder.\1.attention.attn.out_proj."),
    (rf"{PVIC_ENCODER}ln1\.", r"bbox_head.encoder.\1.norm."),
    (rf"{PVIC_ENCODER}ln2\.", r"bbox_head.encoder.\1.ffn.norm."),
    (rf"{PVIC_ENCODER}ffn\.0\.", r"bbox_head.encoder.\1.ffn.fc1."),
    (rf"{PVIC_ENCODER}ffn\.3\.", r"bbox_head.encoder.\1.ffn.fc2."),
    (r"^ho_matcher\.mmf\.", "bbox_head.pair_fusion."),
    # torchvision from 0.13 on wraps each convolution of its pyramid once more.
    (r"^feature_head\.fpn\.inner_blocks\.(\d+)\.(?:0\.)?(weight|bias)$", r"bbox_head.map_head.inner.\1.\2"),
    (r"^feature_head\.fpn\.layer_blocks\.0\.(?:0\.)?(weight|bias)$", r"bbox_head.map_head.output.\1"),
    (rf"{PVIC_SWIN}(attn|norm1|norm2)\.", r"bbox_head.map_head.blocks.\1.\2."),
    (rf"{PVIC_SWIN}mlp\.0\.", r"bbox_head.map_head.blocks.\1.fc1."),
    (rf"{PVIC_SWIN}mlp\.3\.", r"bbox_head.map_head.blocks.\1.fc2."),
    *(
        (rf"{PVIC_DECODER}{prefix}_{theirs}_proj\.", rf"bbox_head.decoder.layers.\1.{attention}.attn.{ours}.")
        for prefix, attention in (("q_attn", "self_attn"), ("qk_attn", "cross_attn"))
        for theirs, ours in PVIC_PARTS.items()
    ),
    (rf"{PVIC_DECODER}q_attn\.out_proj\.", r"bbox_head.decoder.layers.\1.self_attn.attn.out_proj."),
    (rf"{PVIC_DECODER}qk_attn\.out_proj\.", r"bbox_head.decoder.layers.\1.cross_attn.attn.out_proj."),
    (rf"{PVIC_DECODER}ln([12])\.", r"bbox_head.decoder.layers.\1.norm\2."),
    (rf"{PVIC_DECODER}ln3\.", r"bbox_head.decoder.layers.\1.ffn.norm."),
    (rf"{PVIC_DECODER}ffn\.0\.", r"bbox_head.decoder.layers.\1.ffn.fc1."),
    (rf"{PVIC_DECODER}ffn\.3\.", r"bbox_head.decoder.layers.\1.ffn.fc2."),
    (r"^decoder\.norm\.", "bbox_head.decoder.norm."),
    (r"^binary_classifier\.", "bbox_head.verb_cls."),
]
OFFICIAL_PVIC: Rules = [*_detr_instances("detector.", "instances.detector."), *PVIC_HEAD]
PVIC_UNUSED = (
    r"^feature_head\..*\.attn\.relative_(coords_table|position_index)$",  # computed
    r"^feature_head\.fpn\.layer_blocks\.[1-9]",  # of coarser levels, whose output nobody reads
)
