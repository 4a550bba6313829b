"""Expected numbers of AdamW, gradient clipping and schedules, from PyTorch and transformers.

Run: python tests/training/generate.py   (made with torch 2.13.0, transformers 5.23.0)
Writes tests/training/fixtures/reference.json. The tests need no Python.
"""

import json
import random
from pathlib import Path

import torch
from transformers import (
    get_constant_schedule_with_warmup,
    get_cosine_schedule_with_warmup,
    get_cosine_with_min_lr_schedule_with_warmup,
    get_inverse_sqrt_schedule,
    get_linear_schedule_with_warmup,
)

SHAPES = {"dense.weight": [3, 4], "dense.bias": [3], "layerNorm.weight": [5], "unused.weight": [2]}
STEPS = 120


def target(name: str, step: int) -> torch.Tensor:
    """A moving target that the test can make too, so that no gradients have to be stored."""
    size = torch.Size(SHAPES[name]).numel()
    values = [((7 * i + 13 * step + len(name)) % 29) / 10 - 1.4 for i in range(size)]
    return torch.tensor(values).reshape(SHAPES[name])


def run(options: dict, clip: float | None, accumulate: int) -> dict:
    params = {
        name: torch.nn.Parameter(torch.linspace(-1, 2, torch.Size(shape).numel()).reshape(shape))
        for name, shape in SHAPES.items()
    }
    groups = [
        {"params": [params["dense.weight"], params["unused.weight"]], "weight_decay": options["weight_decay"]},
        {"params": [params["dense.bias"], params["layerNorm.weight"]], "weight_decay": 0.0},
    ]
    optimizer = torch.optim.AdamW(groups, lr=options["lr"], betas=options["betas"], eps=options["eps"])
    schedule = get_linear_schedule_with_warmup(optimizer, 10, 150)
    losses, norms, snapshots = [], [], {}
    for step in range(STEPS):
        optimizer.zero_grad()
        mean = 0.0
        for part in range(accumulate):
            moment = step * accumulate + part
            loss = sum(
                (0.1 * (p - target(n, moment)) ** 4).sum() for n, p in params.items() if n != "unused.weight"
            )
            (loss / accumulate).backward()
            mean += loss.item() / accumulate
        losses.append(mean)
        if clip is not None:
            norms.append(torch.nn.utils.clip_grad_norm_(params.values(), clip).item())
        optimizer.step()
        schedule.step()
        if step + 1 in (1, 2, 10, 50, STEPS):
            snapshots[step + 1] = {n: p.detach().flatten().tolist() for n, p in params.items()}
    return {"losses": losses, "norms": norms, "snapshots": snapshots}


def rates(factory, **options) -> list[float]:
    optimizer = torch.optim.SGD([torch.nn.Parameter(torch.zeros(1))], lr=3e-4)
    schedule = factory(optimizer, **options)
    values = []
    for _ in range(70):
        values.append(schedule.get_last_lr()[0])
        optimizer.step()
        schedule.step()
    return values


def main() -> None:
    random.seed(0)
    cases = [
        ({"lr": 1e-2, "betas": [0.9, 0.999], "eps": 1e-8, "weight_decay": 0.01}, None, 1),
        ({"lr": 3e-2, "betas": [0.8, 0.95], "eps": 1e-3, "weight_decay": 0.3}, 1.5, 3),
    ]
    out = {
        "adamW": [
            {"options": options, "clip": clip, "accumulate": accumulate, **run(options, clip, accumulate)}
            for options, clip, accumulate in cases
        ],
        "schedules": {
            "constant": rates(get_constant_schedule_with_warmup, num_warmup_steps=7),
            "linear": rates(get_linear_schedule_with_warmup, num_warmup_steps=7, num_training_steps=60),
            "linearCold": rates(get_linear_schedule_with_warmup, num_warmup_steps=0, num_training_steps=60),
            "cosine": rates(get_cosine_schedule_with_warmup, num_warmup_steps=7, num_training_steps=60),
            "cosineFloor": rates(
                get_cosine_with_min_lr_schedule_with_warmup,
                num_warmup_steps=7,
                num_training_steps=60,
                min_lr_rate=0.1,
            )[:60],
            "inverseSquareRoot": rates(get_inverse_sqrt_schedule, num_warmup_steps=7),
        },
    }
    path = Path(__file__).parent / "fixtures" / "reference.json"
    path.parent.mkdir(exist_ok=True)
    path.write_text(json.dumps(out))


if __name__ == "__main__":
    main()
