"""What of an entry can be read."""

from dataclasses import dataclass, field


@dataclass
class CheckedEntry:
    """The readable part of an entry.

    Args:
        position (int): in the file.
        file_name (str): of the image; empty if not even that can be read.
        boxes (dict): (box as x1, y1, x2, y2 in pixels, label) by position in the entry; also unsound ones.
        hois (dict): (subject, object or -1, verb) by position in the entry; indices are in range.
        size (tuple[int, int], optional): width and height of the image, once its file has been read.
    """

    position: int
    file_name: str = ""
    boxes: dict[int, tuple[list[float], int]] = field(default_factory=dict)
    hois: dict[int, tuple[int, int, int]] = field(default_factory=dict)
    size: tuple[int, int] | None = None

    @property
    def place(self) -> str:
        """``entry 3 (a.png)``."""
        return f"entry {self.position} ({self.file_name})" if self.file_name else f"entry {self.position}"
