"""What the decoder computes once for all images of a batch."""

from dataclasses import replace

import pytest
import torch

from hqm_mmdet.models.layers import HOIDecoder, Memory, learnable_query_set

IMAGES = 3
ATTENTION = dict(embed_dims=16, num_heads=2, dropout=0.0)


@pytest.fixture
def decode():
    """Decodes a query set; returns the states and the batch sizes that each layer's self-attention saw."""

    def run(decoder, queries):
        torch.manual_seed(1)
        memory = decoder.project(Memory(torch.rand(IMAGES, 6, 16), torch.rand(IMAGES, 6, 16), None, (2, 3)))
        seen = []
        attentions = [layer.self_attn for layer in decoder.layers]
        hooks = [each.register_forward_pre_hook(lambda _, args: seen.append(len(args[0]))) for each in attentions]
        states = decoder(queries, memory)
        for hook in hooks:
            hook.remove()
        return states, seen

    return run


def make_decoder(dropout=0.0):
    torch.manual_seed(0)
    attention = dict(ATTENTION, dropout=dropout)
    ffn = dict(embed_dims=16, feedforward_channels=8, ffn_drop=0.0)
    return HOIDecoder(2, dict(self_attn_cfg=attention, cross_attn_cfg=attention, ffn_cfg=ffn))


def test_queries_that_are_the_same_for_all_images_meet_once(decode):
    decoder, pos = make_decoder(), torch.rand(5, 16, requires_grad=True)
    queries = learnable_query_set(pos, IMAGES)
    once, seen = decode(decoder, queries)
    assert seen == [1, IMAGES], "later layers have read the images"
    each, seen = decode(decoder, replace(queries, content=queries.content.clone(), pos=queries.pos.clone()))
    assert seen == [IMAGES, IMAGES]
    torch.testing.assert_close(once, each)
    parameters = [pos, *decoder.parameters()]
    gradients = (torch.autograd.grad(states.square().sum(), parameters) for states in (once, each))
    torch.testing.assert_close(*map(list, gradients), rtol=1e-4, atol=1e-5)


def test_dropout_is_drawn_for_every_image(decode):
    decoder, queries = make_decoder(dropout=0.5), learnable_query_set(torch.rand(5, 16), IMAGES)
    assert decode(decoder, queries)[1] == [IMAGES, IMAGES]
    assert decode(decoder.eval(), queries)[1] == [1, IMAGES]


def test_padded_queries_meet_image_by_image(decode):
    padding = torch.zeros(IMAGES, 5, dtype=torch.bool)
    padding[1, 3:] = True
    queries = replace(learnable_query_set(torch.rand(5, 16), IMAGES), padding_mask=padding)
    assert decode(make_decoder(), queries)[1] == [IMAGES, IMAGES]
