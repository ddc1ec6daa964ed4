"""Checkpoints: of other code bases, recognised by their keys and converted to ours; files of our own."""

from .convert import ConversionReport, convert_checkpoint, convert_state_dict, read_foreign
from .files import write_checkpoint
from .sources import SOURCES, ConversionError, recognise

__all__ = [
    "SOURCES",
    "ConversionError",
    "ConversionReport",
    "convert_checkpoint",
    "convert_state_dict",
    "read_foreign",
    "recognise",
    "write_checkpoint",
]
