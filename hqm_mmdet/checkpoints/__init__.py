"""Checkpoints of other code bases: recognised by their keys, converted to ours."""

from .convert import INITIALISED, SOURCES, ConversionReport, convert_checkpoint, convert_state_dict, recognise

__all__ = ["INITIALISED", "SOURCES", "ConversionReport", "convert_checkpoint", "convert_state_dict", "recognise"]
