"""What a user can mend of an evaluation."""

from hqm_mmdet.errors import UserError


class EvaluationError(UserError, ValueError):
    """Predictions or ground truth can't be evaluated, or do not belong together; the message names image and remedy."""


class PredictionError(EvaluationError):
    """A prediction file can't be used; the message names file, entry and remedy."""
