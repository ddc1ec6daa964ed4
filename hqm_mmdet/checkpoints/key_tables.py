"""How other code bases name what ours calls otherwise: (pattern, replacement) pairs, tried in order."""

Rules = list[tuple[str, str]]

OFFICIAL_DETR: Rules = [
    (r"^backbone\.0\.body\.", "backbone."),
    (r"^input_proj\.", "neck.convs.0.conv."),
    (r"^query_embed\.", "query_embedding."),
    (r"^transformer\.(encoder|decoder)\.layers\.(\d+)\.self_attn\.", r"\1.layers.\2.self_attn.attn."),
    (r"^transformer\.decoder\.layers\.(\d+)\.multihead_attn\.", r"decoder.layers.\1.cross_attn.attn."),
    (r"^transformer\.(encoder|decoder)\.layers\.(\d+)\.linear1\.", r"\1.layers.\2.ffn.layers.0.0."),
    (r"^transformer\.(encoder|decoder)\.layers\.(\d+)\.linear2\.", r"\1.layers.\2.ffn.layers.1."),
    (r"^transformer\.(encoder|decoder)\.layers\.(\d+)\.norm1\.", r"\1.layers.\2.norms.0."),
    (r"^transformer\.(encoder|decoder)\.layers\.(\d+)\.norm2\.", r"\1.layers.\2.norms.1."),
    (r"^transformer\.decoder\.layers\.(\d+)\.norm3\.", r"decoder.layers.\1.norms.2."),
    (r"^transformer\.decoder\.norm\.", "decoder.post_norm."),
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

# DETR's class layer has 91 + 1 rows; the COCO ids that no category uses:
UNUSED_COCO_IDS = (12, 26, 29, 30, 45, 66, 68, 69, 71, 83)
