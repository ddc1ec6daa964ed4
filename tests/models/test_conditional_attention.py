"""Conditional attention against a straight reimplementation, and against mmdet's decoder."""

import pytest
import torch
from mmdet.models.layers import ConditionalDetrTransformerDecoder
from torch import nn

from hqm_mmdet.models.layers import (
    ConditionalCrossAttention,
    ConditionalHOIDecoder,
    ConditionalSelfAttention,
    Memory,
    QuerySet,
)

B, N, S, D, H = 2, 5, 12, 16, 4
DEPTH = D // H


def rand(*shape, seed=0):
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed))


def scrambled(module, seed=0):
    """Weights and biases drawn anew, so that no projection is trivial."""
    generator = torch.Generator().manual_seed(seed)
    for parameter in module.parameters():
        nn.init.normal_(parameter, std=0.3, generator=generator)
    return module.eval()


def head(x, h):
    return x[h * DEPTH : (h + 1) * DEPTH]


def naive_attention(inputs, logit, values, out_proj, valid=None, drop=None, renormalise=True):
    """One query, head and image at a time.

    ``logit(b, n, s, h)`` is the scaled logit, ``values`` are projected (B, S, D), ``valid`` (B, S) and ``drop``
    (B, H, N, S) say where attention may not go.
    """
    rows = []
    for b in range(len(inputs)):
        for n in range(inputs.shape[1]):
            heads = []
            for h in range(H):
                logits = torch.stack([logit(b, n, s, h) for s in range(values.shape[1])])
                if valid is not None:
                    logits[~valid[b]] = float("-inf")
                if drop is not None and renormalise:
                    logits[drop[b, h, n]] = float("-inf")
                weights = logits.exp() / logits.exp().sum()
                if drop is not None and not renormalise:
                    weights[drop[b, h, n]] = 0
                heads.append(sum(w * head(v, h) for w, v in zip(weights, values[b], strict=True)))
            rows.append(out_proj(torch.cat(heads)))
    return inputs + torch.stack(rows).view_as(inputs)


def naive_cross(p, query, pos, spatial, tokens, token_pos, **options):
    """Sum of the content and the spatial product, as the Conditional DETR paper describes it."""

    def logit(b, n, s, h):
        content_query, content_key = p.qcontent_proj(query[b, n]), p.kcontent_proj(tokens[b, s])
        if p.qpos_proj is not None:
            content_query = content_query + p.qpos_proj(pos[b, n])
            content_key = content_key + p.kpos_proj(token_pos[b, s])
        content = head(content_query, h) @ head(content_key, h)
        spatial_term = head(p.qpos_sine_proj(spatial[b, n]), h) @ head(p.kpos_proj(token_pos[b, s]), h)
        return (content + spatial_term) / (2 * DEPTH) ** 0.5

    return naive_attention(query, logit, p.v_proj(tokens), p.out_proj, **options)


class Rule:
    """Drops given positions, and remembers what it was shown."""

    def __init__(self, drop, renormalise):
        self.drop, self.renormalise = drop, renormalise

    def __call__(self, attention, queries, keys, mask):
        self.logits = attention.logits(queries, keys, mask)
        return self.drop


@pytest.fixture(params=[True, False], ids=["first", "later"])
def cross(request):
    attention = ConditionalCrossAttention(D, H)
    if not request.param:
        attention.drop_query_pos()
    return scrambled(attention)


@pytest.fixture
def inputs():
    """Query, position, spatial query (B, N, D), tokens, their positions (B, S, D), valid tokens (B, S)."""
    tensors = [rand(B, n, D, seed=i) for i, n in enumerate((N, N, N, S, S))]
    valid = torch.ones(B, S, dtype=torch.bool)
    valid[1, 7:] = False
    return *tensors, valid


