# TIN on ResNet-50 at stride 16, boxes from a detection file. Set the head's classes in the child.
# Meant to start from a ResNet as TensorFlow slim builds it (model.backbone.init_cfg), or from a TIN (load_from).
needs_start = "tin"
model = dict(
    type="TwoStageHOI",
    data_preprocessor=dict(
        type="DetDataPreprocessor",
        mean=[102.9801, 115.9465, 122.7717],
        std=[1.0, 1.0, 1.0],
        bgr_to_rgb=False,
        pad_size_divisor=1,
    ),
    instances=dict(type="StoredInstances"),
    pair_sampler=dict(type="ThresholdPairs", sub_score_thr=0.8, obj_score_thr=0.3, fallback=4),
    training_pairs=dict(type="JitteredPairs", jitter=dict(num_copies=15), max_pairs=5, num_negatives=60),
    backbone=dict(
        type="SlimResNet",
        depth=50,
        frozen_stages=1,
        norm_cfg=dict(type="BN", requires_grad=False),
        norm_eval=True,
    ),
    pair_encoder=dict(type="PairEncoder"),
    bbox_head=dict(type="TINHead", num_obj_classes=80, num_verbs=117, interactiveness=dict()),
)
