"""Rotary frequencies and relative position buckets by transformers, to compare with.

    python tests/core/positions.py > tests/core/fixtures/positions.json

Made with torch 2.13.0, transformers 5.23.0.
"""

import json
import sys

import torch
from transformers import LlamaConfig
from transformers.models.llama.modeling_llama import LlamaRotaryEmbedding, apply_rotary_pos_emb
from transformers.models.t5.modeling_t5 import T5Attention


def rotary(length: int, **fields) -> dict:
    config = LlamaConfig(hidden_size=24, num_attention_heads=3, num_hidden_layers=1, vocab_size=9, **json.loads(json.dumps(fields)))
    module = LlamaRotaryEmbedding(config)
    positions = torch.arange(length)[None]
    cos, sin = module(torch.zeros(1, dtype=torch.float32), positions)
    generator = torch.Generator().manual_seed(length)
    x = torch.randn(1, 3, length, config.head_dim, generator=generator)
    turned, _ = apply_rotary_pos_emb(x, x, cos, sin)
    return dict(fields=fields, length=length, headWidth=config.head_dim, frequencies=module.inv_freq.tolist(),
                x=x.flatten().tolist(), turned=turned.flatten().tolist())


def buckets(bidirectional: bool, count: int, distance: int) -> dict:
    relative = torch.arange(-160, 161)
    found = T5Attention._relative_position_bucket(relative, bidirectional, count, distance)
    return dict(bidirectional=bidirectional, numBuckets=count, maxDistance=distance, first=-160, buckets=found.tolist())


llama3 = dict(factor=8.0, low_freq_factor=1.0, high_freq_factor=4.0, original_max_position_embeddings=64)
json.dump(
    dict(
        rotary=[
            rotary(4, max_position_embeddings=16),
            rotary(5, max_position_embeddings=16, rope_parameters=dict(rope_type="default", rope_theta=500.0)),
            rotary(5, max_position_embeddings=16, rope_parameters=dict(rope_type="linear", rope_theta=10000.0, factor=4.0)),
            rotary(6, max_position_embeddings=16, rope_parameters=dict(rope_type="dynamic", rope_theta=10000.0, factor=3.0)),
            rotary(9, max_position_embeddings=7, rope_parameters=dict(rope_type="dynamic", rope_theta=10000.0, factor=3.0)),
            rotary(4, max_position_embeddings=512, head_dim=16, rope_parameters=dict(rope_type="llama3", rope_theta=500.0, **llama3)),
        ],
        buckets=[
            buckets(way, count, distance)
            for way in (True, False)
            for count, distance in ((32, 128), (8, 12), (12, 40), (6, 100), (64, 256))
        ],
    ),
    sys.stdout,
)
