# Minutes on two CPU cores: from scratch, so the backbone learns as fast as the rest.
optim_wrapper = dict(
    type="OptimWrapper",
    optimizer=dict(type="AdamW", lr=5e-4, weight_decay=1e-4),
    clip_grad=dict(max_norm=0.1, norm_type=2),
)
param_scheduler = [
    dict(type="LinearLR", by_epoch=False, begin=0, end=100, start_factor=0.01),
    dict(type="MultiStepLR", by_epoch=True, begin=0, end=12, milestones=[10], gamma=0.1),
]

train_cfg = dict(type="ResumableTrainLoop", max_epochs=12, val_interval=3, dynamic_intervals=[(11, 1)])
val_cfg = dict(type="ValLoop")
test_cfg = dict(type="TestLoop")

auto_scale_lr = dict(enable=False, base_batch_size=8)
