"""Makes fixtures/dtypes.safetensors: one tensor of each type, written by the safetensors package.

    python tests/checkpoints/dtypes.py
"""

import pathlib

import torch
from safetensors.torch import save_file

values = torch.tensor([[1.5, -2.0, 0.0], [65504.0, 6.103515625e-05, -0.333251953125]])
small = torch.tensor([[1, -2, 0], [100, -100, 7]])
tensors = {
    "f64": values.double(),
    "f32": values,
    "f16": values.half(),
    "bf16": torch.tensor([[1.5, -2.0, 0.0], [3.3895313892515355e38, 1.1754943508222875e-38, -0.333984375]]).bfloat16(),
    "subnormal": torch.tensor([5.960464477539063e-08, -6.09755516e-05, float("inf"), float("-inf")]).half(),
    "i64": small.long(),
    "i32": small.int(),
    "i16": small.short(),
    "i8": small.to(torch.int8),
    "u8": torch.tensor([0, 255, 7], dtype=torch.uint8),
    "bool": torch.tensor([True, False]),
    "scalar": torch.tensor(2.5),
    "empty": torch.zeros(0, 3),
}
folder = pathlib.Path(__file__).parent / "fixtures"
folder.mkdir(exist_ok=True)
save_file(tensors, folder / "dtypes.safetensors", {"format": "pt", "note": "ü"})
