"""The report: one page about one prediction file, or about two."""

from .page import build_report

__all__ = ["build_report"]
