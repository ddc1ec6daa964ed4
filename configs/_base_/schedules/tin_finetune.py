# TIN on V-COCO, released code: fine-tuning of iCAN's weights, one image per iteration, 20,000 iterations; the published
# model is that of iteration 6,000. The learning rate falls by 4 per cent at iteration 20,000 only.
_base_ = ["./tin_cosine.py"]
optim_wrapper = dict(optimizer=dict(lr=2e-6))
param_scheduler = [dict(type="StepLR", by_epoch=False, step_size=20000, gamma=0.96)]
train_cfg = dict(max_epochs=4, val_interval=1)
