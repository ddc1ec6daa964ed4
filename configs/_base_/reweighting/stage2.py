# CDN's second training stage: decoders and heads go on learning with class weights from class frequencies, everything
# else is frozen. A child takes
#   model = dict(
#       trainable=_base_.trainable,
#       bbox_head=dict(obj_reweighting=_base_.reweighting, verb_reweighting=_base_.reweighting),
#   )
#   custom_hooks = _base_.reweighting_hooks
# and states its start (load_from, the end of the first stage), learning rate and epochs. Described in docs/cdn.md.
reweighting = dict(type="DynamicReweighting", queue_size=4704)
trainable = [r"decoder\.", r"^bbox_head\."]
reweighting_hooks = [dict(type="ReweightingHook")]
