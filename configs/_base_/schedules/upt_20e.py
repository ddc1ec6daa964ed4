# UPT's recipe: 8 GPUs x 2 images, 20 epochs, learning rate / 10 after 10. The detector is frozen.
optim_wrapper = dict(
    type="OptimWrapper",
    optimizer=dict(type="AdamW", lr=1e-4, weight_decay=1e-4),
    clip_grad=dict(max_norm=0.1, norm_type=2),
)
param_scheduler = [dict(type="MultiStepLR", by_epoch=True, begin=0, end=20, milestones=[10], gamma=0.1)]

train_cfg = dict(type="ResumableTrainLoop", max_epochs=20, val_interval=1)
val_cfg = dict(type="ValLoop")
test_cfg = dict(type="TestLoop")

auto_scale_lr = dict(enable=False, base_batch_size=16)
