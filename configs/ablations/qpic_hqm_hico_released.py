# The choices of the authors' released code, wherever it differs from the paper (docs/hqm.md lists the differences).
_base_ = ["../qpic_hqm_hico.py"]
model = dict(
    query_mining=dict(
        miners=dict(
            gbs=dict(shift=dict(_delete_=True, type="ReleasedBoxShift", iou_range=(0.4, 0.6)), loss_weight=0.8),
            amm=dict(copies="all", shared_draw=True, post_norm=False, loss_weight=0.8),
        )
    )
)
custom_hooks = [dict(type="AJLHook", restart=True)]
param_scheduler = [dict(_base_.param_scheduler[0], end=80, milestones=[55])]
train_cfg = dict(dynamic_intervals=[(56, 1)])
