"""Which checkpoint of a work folder to resume from."""

import logging
import math
import zipfile
from pathlib import Path

from mmengine.logging import print_log

from hqm_mmdet.safe_loading import CheckpointError, load_untrusted

RESUMABLE_KEYS = ("meta", "state_dict", "message_hub", "optimizer")


def find_latest_checkpoint(work_dir: str | Path, since: float = 0) -> str | None:
    """Newest complete training checkpoint of a run.

    mmengine trusts the file ``last_checkpoint``, which may be empty, stale or name a damaged file. Here the checkpoints
    themselves decide: newest first (by the time of saving they hold), the first complete one is taken. Files without
    optimizer (``best_*.pth``) can't be resumed from and are passed over.

    Args:
        work_dir (str | Path): where the run saved; a missing folder counts as empty.
        since (float): Unix time; what was saved before is passed over. Default: 0.

    Returns:
        str | None: its path; None if there is nothing to resume from. Damaged files are named in a warning.
    """
    dated = [(_saved_at(path), path) for path in _candidates(Path(work_dir))]
    for time, path in sorted(dated, key=lambda entry: (entry[0], entry[1].name), reverse=True):
        if time > 0 and time >= since and _is_intact(path):
            return str(path)
    return None


def _candidates(work_dir: Path) -> list[Path]:
    """Checkpoints of the folder, and of the folder that ``last_checkpoint`` names (``out_dir`` of the hook)."""
    folders = {work_dir}
    pointer = work_dir / "last_checkpoint"
    # A damaged pointer leads nowhere; the checkpoints of the work folder are found without it.
    named = pointer.read_text(encoding="utf-8", errors="replace").strip() if pointer.is_file() else ""
    if named and named.isprintable():
        folders.add(Path(named).parent)
    return [path for folder in folders for path in folder.glob("*.pth") if not path.name.startswith("best_")]


def _saved_at(path: Path) -> float:
    """Unix time of saving, 0 if the file is no training checkpoint; reads the header only."""
    try:
        # Mapped, not read: a folder holds several, of hundreds of megabytes each.
        checkpoint = load_untrusted(str(path), map_location="cpu", mmap=True)
    except CheckpointError as error:
        _warn(path, str(error))
        return 0.0
    if not isinstance(checkpoint, dict) or any(key not in checkpoint for key in RESUMABLE_KEYS):
        return 0.0
    meta = checkpoint["meta"] if isinstance(checkpoint["meta"], dict) else {}
    saved_at = meta.get("saved_at", path.stat().st_mtime)
    if not isinstance(saved_at, int | float) or not math.isfinite(saved_at):
        _warn(path, f"meta.saved_at is {saved_at!r}, no time")
        return 0.0
    return float(saved_at)


def _is_intact(path: Path) -> bool:
    """Whether every part of the file has its checksum."""
    # A file cut short while copying still has a readable header; only checksums tell.
    with zipfile.ZipFile(path) as archive:
        broken = archive.testzip()
    if broken:
        _warn(path, f"checksum of its part {broken} is wrong")
    return broken is None


def _warn(path: Path, problem: str) -> None:
    print_log(
        f"Checkpoint {path} is damaged and passed over; an older one is tried. ({problem})",
        logger="current",
        level=logging.WARNING,
    )
