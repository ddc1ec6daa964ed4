# The authors' released combination with CDN: box shifting alone, and a mild one (docs/hqm.md lists the differences).
_base_ = ["../cdn_s_hqm_hico.py"]
model = dict(
    query_mining=dict(
        miners=dict(gbs=dict(shift=dict(_delete_=True, type="JitterBoxShift"), verb_weight=2.0, mask_padding=False)),
        rounds=[["gbs"]],
    )
)
