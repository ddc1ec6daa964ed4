# AMM only, on Conditional DETR for pairs. Not in the paper.
_base_ = ["../conditional_hqm_hico.py"]
model = dict(query_mining=dict(rounds=[["amm"]]))
