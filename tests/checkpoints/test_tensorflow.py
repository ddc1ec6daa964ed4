import numpy as np
import pytest
import torch

from hqm_mmdet.checkpoints import convert_checkpoint
from hqm_mmdet.checkpoints.tensorflow import from_tensorflow, read_npz
from hqm_mmdet.safe_loading import CheckpointError, load_untrusted
from tests.models.reference import official_weights


def to_tensorflow(state):
    """What TensorFlow would call and how it would lay out PyTorch's tensors."""
    variables = {}
    for name, tensor in state.items():
        scope, _, last = name.rpartition(".")
        norm = scope.endswith("BatchNorm")
        names = dict(weight="gamma" if norm else "weights", bias="beta" if norm else "biases")
        names |= dict(running_mean="moving_mean", running_var="moving_variance")
        order = {4: (2, 3, 1, 0), 2: (1, 0)}.get(tensor.dim(), range(tensor.dim()))
        variables[f"{scope.replace('.', '/')}/{names[last]}"] = tensor.numpy().transpose(order)
    return variables


def test_names_and_layout():
    state = {
        "a.conv1.weight": torch.randn(4, 3, 5, 7),
        "a.conv1.BatchNorm.weight": torch.randn(4),
        "a.conv1.BatchNorm.running_var": torch.rand(4),
        "fc.weight": torch.randn(6, 2),
        "fc.bias": torch.randn(6),
    }
    back = from_tensorflow(to_tensorflow(state) | {"fc/weights/Momentum": np.ones((2, 6)), "global_step": np.int64(3)})
    assert set(back) == set(state) and all(torch.equal(back[name], state[name]) for name in state)


def test_a_batch_norm_of_a_fully_connected_layer_becomes_part_of_it():
    norm = {
        "fc/BatchNorm/gamma": np.array([2.0, 1.0], np.float32),
        "fc/BatchNorm/beta": np.zeros(2, np.float32),
        "fc/BatchNorm/moving_mean": np.zeros(2, np.float32),
        "fc/BatchNorm/moving_variance": np.ones(2, np.float32),
    }
    state = from_tensorflow({"fc/weights": np.ones((3, 2), np.float32), **norm})
    assert set(state) == {"fc.weight"}
    torch.testing.assert_close(state["fc.weight"], torch.tensor([[2.0], [1.0]]).repeat(1, 3) / (1 + 1e-5) ** 0.5)
    norm["fc/BatchNorm/beta"] = np.ones(2, np.float32)
    with pytest.raises(ValueError, match="fc/BatchNorm was trained"):
        from_tensorflow({"fc/weights": np.ones((3, 2), np.float32), **norm})


@pytest.mark.parity
def test_official_variables_become_a_checkpoint(reference_dir, tmp_path):
    weights = official_weights(reference_dir, "tin", "network_vcoco")
    np.savez(tmp_path / "tin.npz", **to_tensorflow(weights))
    report = convert_checkpoint(tmp_path / "tin.npz", tmp_path / "tin.pth")
    assert report.source == "tin" and not report.dropped
    converted = load_untrusted(tmp_path / "tin.pth")["state_dict"]
    for old, new in report.renamed.items():
        assert torch.equal(converted[new], weights[old]), old


def test_files_that_hold_objects_are_refused(tmp_path):
    np.savez(tmp_path / "objects.npz", a=np.array([object()]))
    with pytest.raises(CheckpointError, match="objects.npz"):
        read_npz(tmp_path / "objects.npz")
    (tmp_path / "text.npz").write_text("no archive")
    with pytest.raises(CheckpointError, match="text.npz"):
        read_npz(tmp_path / "text.npz")
    with pytest.raises(FileNotFoundError, match="none.npz"):
        read_npz(tmp_path / "none.npz")
