"""Makes the bundled checkpoint `story-gpt2` and its card: a small GPT-2 trained on the bundled stories.

    python datasets/checkpoints/generate.py

Needs torch, transformers and tokenizers (made with torch 2.13.0, transformers 5.24.0, tokenizers 0.23.3). Training is
seeded and runs on one thread, so that one machine makes the same bytes each time; another kind of processor may round
differently. Written beside the model:

- parity.safetensors: ids, logits and a greedy continuation, computed by transformers in float32 from the saved weights;
- reference.json: loss, perplexity and bits per byte on held-out stories in strided windows, measured the same way.
"""

import hashlib
import json
import math
import pathlib

import torch
from safetensors.torch import save_file
from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers
from transformers import GPT2Config, GPT2LMHeadModel, PreTrainedTokenizerFast

HERE = pathlib.Path(__file__).parent
FOLDER = HERE / "story-gpt2"
STORIES = HERE.parent / "stories" / "stories.txt"
END = "<|endoftext|>"
LENGTH = 128
TRAINED = 2200  # stories; the rest is never seen
HELD_OUT = 40  # of the rest, the last ones, measured on
STEPS = 900
BATCH = 16


def read_stories() -> list[str]:
    blocks = STORIES.read_text(encoding="utf-8").strip().split("\n\n")
    return [" ".join(block.split("\n")) for block in blocks]


def make_tokenizer(texts: list[str]) -> PreTrainedTokenizerFast:
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=640, special_tokens=[END], initial_alphabet=pre_tokenizers.ByteLevel.alphabet(), show_progress=False
    )
    tokenizer.train_from_iterator(texts, trainer)
    return PreTrainedTokenizerFast(
        tokenizer_object=tokenizer, bos_token=END, eos_token=END, model_max_length=LENGTH, clean_up_tokenization_spaces=False
    )


def stream(tokenizer: PreTrainedTokenizerFast, texts: list[str]) -> list[int]:
    """The stories one after another, an end token before each."""
    end = tokenizer.convert_tokens_to_ids(END)
    return [token for text in texts for token in [end, *tokenizer(text)["input_ids"]]]


