"""Checkpoints of other code bases: recognised by their keys, converted to ours."""

from .convert import SOURCES, ConversionReport, convert_checkpoint, convert_state_dict, recognise

__all__ = ["SOURCES", "ConversionReport", "convert_checkpoint", "convert_state_dict", "recognise"]
