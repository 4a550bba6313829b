"""The twin of peer.ts on PyTorch eager: reads a case a line, does the work once, answers with milliseconds.

With the argument `cuda` it computes on the graphics card, in float32 as WebGPU does, without TF32.
"""

import json
import os
import resource
import sys
import time

import torch
import transformers

transformers.logging.set_verbosity_error()
torch.set_num_threads(os.cpu_count())
torch.set_float32_matmul_precision("highest")
DEVICE = sys.argv[1] if len(sys.argv) > 1 else "cpu"
if DEVICE == "cuda" and not torch.cuda.is_available():
    sys.exit("PyTorch sees no NVIDIA GPU here")
torch.set_default_device(DEVICE)


def prepare(case):
    """A function that does the work once."""
    torch.manual_seed(0)
    batch, length = case["batch"], case["length"]
    if case["work"] == "matmul":
        a, b = torch.randn(length, length), torch.randn(length, length)
        return lambda: (a @ b)[0, 0].item()
    fields = dict(case["config"])
    config = transformers.AutoConfig.for_model(fields.pop("model_type"), **fields)
    model = getattr(transformers, case["className"])(config)
    ids = torch.randint(3, config.vocab_size, (batch, length))
    if case["work"] == "decode":
        model.eval()
        tokens = case["tokens"]

        def decode():
            with torch.no_grad():
                model.generate(
                    ids,
                    attention_mask=torch.ones_like(ids),
                    max_new_tokens=tokens,
                    min_new_tokens=tokens,
                    do_sample=False,
                    pad_token_id=0,
                )

        return decode
    decoder = {"decoder_input_ids": ids} if fields.get("d_model") else {}
    if case["work"] == "forward":
        model.eval()

        def forward():
            with torch.no_grad():
                model(input_ids=ids, **decoder).logits.flatten()[0].item()

        return forward
    model.train()
    optimizer = torch.optim.AdamW(model.parameters(), lr=1e-3)

    def step():
        optimizer.zero_grad()
        loss = model(input_ids=ids, labels=ids).loss
        loss.backward()
        optimizer.step()
        loss.item()

    return step


def describe():
    if DEVICE == "cuda":
        return f"PyTorch {torch.__version__}, {torch.cuda.get_device_name()}"
    return f"PyTorch {torch.__version__}, {torch.get_num_threads()} threads"


def peak_megabytes():
    if DEVICE == "cuda":
        return torch.cuda.max_memory_reserved() // 2**20
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024


print(json.dumps({"ready": describe()}), flush=True)
current, work = None, None
for line in sys.stdin:
    case = json.loads(line)
    try:
        if current != case["id"]:
            current, work = case["id"], None
            work = prepare(case)
            work()
        start = time.perf_counter()
        work()
        ms = 1000 * (time.perf_counter() - start)
        print(json.dumps({"ms": ms, "peak": peak_megabytes()}), flush=True)
    except Exception as error:  # noqa: BLE001 - the report says which case failed and why
        current = None
        print(json.dumps({"error": f"{type(error).__name__}: {error}"}), flush=True)
