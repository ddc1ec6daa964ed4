# CDN-S, ResNet-50, V-COCO: 8 GPUs x 2 images, 90 epochs, 100 queries; then cdn_s_reweight_vcoco.py.
_base_ = [
    "./_base_/models/cdn_r50.py",
    "./_base_/datasets/v_coco.py",
    "./_base_/schedules/cdn_90e.py",
    "./_base_/default_runtime.py",
]
# 80 object classes and, as last class, "the pair has no object".
model = dict(num_queries=100, bbox_head=dict(num_obj_classes=81, num_verbs=29))
val_evaluator = dict(pair_nms=dict(threshold=0.7, alpha=1.0, beta=0.5))
test_evaluator = val_evaluator
default_hooks = dict(checkpoint=dict(save_best="vcoco/role_s1"))
