"""Makes the parity fixtures: tiny random models of transformers with inputs, outputs and gradients.

    python tests/parity/generate.py [PATTERN]

Needs torch and transformers (made with torch 2.13.0, transformers 5.23.0). Each case becomes
tests/parity/fixtures/<name>/ with config.json, model.safetensors and parity.safetensors, as DESIGN.md
describes. The cases are in encoders.py and decoders.py; every parameter is drawn anew, so that no bias is 0 and no
gain is 1, and sizes are distinct, so that a swapped axis shows.
"""

import fnmatch
import json
import pathlib
import sys

import torch
from safetensors.torch import save_file

sys.path.insert(0, str(pathlib.Path(__file__).parent))
import decoders
import encoders

FIXTURES = pathlib.Path(__file__).parent / "fixtures"


def as_file(tensor: torch.Tensor) -> torch.Tensor:
    """Integers as int64 and floats as float32, in memory of their own."""
    wide = tensor.long() if not tensor.is_floating_point() else tensor.float()
    return wide.detach().clone().contiguous()


OUTPUTS = [
    "loss", "logits", "last_hidden_state", "pooler_output", "encoder_last_hidden_state",
    "prediction_logits", "seq_relationship_logits", "sop_logits",
]


def run(model: torch.nn.Module, inputs: dict[str, torch.Tensor]) -> dict[str, torch.Tensor]:
    """Outputs, and gradients of the loss if there is one, under the names of the parity format."""
    output = model(**inputs)
    tensors = {f"out.{key}": as_file(output[key]) for key in OUTPUTS if output.get(key) is not None}
    if "out.loss" in tensors:
        output.loss.backward()
        for name, parameter in model.named_parameters():
            if parameter.grad is not None:
                tensors[f"grad.{name}"] = as_file(parameter.grad)
    return tensors


def write(case: decoders.Case) -> None:
    folder = FIXTURES / case.name
    case.model.save_pretrained(folder)
    (folder / "generation_config.json").unlink(missing_ok=True)
    # What is run is the model that the folder describes.
    model = type(case.model).from_pretrained(folder).eval()
    given = {**case.inputs, **{f"generate_{key}": value for key, value in case.prompt.items()}}
    tensors = {f"in.{key}": as_file(value) for key, value in given.items()}
    metadata = {"format": "pt"}
    if case.inputs:
        tensors.update(run(model, case.inputs))
    if case.generate is not None:
        with torch.no_grad():
            ids = model.generate(**case.prompt, do_sample=False, **case.generate)
        tensors["out.generated_ids"] = as_file(ids)
        metadata["generate"] = json.dumps(case.generate)
    save_file(tensors, folder / "parity.safetensors", metadata)
    size = sum(file.stat().st_size for file in folder.iterdir())
    print(f"{case.name}: {size // 1024} kB, {len(tensors)} tensors")


def main() -> None:
    pattern = sys.argv[1] if len(sys.argv) > 1 else "*"
    for cases in (encoders.cases(), decoders.cases()):
        for case in cases:
            if fnmatch.fnmatch(case.name, pattern):
                write(case)


if __name__ == "__main__":
    main()
