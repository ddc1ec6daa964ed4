# HOTR + HQM, ResNet-50, V-COCO. The paper gives no number for it.
_base_ = ["./hotr_vcoco.py", "./_base_/query_mining/ajl.py"]
model = dict(query_mining=_base_.query_mining)
