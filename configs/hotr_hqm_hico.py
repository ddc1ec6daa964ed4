# HOTR + HQM, ResNet-50, HICO-DET. Published: 25.69 mAP (default, full); its baseline 23.46. The paper gives no schedule
# for HOTR, so it is HOTR's own.
_base_ = ["./hotr_hico.py", "./_base_/query_mining/ajl.py"]
model = dict(query_mining=_base_.query_mining)
