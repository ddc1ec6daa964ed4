"""What is wrong with an annotation file: one error, or one report with counts."""

import logging
from dataclasses import dataclass

from mmengine.logging import print_log

from hqm_mmdet.errors import UserError


class AnnotationError(UserError, ValueError):
    """An annotation file or class table can't be used; the message names file, entry, field and remedy.

    Args:
        message (str): all of it.
        problem (str): the part of the message without file and entry.
    """

    def __init__(self, message: str, problem: str = ""):
        super().__init__(message)
        # The checker names file and entry itself and wants the rest only.
        self.problem = problem or message


@dataclass
class _Finding:
    """How often something was found, where first, and whether strict mode forbids it."""

    first: str
    defect: bool
    count: int = 0


class ProblemReport:
    """Collects what can't be used of an annotation file.

    Args:
        file (str): the annotation file, for messages.
        strict (bool): make the first defect fatal.
    """

    STRICT_HINT = (
        "strict=True (`--cfg-options train_dataloader.dataset.strict=True`) stops at the first defect instead."
    )

    def __init__(self, file: str, strict: bool = False):
        self.file = file
        self.strict = strict
        self.findings: dict[str, _Finding] = {}

    @property
    def counts(self) -> dict[str, int]:
        """How often each kind of thing was found."""
        return {kind: finding.count for kind, finding in self.findings.items()}

    def error(self, entry: int, name: str, problem: str, remedy: str) -> AnnotationError:
        """The error to raise for an entry.

        Args:
            entry (int): position in the file, from 0.
            name (str): its image.
            problem (str): field and value.
            remedy (str): what to do.
        """
        return AnnotationError(f"{self.file}: entry {entry} ({name}): {problem}. {remedy}", f"{problem}. {remedy}")

    def add(self, kind: str, entry: int, name: str, problem: str) -> None:
        """Count a defect.

        Raises:
            AnnotationError: in strict mode.
        """
        if self.strict:
            raise self.error(entry, name, problem, f"Correct the file, or set strict=False to go on ({kind}).")
        self.count(kind, entry, name, problem, defect=True)

    def count(self, kind: str, entry: int, name: str, problem: str, defect: bool = False) -> None:
        """Count what a setting asked for, or what follows from a defect: never fatal."""
        finding = self.findings.setdefault(kind, _Finding(f"entry {entry} ({name}): {problem}", defect))
        finding.count += 1

    def __str__(self) -> str:
        lines = [f"  {f.count} x {kind}; first: {f.first}" for kind, f in self.findings.items()]
        hint = [f"  {self.STRICT_HINT}"] if any(f.defect for f in self.findings.values()) else []
        return "\n".join([f"{self.file}: not everything is used as it stands.", *lines, *hint])

    def log(self) -> None:
        """One warning, if there is anything to say."""
        if self.findings:
            print_log(str(self), logger="current", level=logging.WARNING)
