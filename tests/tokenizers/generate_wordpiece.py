"""Expected encodings of WordPiece, from Hugging Face's BertTokenizer, on fuzzed text.

Run: python tests/tokenizers/generate_wordpiece.py   (needs transformers and tokenizers; made with 5.23.0 and 0.23.3)
Writes tests/tokenizers/fixtures/wordpiece.json. The tests need no Python.

The fuzz draws from the characters of Unicode 8, because the reference carries tables of that age and the library
those of its JavaScript engine; they differ in some marks of scripts added since.
"""

import json
import random
import unicodedata
from pathlib import Path

from tokenizers import Tokenizer, models, normalizers, pre_tokenizers, trainers
from transformers import BertTokenizer

FIXTURES = Path(__file__).parent / "fixtures"
SENTENCES = [
    "The quick brown fox jumps over the lazy dog.",
    "She sells sea shells; the shells she sells are sea-shells!",
    "Don't you think it's too late? They've gone, we're here, I'm not.",
    "Café, naïve, façade, Ångström and the Ελληνικά Σίσυφος ΣΊΣΥΦΟΣ.",
    "中文字 and 日本語のテキスト and 한국어 text, mixed with English.",
    "Prices: $3.50 + 20% = ~€4 (about £3) [approx.] {ok} <b> a|b `c` ^2",
    "unaffable, unbelievable, running runner runs; tokenization tokenizer tokenized",
    "İstanbul ığüşöç STRASSE straße ﬁne ① ½ e\u0301 \u0130",
]
POOLS = [
    "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ",
    "0123456789",
    "!\"#$%&'()*+,-./:;<=>?@[\\]^_`{|}~",
    " \t\n\r\u00a0\u2003\u3000\u2028\x0b\x0c\x85",
    "éèêëÀÇñöüßøåŁžşğıİ",
    "абвгдежзийАБВГ",
    "αβγδσςΣΩάέ",
    "中文字漢字日本語한국어ひらがなカタカナ",
    "\u0301\u0308\u0327\u200b\u200d\ufeff\ufffd\x00\x07\xad\u202e",
    "—–…“”‘’«»¿¡。、！？٪؟·",
    "😀🎉👍🏽ﬁﬂ①½Ⅳ™",
]


def vocabulary(lowercase: bool) -> dict[str, int]:
    tokenizer = Tokenizer(models.WordPiece(unk_token="[UNK]"))
    tokenizer.normalizer = normalizers.BertNormalizer(lowercase=lowercase)
    tokenizer.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    trainer = trainers.WordPieceTrainer(
        vocab_size=260,
        # No "q", so that ordinary words are unknown too.
        limit_alphabet=110,
        special_tokens=["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"],
        show_progress=False,
    )
    tokenizer.train_from_iterator(SENTENCES * 3, trainer)
    tokens = sorted(tokenizer.get_vocab().items(), key=lambda item: item[1])
    return {token: i for i, (token, _) in enumerate(t for t in tokens if t[0] != "q")}


def fuzz(rng: random.Random) -> str:
    words = " ".join(SENTENCES).split(" ")
    parts = []
    for _ in range(rng.randint(0, 14)):
        kind = rng.random()
        if kind < 0.45:
            parts.append(rng.choice(words))
        elif kind < 0.5:
            parts.append(rng.choice(["[MASK]", "[SEP]", "[CLS]", "[PAD]", "[UNK]", "[mask]", "[MASK", "x[MASK]y"]))
        else:
            pools = rng.sample(POOLS, 2)
            parts.append("".join(rng.choice(rng.choice(pools)) for _ in range(rng.randint(1, 9))))
        parts.append(rng.choice([" ", " ", "", "  ", "\n"]))
    return "".join(parts)


def main() -> None:
    rng = random.Random(20240607)
    assert all(unicodedata.category(c) != "Cn" for pool in POOLS for c in pool)
    models_out = []
    for lowercase in (True, False):
        vocab = vocabulary(lowercase)
        tokenizer = BertTokenizer(vocab=vocab, do_lower_case=lowercase)
        texts = SENTENCES + ["", " ", "a" * 100, "a" * 101, "[MASK]"] + [fuzz(rng) for _ in range(250)]
        singles = []
        for text in texts:
            ids = tokenizer(text)["input_ids"]
            singles.append(
                {
                    "text": text,
                    "ids": ids,
                    "decoded": tokenizer.decode(ids),
                    "decodedWithoutSpecial": tokenizer.decode(ids, skip_special_tokens=True),
                }
            )
        pairs = []
        for _ in range(120):
            # BertTokenizer takes an empty second text for none at all; ours takes it as it is given.
            a, b = rng.choice(texts), rng.choice([text for text in texts if text])
            limit = rng.choice([None, 3, 4, 5, 8, 9, 12, 20])
            encoded = tokenizer(a, b, truncation=limit is not None, max_length=limit)
            pairs.append(
                {"a": a, "b": b, "maxLength": limit, "ids": encoded["input_ids"], "segments": encoded["token_type_ids"]}
            )
        batches = []
        for padding, limit in (("longest", None), ("max_length", 11), ("longest", 7)):
            rows = [rng.choice(texts) for _ in range(5)]
            encoded = tokenizer(rows, padding=padding, truncation=limit is not None, max_length=limit)
            batches.append({"texts": rows, "padding": padding, "maxLength": limit, **encoded})
        models_out.append(
            {"lowercase": lowercase, "vocabulary": list(vocab), "singles": singles, "pairs": pairs, "batches": batches}
        )
    FIXTURES.mkdir(exist_ok=True)
    (FIXTURES / "wordpiece.json").write_text(json.dumps(models_out, ensure_ascii=True))


if __name__ == "__main__":
    main()
