"""A small normalisation table made by SentencePiece, and what Hugging Face's tokenizers make of text with it.

Run: python tests/tokenizers/generate_precompiled.py   (made with sentencepiece 0.2.3, tokenizers 0.23.3)
Writes tests/tokenizers/fixtures/precompiled.json. The tests need no Python.

(The whole NFKC table of 240 kB was compared in the same way, at every code point and on 3000 fuzzed texts.)
"""

import base64
import io
import json
import random
import tempfile
from pathlib import Path

import sentencepiece
from tokenizers import normalizers

FIXTURES = Path(__file__).parent / "fixtures"
RULES = {
    "Ａ": "A", "ａ": "a", "ﬁ": "fi", "①": "1", "⑩": "10", "½": "1/2", "㎏": "kg", "㌔": "キロ", "ﾞ": "゛",
    "\u200b": " ", "\u00a0": " ", "\u200d": " ", "\u0007": "", "e\u0301": "E'", "e\u0301\u0323": "E.'", "q": "e",
    "ｶ": "カ", "ｶﾞ": "ガ", "𝒳": "X", "👍": "+1", "한": "han", "\u0301": "", "…": "...",
}  # fmt: skip


def fields(data: bytes):
    """The fields of a protocol buffer message, numbers and bytes."""
    at = 0

    def number() -> int:
        nonlocal at
        value = shift = 0
        while True:
            byte = data[at]
            at += 1
            value |= (byte & 127) << shift
            shift += 7
            if byte < 128:
                return value

    while at < len(data):
        key = number()
        if key & 7 == 0:
            yield key >> 3, number()
        else:
            size = {1: 8, 5: 4}.get(key & 7) or number()
            yield key >> 3, data[at : at + size]
            at += size


def main() -> None:
    model = io.BytesIO()
    with tempfile.NamedTemporaryFile("w", suffix=".tsv") as rules:
        for source, target in RULES.items():
            code_points = [" ".join(f"{ord(character):X}" for character in text) for text in (source, target)]
            rules.write("\t".join(code_points) + "\n")
        rules.flush()
        sentencepiece.SentencePieceTrainer.train(
            sentence_iterator=iter(["some words to train on", "and more of them"] * 20),
            model_writer=model,
            vocab_size=40,
            hard_vocab_limit=False,
            normalization_rule_tsv=rules.name,
        )
    normalizer_spec = next(value for field, value in fields(model.getvalue()) if field == 3)
    table = next(value for field, value in fields(normalizer_spec) if field == 2)
    normalizer = normalizers.Precompiled(table)
    rng = random.Random(2)
    pool = [character for text in RULES for character in text] + list("xyz ́̈👨👩🇩🇪각")
    texts = ["", *RULES, *("".join(rng.choice(pool) for _ in range(rng.randint(1, 9))) for _ in range(300))]
    cases = [[text, normalizer.normalize_str(text)] for text in texts]
    out = {"table": base64.b64encode(table).decode(), "cases": cases}
    (FIXTURES / "precompiled.json").write_text(json.dumps(out))
    print(len(table), sum(a != b for a, b in cases))


if __name__ == "__main__":
    main()
