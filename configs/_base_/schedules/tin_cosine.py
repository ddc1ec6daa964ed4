# TIN on HICO-DET, released code: one image per iteration, 2,000,000 iterations, cosine restarts whose periods double,
# from 80,000; the published model is that of iteration 1,700,000.
periods = [80000 * 2**i for i in range(5)]
optim_wrapper = dict(
    type="TensorClipOptimWrapper",
    max_norm=1.0,
    optimizer=dict(type="SGD", lr=1e-3, momentum=0.9),
)
param_scheduler = [
    dict(type="CosineRestartLR", by_epoch=False, periods=periods, restart_weights=[1.0] * len(periods), eta_min=0.0)
]
train_cfg = dict(type="ResumableTrainLoop", max_epochs=53, val_interval=5)
val_cfg = dict(type="ValLoop")
test_cfg = dict(type="TestLoop")
auto_scale_lr = dict(enable=False, base_batch_size=1)
