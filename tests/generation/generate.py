"""Scores changed by transformers' logits processors, to compare with.

    python tests/generation/generate.py > tests/generation/processors.json

Made with torch 2.13.0, transformers 5.23.0.
"""

import json
import sys

import torch
from transformers.generation.logits_process import (
    LogitsProcessorList,
    MinPLogitsWarper,
    NoRepeatNGramLogitsProcessor,
    RepetitionPenaltyLogitsProcessor,
    TemperatureLogitsWarper,
    TopKLogitsWarper,
    TopPLogitsWarper,
)

generator = torch.Generator().manual_seed(7)
cases = []
SETTINGS = [
    dict(repetitionPenalty=1.7),
    dict(repetitionPenalty=0.6),
    dict(noRepeatNgramSize=1),
    dict(noRepeatNgramSize=2),
    dict(noRepeatNgramSize=3),
    dict(temperature=0.5),
    dict(topK=4),
    dict(topK=100),
    dict(topP=0.7),
    dict(topP=0.0),
    dict(topP=0.999),
    dict(minP=0.2),
    dict(repetitionPenalty=1.3, noRepeatNgramSize=2, temperature=1.6, topK=9, topP=0.8, minP=0.05),
    dict(temperature=3.0, topP=0.6),
]
for settings in SETTINGS:
    tokens = torch.tensor([[3, 5, 3, 8, 5, 3, 8, 3, 5]])
    scores = 2 * torch.randn(1, 13, generator=generator)
    chain = LogitsProcessorList()
    makers = dict(
        repetitionPenalty=RepetitionPenaltyLogitsProcessor, noRepeatNgramSize=NoRepeatNGramLogitsProcessor,
        temperature=TemperatureLogitsWarper, topK=TopKLogitsWarper, topP=TopPLogitsWarper, minP=MinPLogitsWarper,
    )
    for name, make in makers.items():
        if name in settings:
            chain.append(make(settings[name]))
    changed = chain(tokens, scores.clone())
    # JSON has no infinity: a token that is out is null.
    out = [None if value == float("-inf") else value for value in changed[0].tolist()]
    cases.append(dict(settings=settings, tokens=tokens[0].tolist(), scores=scores[0].tolist(), changed=out))
json.dump(cases, sys.stdout)