def train(config: GPT2Config, tokens: list[int]) -> GPT2LMHeadModel:
    torch.manual_seed(11)
    model = GPT2LMHeadModel(config).train()
    rows = torch.tensor(tokens[: len(tokens) // LENGTH * LENGTH]).view(-1, LENGTH)
    optimizer = torch.optim.AdamW(model.parameters(), lr=1.0, betas=(0.9, 0.98), weight_decay=0.01)
    warmup = STEPS // 10

    def rate(step: int) -> float:
        if step < warmup:
            return 4e-3 * (step + 1) / warmup
        return 2e-4 + (4e-3 - 2e-4) * 0.5 * (1 + math.cos(math.pi * (step - warmup) / (STEPS - warmup)))

    for step in range(STEPS):
        for group in optimizer.param_groups:
            group["lr"] = rate(step)
        batch = rows[torch.randint(len(rows), (BATCH,))]
        loss = model(input_ids=batch, labels=batch).loss
        optimizer.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
        if step % 50 == 0:
            print(step, round(loss.item(), 3), flush=True)
    return model.eval()


@torch.no_grad()
def held_out(model: GPT2LMHeadModel, tokens: list[int], text: str, stride: int) -> dict[str, float | int]:
    """Each token but the first is scored once, with as much context as the window leaves."""
    total, scored, end = 0.0, 0, 1
    while end < len(tokens):
        first = end
        end = min(len(tokens), LENGTH if first == 1 else first + stride)
        window = torch.tensor([tokens[max(0, end - LENGTH) : end]])
        losses = torch.nn.functional.cross_entropy(model(window).logits[0, :-1], window[0, 1:], reduction="none")
        total += losses[-(end - first) :].double().sum().item()
        scored += end - first
    size = len(text.encode())
    return {
        "stories": HELD_OUT, "window": LENGTH, "stride": stride, "tokens": len(tokens), "scored": scored, "bytes": size,
        "loss": total / scored, "perplexity": math.exp(total / scored), "bits_per_byte": total / math.log(2) / size,
    }


def card(figures: dict[str, float | int], parameters: int) -> str:
    names = [path.name for path in sorted(FOLDER.iterdir()) if path.name != "CARD.md"]
    rows = [["file", "bytes", "sha256"]]
    for name in names:
        data = (FOLDER / name).read_bytes()
        rows.append([f"`{name}`", str(len(data)), f"`{hashlib.sha256(data).hexdigest()}`"])
    widths = [max(len(row[i]) for row in rows) for i in range(3)]
    lines = [" | ".join(cell.ljust(width) for cell, width in zip(row, widths)) for row in rows]
    lines.insert(1, " | ".join("-" * width for width in widths))
    table = "\n".join(f"| {line} |" for line in lines)
    return f"""# story-gpt2

**What.** A GPT-2 of {parameters:,} parameters in the format of Hugging Face: 3 layers, width 96, 4 heads, {LENGTH} positions, 640 tokens (byte-level BPE). Weights in float16.

**How it was made.** `datasets/checkpoints/generate.py`: trained from a seed on the first {TRAINED} of the bundled stories, {STEPS} steps of {BATCH} rows of {LENGTH} tokens. `parity.safetensors` and `reference.json` hold what transformers computes from these weights in float32.

**How good it is.** On the last {HELD_OUT} stories, which it has not seen: perplexity {figures["perplexity"]:.3f} a token, {figures["bits_per_byte"]:.3f} bits a byte (windows of {LENGTH}, stride {figures["stride"]}; measured by the same script).

**What it is for.** Loading, matching and fine-tuning a checkpoint without a connection. It writes stories like those that it was trained on, and knows nothing else: no fact, no other language, no instruction.

**Licence.** CC0 1.0: use it as you like.

{table}
"""


def main() -> None:
    torch.set_num_threads(1)
    torch.use_deterministic_algorithms(True)
    texts = read_stories()
    tokenizer = make_tokenizer(texts[:TRAINED])
    end = tokenizer.convert_tokens_to_ids(END)
    config = GPT2Config(
        vocab_size=len(tokenizer), n_positions=LENGTH, n_embd=96, n_layer=3, n_head=4,
        resid_pdrop=0.0, embd_pdrop=0.0, attn_pdrop=0.0, bos_token_id=end, eos_token_id=end,
    )
    model = train(config, stream(tokenizer, texts[:TRAINED]))
    FOLDER.mkdir(exist_ok=True)
    model.half().save_pretrained(FOLDER)
    tokenizer.save_pretrained(FOLDER)
    (FOLDER / "generation_config.json").unlink(missing_ok=True)

    # What is measured is the model that the folder describes.
    model = GPT2LMHeadModel.from_pretrained(FOLDER, dtype=torch.float32).eval()
    tokens = stream(tokenizer, texts[-HELD_OUT:])
    rows = torch.tensor(tokens[: 3 * 29]).view(3, 29)
    prompt = torch.tensor([[end, *tokenizer("One morning")["input_ids"]]])
    asked = {"max_new_tokens": 48, "eos_token_id": end}
    with torch.no_grad():
        logits = model(rows).logits
        written = model.generate(prompt, do_sample=False, pad_token_id=end, **asked)
    print(tokenizer.decode(written[0]))
    save_file(
        {"in.input_ids": rows, "in.generate_input_ids": prompt, "out.logits": logits.contiguous(), "out.generated_ids": written},
        FOLDER / "parity.safetensors",
        {"format": "pt", "generate": json.dumps(asked)},
    )
    figures = held_out(model, tokens, "".join(texts[-HELD_OUT:]), LENGTH // 2)
    (FOLDER / "reference.json").write_text(json.dumps(figures, indent=2) + "\n", encoding="utf-8")
    (FOLDER / "CARD.md").write_text(card(figures, sum(p.numel() for p in model.parameters())), encoding="utf-8")
    print(figures)


if __name__ == "__main__":
    main()
