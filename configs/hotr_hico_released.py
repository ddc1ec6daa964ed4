# HOTR with what its released code does otherwise: labels of the wrong numbering in the instance matching, a dummy pair
# in images without any, dropout in the frozen DETR. For comparison with published checkpoints. (The fourth, an
# interaction decoder that starts at random, is an option of the converter.)
_base_ = ["./hotr_hico.py"]
model = dict(frozen_dropout=True, bbox_head=dict(instance_head=dict(labels_as_columns=True), dummy_pairs=True))