@pytest.mark.parametrize("padded", (False, True))
def test_cross_attention(cross, inputs, padded):
    query, pos, spatial, tokens, token_pos, valid = inputs
    valid = valid if padded else None
    expected = naive_cross(cross.attn, query, pos, spatial, tokens, token_pos, valid=valid)
    mask = None if valid is None else valid[:, None, None]
    ours = cross(query, cross.keys_values(tokens, token_pos), (pos, spatial), mask)
    torch.testing.assert_close(ours, expected, rtol=1e-4, atol=1e-5)
    theirs = cross.attn(
        query,
        tokens,
        query_pos=pos,
        ref_sine_embed=spatial,
        key_pos=token_pos,
        key_padding_mask=None if valid is None else ~valid,
        is_first=cross.attn.qpos_proj is not None,
    )
    torch.testing.assert_close(ours, theirs, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("renormalise", (True, False))
def test_rule_masks_the_sum_of_both_products(cross, inputs, renormalise):
    query, pos, spatial, tokens, token_pos, valid = inputs
    drop = torch.rand(B, H, N, S, generator=torch.Generator().manual_seed(9)) < 0.5
    drop[..., 0] = False
    rule = Rule(drop, renormalise)
    ours = cross(query, cross.keys_values(tokens, token_pos), (pos, spatial), valid[:, None, None], rule)
    options = dict(valid=valid, drop=drop, renormalise=renormalise)
    expected = naive_cross(cross.attn, query, pos, spatial, tokens, token_pos, **options)
    torch.testing.assert_close(ours, expected, rtol=1e-4, atol=1e-5)

    p = cross.attn  # the logits of one query, head and token that the rule was shown
    b, h, n, s = 1, 2, 3, 4
    first = p.qpos_proj is not None
    content_query = p.qcontent_proj(query[b, n]) + (p.qpos_proj(pos[b, n]) if first else 0)
    content_key = p.kcontent_proj(tokens[b, s]) + (p.kpos_proj(token_pos[b, s]) if first else 0)
    content = head(content_query, h) @ head(content_key, h)
    place = head(p.qpos_sine_proj(spatial[b, n]), h) @ head(p.kpos_proj(token_pos[b, s]), h)
    torch.testing.assert_close(rule.logits[b, h, n, s], (content + place) / (2 * DEPTH) ** 0.5)
    assert place.abs() > 1e-3 and content.abs() > 1e-3


def test_rule_that_drops_nothing_changes_nothing(cross, inputs):
    """The path with materialised weights equals the fused one."""
    query, pos, spatial, tokens, token_pos, valid = inputs
    args = (query, cross.keys_values(tokens, token_pos), (pos, spatial), valid[:, None, None])
    rule = Rule(torch.zeros(B, H, N, S, dtype=torch.bool), renormalise=False)
    torch.testing.assert_close(cross(*args, rule), cross(*args), rtol=1e-5, atol=1e-6)


def test_self_attention(inputs):
    query, pos = inputs[:2]
    attention = scrambled(ConditionalSelfAttention(D, H))
    p = attention.attn

    def logit(b, n, s, h):
        q = p.qcontent_proj(query[b, n]) + p.qpos_proj(pos[b, n])
        k = p.kcontent_proj(query[b, s]) + p.kpos_proj(pos[b, s])
        return head(q, h) @ head(k, h) / DEPTH**0.5

    ours = attention(query, query_pos=pos)
    expected = naive_attention(query, logit, p.v_proj(query), p.out_proj)
    torch.testing.assert_close(ours, expected, rtol=1e-4, atol=1e-5)
    torch.testing.assert_close(ours, p(query, query, query_pos=pos, key_pos=pos), rtol=1e-4, atol=1e-5)


def test_dropout_acts_in_training_only(cross, inputs):
    query, pos, spatial, tokens, token_pos, _ = inputs
    cross.attn.attn_drop.p = 0.5
    args = (query, cross.keys_values(tokens, token_pos), (pos, spatial))
    calm = cross(*args)
    assert torch.equal(cross(*args), calm)
    cross.train()
    assert not torch.allclose(cross(*args), calm)


class TestDecoder:
    """At mmdet's width, because its decoder encodes points with 256 channels always."""

    def decoder(self, cls=ConditionalHOIDecoder, **attention):
        attention = dict(embed_dims=256, num_heads=8, **attention)
        cfg = dict(
            self_attn_cfg=attention,
            cross_attn_cfg=dict(attention),
            ffn_cfg=dict(embed_dims=256, feedforward_channels=32, num_fcs=2),
        )
        if cls is not ConditionalHOIDecoder:
            cfg["cross_attn_cfg"]["cross_attn"] = True
        return cls(num_layers=3, layer_cfg=cfg)

    def batch(self, padded=True):
        queries = QuerySet(rand(B, N, 256, seed=1), rand(B, N, 256, seed=2))
        padding = torch.zeros(B, S, dtype=torch.bool)
        padding[1, 9:] = True
        return queries, Memory(rand(B, S, 256, seed=3), rand(B, S, 256, seed=4), padding if padded else None, (3, 4))

    def test_equals_mmdet(self):
        ours = scrambled(self.decoder())
        theirs = self.decoder(ConditionalDetrTransformerDecoder).eval()
        state = {name.replace("_attn.attn.", "_attn."): value for name, value in ours.state_dict().items()}
        theirs.load_state_dict(state, strict=True)
        queries, memory = self.batch()
        points = ours.interaction_points(queries.pos)
        states, references = theirs(queries.content, memory.tokens, queries.pos, memory.pos, memory.padding_mask)
        torch.testing.assert_close(points.sigmoid(), references)
        torch.testing.assert_close(ours(queries, ours.project(memory), points), states, rtol=1e-3, atol=1e-4)

    def test_padding_has_no_influence(self):
        decoder, (queries, memory) = self.decoder().eval(), self.batch()
        points = decoder.interaction_points(queries.pos)
        expected = decoder(queries, decoder.project(memory), points)
        tokens, pos = memory.tokens.clone(), memory.pos.clone()
        tokens[memory.padding_mask], pos[memory.padding_mask] = 7.0, -7.0
        changed = Memory(tokens, pos, memory.padding_mask, memory.spatial_shape)
        torch.testing.assert_close(decoder(queries, decoder.project(changed), points), expected)

    def test_padded_queries_have_no_influence(self):
        decoder, (queries, memory) = self.decoder().eval(), self.batch()
        points = decoder.interaction_points(queries.pos)
        expected = decoder(queries, decoder.project(memory), points)
        more = QuerySet(*(torch.cat([x, rand(B, 2, 256, seed=8)], 1) for x in (queries.content, queries.pos)))
        more.padding_mask = torch.arange(N + 2).expand(B, -1) >= N
        states = decoder(more, decoder.project(memory), decoder.interaction_points(more.pos))
        torch.testing.assert_close(states[:, :, :N], expected, rtol=1e-4, atol=1e-5)
        assert torch.isfinite(states).all()

    def test_gradients_reach_the_points_through_attention_alone(self):
        decoder, (queries, memory) = self.decoder(), self.batch()
        points = decoder.interaction_points(queries.pos).detach().requires_grad_()
        decoder(queries, decoder.project(memory), points).square().sum().backward()
        assert torch.isfinite(points.grad).all() and (points.grad.abs().sum(-1) > 0).all()

    def test_single_layer_has_no_idle_parameter(self):
        cfg = self.decoder().layer_cfg
        decoder, (queries, memory) = ConditionalHOIDecoder(num_layers=1, layer_cfg=cfg), self.batch()
        decoder(queries, decoder.project(memory), decoder.interaction_points(queries.pos)).sum().backward()
        assert all(parameter.grad is not None for parameter in decoder.parameters())

    def test_no_queries(self):
        decoder, (queries, memory) = self.decoder(), self.batch()
        none = QuerySet(queries.content[:, :0], queries.pos[:, :0], torch.zeros(B, 0, dtype=torch.bool))
        states = decoder(none, decoder.project(memory), decoder.interaction_points(none.pos))
        assert states.shape == (3, B, 0, 256)
