# Interactions without HOI training: boxes of a COCO detector, CLIP ViT-B/32 and prompts. Set the classes in the child.
_base_ = ["./detr_r50_instances.py"]
clip = "weights/ViT-B-32.pt"  # or a Hugging Face folder; docs/hoiclip.md says where to get it
model = dict(
    type="TwoStageHOI",
    # The image in RGB, as CLIP's own preprocessing takes it.
    data_preprocessor=dict(type="DetDataPreprocessor", bgr_to_rgb=True, pad_size_divisor=1),
    instances=dict(
        type="DetectorInstances",
        detector=_base_.instances.detector,
        checkpoint="weights/detr_r50_8xb2-150e_coco.pth",
    ),
    pair_sampler=dict(
        type="ThresholdPairs",
        sub_score_thr=0.5,
        obj_score_thr=0.3,
        max_subjects=15,
        max_objects=15,
        fallback=0,
        nms_iou=0.7,
    ),
    backbone=dict(type="RawImage"),
    pair_encoder=dict(type="CLIPCrops", clip=dict(size="ViT-B/32", weights=clip)),
    bbox_head=dict(type="CLIPPairHead", num_obj_classes=80, num_verbs=117, clip=clip, clip_dims=512),
)
