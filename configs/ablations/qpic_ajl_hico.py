# Table 1, alternate joint learning: HQM as proposed. Published: 31.34 mAP.
_base_ = ["../qpic_hqm_hico.py"]
