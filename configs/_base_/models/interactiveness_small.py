# The interactiveness network of the small TIN.
_base_ = ["./tin_small.py"]
model = dict(
    type="Interactiveness",
    bbox_head=dict(
        _delete_=True,
        type="InteractivenessHead",
        region_channels=128,
        context_channels=96,
        layout_channels=2704,
        hidden_channels=64,
        pose_channels=(8, 8),
    ),
)
