"""Makes fixtures/core.json: what PyTorch 2.13 gives for the functions of src/core, with gradients.

    python tests/core/generate.py
"""

import json
import pathlib

import torch
import torch.nn.functional as F

torch.manual_seed(7)


def numbers(tensor: torch.Tensor) -> dict:
    return {"shape": list(tensor.shape), "values": [float(f"{v:.9g}") for v in tensor.detach().flatten().tolist()]}


def case(function, **inputs: torch.Tensor) -> dict:
    """The result for these inputs, and the gradient of Σ result · weight by every float input."""
    for tensor in inputs.values():
        if tensor.is_floating_point():
            tensor.requires_grad_()
    output = function(**inputs)
    weight = torch.randn(output.shape)
    (output * weight).sum().backward()
    return {
        "inputs": {name: numbers(tensor) for name, tensor in inputs.items()},
        "weight": numbers(weight),
        "output": numbers(output),
        "gradients": {name: numbers(t.grad) for name, t in inputs.items() if t.grad is not None},
    }


def draw(*shape: int) -> torch.Tensor:
    return torch.randn(*shape)


spread = torch.linspace(-4, 4, 41)
keys_mask = torch.tensor([[1, 1, 0, 1, 1, 1, 0], [0, 1, 1, 1, 1, 0, 0]])
hidden_keys = (keys_mask == 0)[:, None, None, :]
lower_right = torch.ones(5, 7).tril(diagonal=2) == 0

cases = {
    "linear": case(F.linear, input=draw(2, 3, 5), weight=draw(4, 5), bias=draw(4)),
    "layerNorm": case(lambda x, weight, bias: F.layer_norm(x, (6,), weight, bias, 0.1), x=draw(2, 3, 6), weight=draw(6), bias=draw(6)),
    "rmsNorm": case(lambda x, weight: F.rms_norm(x, (6,), weight, 0.1), x=draw(2, 3, 6), weight=draw(6)),
    "gelu": case(F.gelu, input=spread.clone()),
    "geluTanh": case(lambda x: F.gelu(x, approximate="tanh"), x=spread.clone()),
    "silu": case(F.silu, input=spread.clone()),
    "relu": case(F.relu, input=spread.clone()),
    "attention": case(lambda q, k, v: F.scaled_dot_product_attention(q, k, v), q=draw(2, 3, 5, 4), k=draw(2, 3, 7, 4), v=draw(2, 3, 7, 4)),
    "attentionPadded": case(
        lambda q, k, v: F.scaled_dot_product_attention(q, k, v, attn_mask=~hidden_keys),
        q=draw(2, 3, 5, 4), k=draw(2, 3, 7, 4), v=draw(2, 3, 7, 4),
    ),
    "attentionCausal": case(
        lambda q, k, v: F.scaled_dot_product_attention(q, k, v, attn_mask=~lower_right),
        q=draw(2, 3, 5, 4), k=draw(2, 3, 7, 4), v=draw(2, 3, 7, 4),
    ),
    "attentionBiased": case(
        lambda q, k, v, bias: F.scaled_dot_product_attention(q, k, v, attn_mask=bias, scale=1.0),
        q=draw(2, 3, 5, 4), k=draw(2, 3, 7, 4), v=draw(2, 3, 7, 4), bias=draw(1, 3, 5, 7),
    ),
    "attentionGrouped": case(
        lambda q, k, v: F.scaled_dot_product_attention(q, k, v, attn_mask=~hidden_keys, enable_gqa=True),
        q=draw(2, 6, 5, 4), k=draw(2, 2, 7, 4), v=draw(2, 2, 7, 4),
    ),
    "embed": case(
        lambda table, ids: F.embedding(ids, table), table=draw(6, 3), ids=torch.tensor([[1, 5, 1], [0, 2, 5]])
    ),
    "embedPadded": case(
        lambda table, ids: F.embedding(ids, table, padding_idx=5), table=draw(6, 3), ids=torch.tensor([[1, 5, 1], [0, 2, 5]])
    ),
    "binaryCrossEntropy": case(
        lambda logits: F.binary_cross_entropy_with_logits(logits, torch.tensor([[1.0, 0, 0.25], [0, 1, 1]])),
        logits=torch.tensor([[0.0, -30, 2], [95, -1, 60]]),
    ),
}

path = pathlib.Path(__file__).parent / "fixtures" / "core.json"
path.write_text(json.dumps(cases) + "\n")
