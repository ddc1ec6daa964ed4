# GEN-VLKT: CDN's first stage; rows of the text classifiers learn with a tenth of the rate.
_base_ = ["./cdn_90e.py"]
optim_wrapper = dict(
    paramwise_cfg=dict(
        custom_keys={"hoi_cls": dict(lr_mult=0.1), "obj_cls": dict(lr_mult=0.1)},
    ),
)
