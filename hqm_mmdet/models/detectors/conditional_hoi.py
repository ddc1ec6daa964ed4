"""Conditional DETR for pairs: queries that look around an interaction point."""

from hqm_mmdet.errors import ConfigError
from hqm_mmdet.models.heads import InteractionPointStates
from hqm_mmdet.models.layers import Memory, QuerySet
from hqm_mmdet.registry import MODELS

from .hoi_detr import HOIDETR


@MODELS.register_module()
class ConditionalHOI(HOIDETR):
    """Conditional DETR (Meng et al., ICCV 2021) whose reference point is the interaction point of a pair.

    Source: the comparison row of the HQM paper (section 4.5, table 6). It says that "an interaction point" represents
    "one potential human-object pair" and that all other settings are HQM's, no more. Choices made here: the point is a
    function of the query's position embedding, as in Conditional DETR, and has no loss of its own; subject and object
    box are both predicted relative to it (:class:`ConditionalHOIHead`); the object class loss stays QPIC's softmax
    instead of Conditional DETR's focal loss, so matching, losses and scores are those of the other detectors.

    Args:
        positional_encoding (dict): needs ``normalize=True``, because points are relative to the image.
        **kwargs: as in :class:`HOIDETR`. ``decoder`` is a :class:`ConditionalHOIDecoder`, ``bbox_head`` a
            :class:`ConditionalHOIHead`.

    Raises:
        ConfigError: the positional encoding is not normalised, or has an offset.
    """

    def _init_layers(self) -> None:
        encoding = self.positional_encoding
        if not encoding.get("normalize") or encoding.get("offset"):
            raise ConfigError(
                "ConditionalHOI compares interaction points with memory positions, so model.positional_encoding needs "
                f"normalize=True and no offset, got {dict(encoding)}."
            )
        # a point and the memory there must have the same encoding, or products of the two say nothing
        same = {name: encoding[name] for name in ("temperature", "scale") if name in encoding}
        self.decoder = {"type": "ConditionalHOIDecoder", "point_encoding": same, **self.decoder}
        super()._init_layers()

    def decode(self, queries: QuerySet, memory: Memory) -> InteractionPointStates:
        """States of every decoder layer, and the queries' interaction points."""
        points = self.decoder.interaction_points(queries.pos)
        return InteractionPointStates(self.decoder(queries, memory.projected["decoder"], points), points)
