# HQM as proposed: GBS and AMM in turn. Any detector takes it with `model = dict(query_mining=_base_.query_mining)`.
query_mining = dict(
    type="JointLearning",
    miners=dict(
        gbs=dict(type="GBSQueryGenerator", shift=dict(type="IoUBoxShift", iou_range=(0.4, 0.6))),
        amm=dict(type="AMMQueryGenerator", top_k=100, gamma=0.4),
    ),
    rounds=[["gbs"], ["amm"]],
)
custom_hooks = [dict(type="AJLHook")]
