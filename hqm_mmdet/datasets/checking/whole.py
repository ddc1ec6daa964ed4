"""What shows in a whole split only."""

from .findings import SplitReport
from .kinds import CORNER_AND_SIZE, MANY_INVERTED, NO_HOI_AT_ALL


def check_whole(report: SplitReport) -> None:
    """Note what is wrong with a split as a whole, once its entries are checked."""
    if report.entries and not any(entry.hois for entry in report.entries):
        boxes = sum(len(entry.boxes) for entry in report.entries)
        detail = f"{len(report.entries)} images with {boxes} boxes; did a converter lose hoi_annotation?"
        report.add_to_whole(NO_HOI_AT_ALL, detail)
    boxes = [box for entry in report.entries for box, _ in entry.boxes.values()]
    inverted = sum(x2 < x1 or y2 < y1 for x1, y1, x2, y2 in boxes)
    if inverted > MANY_INVERTED * len(boxes):
        detail = f"{inverted} of {len(boxes)} boxes; if so, write x1, y1, x1 + width, y1 + height (docs/own_data.md)"
        report.add_to_whole(CORNER_AND_SIZE, detail)
