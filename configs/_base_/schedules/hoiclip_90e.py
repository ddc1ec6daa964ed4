# HOICLIP: as CDN's first stage; officially 2 GPUs x 8 images. CLIP and the text classifiers do not learn.
_base_ = ["./cdn_90e.py"]
