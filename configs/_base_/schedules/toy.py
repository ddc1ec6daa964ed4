# Minutes on two CPU cores: from scratch, so the backbone learns as fast as the rest.
max_epochs = 23
optim_wrapper = dict(
    type="OptimWrapper",
    optimizer=dict(type="FusedAdamW", lr=4e-4, weight_decay=1e-4),
    clip_grad=dict(max_norm=1.0, norm_type=2),
)
param_scheduler = [
    dict(type="LinearLR", by_epoch=False, begin=0, end=200, start_factor=0.05),
    dict(type="MultiStepLR", by_epoch=True, begin=0, end=max_epochs, milestones=[16, 20], gamma=0.3),
]

train_cfg = dict(type="ResumableTrainLoop", max_epochs=max_epochs, val_interval=23)
val_cfg = dict(type="ValLoop")
test_cfg = dict(type="TestLoop")

auto_scale_lr = dict(enable=False, base_batch_size=16)
