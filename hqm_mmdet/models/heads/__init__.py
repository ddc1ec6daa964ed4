"""Heads: decoder states to pairs, and their losses."""

from .hoi_head import HOIHead

__all__ = ["HOIHead"]
