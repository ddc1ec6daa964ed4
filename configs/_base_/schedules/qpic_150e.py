# DETR's recipe as QPIC uses it: 8 GPUs x 2 images, 150 epochs, learning rate / 10 after 100.
optim_wrapper = dict(
    type="OptimWrapper",
    optimizer=dict(type="FusedAdamW", lr=1e-4, weight_decay=1e-4),
    clip_grad=dict(max_norm=0.1, norm_type=2),
    paramwise_cfg=dict(custom_keys={"backbone": dict(lr_mult=0.1)}),
)
# A child with another schedule: dict(_base_.param_scheduler[0], end=..., milestones=[...]), as cdn_90e.py.
param_scheduler = [dict(type="MultiStepLR", by_epoch=True, begin=0, end=150, milestones=[100], gamma=0.1)]

# Validation every 5 epochs, every epoch after the drop.
train_cfg = dict(type="ResumableTrainLoop", max_epochs=150, val_interval=5, dynamic_intervals=[(101, 1)])
val_cfg = dict(type="ValLoop")
test_cfg = dict(type="TestLoop")

auto_scale_lr = dict(enable=False, base_batch_size=16)
