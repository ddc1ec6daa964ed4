# Alternate joint learning: HQM as proposed, on the toy set (`make study`).
_base_ = ["../qpic_hqm_toy.py"]
