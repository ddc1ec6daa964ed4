# QPIC, ResNet-50, V-COCO: 8 GPUs x 2 images, 150 epochs. Published: 58.8 AP_role (scenario 1).
_base_ = [
    "./_base_/models/qpic_r50.py",
    "./_base_/datasets/v_coco.py",
    "./_base_/schedules/qpic_150e.py",
    "./_base_/default_runtime.py",
]
# 80 object classes and, as last class, "the pair has no object".
model = dict(bbox_head=dict(num_obj_classes=81, num_verbs=29))
default_hooks = dict(checkpoint=dict(save_best="vcoco/role_s1"))
