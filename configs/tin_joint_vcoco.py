# Second stage of TIN on V-COCO: HOI and interactiveness together, from the end of the first one.
_base_ = ["./tin_vcoco.py"]
load_from = "work_dirs/tin_hoi_vcoco/epoch_4.pth"
