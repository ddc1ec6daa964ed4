# HOTR as its paper trains it, on the toy set: the instance branch is there already (`load_from`) and stays as it is.
_base_ = ["../hotr_toy.py"]
model = dict(freeze_instances=True)
