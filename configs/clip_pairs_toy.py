# A stand-in for CLIP on annotated pairs of the toy set, without HOI training; tools/clip/train_toy_clip.py makes it.
_base_ = [
    "./_base_/models/clip_pairs.py",
    "./_base_/datasets/toy_hoi.py",
    "./_base_/schedules/toy.py",
    "./_base_/default_runtime.py",
]
clip = "weights/toy_clip.safetensors"
model = dict(
    instances=dict(_delete_=True, type="AnnotatedInstances"),
    # As the stand-in was trained: tight crops, and no prompt of doing nothing.
    pair_encoder=dict(
        margin=0.0,
        square=False,
        clip=dict(
            _delete_=True,
            size=dict(
                image_size=64,
                patch_size=16,
                vision_width=64,
                vision_layers=2,
                text_width=64,
                text_layers=1,
                embed_dims=64,
            ),
            weights=clip,
        ),
    ),
    bbox_head=dict(num_obj_classes=8, num_verbs=11, hois="toy_hoi", clip=clip, clip_dims=64, neutral=None),
)
