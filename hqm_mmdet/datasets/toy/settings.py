"""What can be chosen about a ToyHOI data set."""

from dataclasses import dataclass

from hqm_mmdet.errors import ConfigError


@dataclass(frozen=True)
class ToySettings:
    """Settings of :func:`make_toy_hoi`; equal settings give equal files.

    Boxes and labels are the same everywhere; pixels may differ by rounding between versions of
    OpenCV.

    Args:
        num_train: number of training images.
        num_test: number of test images.
        seed: image ``i`` of a split depends on (seed, split, i) and the fields below only.
        min_size: shortest image side in pixels.
        max_size: longest image side in pixels; both sides are drawn independently.
        position_shift: training groups lie mainly in the lower left of the image, test groups in
            the upper right. Otherwise both splits cover the image evenly.
        tail_exponent: the rarest triplet is drawn ``exp(tail_exponent)`` times less often than
            the most frequent one in the training split.
        test_tail_exponent: the same for the test split. Flatter by default, so that the average
            precision of a triplet that is rare in training rests on more than one instance.

    Raises:
        ConfigError: A field is out of range.
    """

    num_train: int = 2000
    num_test: int = 400
    seed: int = 0
    min_size: int = 104
    max_size: int = 128
    position_shift: bool = False
    tail_exponent: float = 4.5
    test_tail_exponent: float = 1.0

    def __post_init__(self) -> None:
        for name in ("num_train", "num_test", "seed", "tail_exponent", "test_tail_exponent"):
            if getattr(self, name) < 0:
                raise ConfigError(f"ToySettings.{name} must not be negative: {getattr(self, name)}")
        if not 96 <= self.min_size <= self.max_size:
            raise ConfigError(
                "ToySettings needs 96 <= min_size <= max_size (smaller figures cannot be told "
                f"apart), got min_size={self.min_size}, max_size={self.max_size}"
            )
