# RTMDet-l on HICO-DET's boxes, for configs/upt_rtmdet_hico.py: 8 GPUs x 2 images, 30 epochs from COCO weights. Nobody
# has published a recipe; the learning rate is that of fine-tuning elsewhere here.
_base_ = ["./detr_r50_hico.py", "../_base_/models/rtmdet_l_instances.py"]
model = dict(
    _delete_=True,
    train_cfg=dict(assigner=dict(type="DynamicSoftLabelAssigner", topk=13), allowed_border=-1, pos_weight=-1),
    **_base_.rtmdet_l.detector,
)
load_from = "weights/rtmdet_l_8xb32-300e_coco.pth"
optim_wrapper = dict(optimizer=dict(lr=1e-4))
