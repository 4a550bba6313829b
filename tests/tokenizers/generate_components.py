"""Every kind of normalizer, pre-tokenizer, added token and decoder on fuzzed text, from Hugging Face's tokenizers.

Run: python tests/tokenizers/generate_components.py   (made with tokenizers 0.23.3)
Writes tests/tokenizers/fixtures/components.json. The tests need no Python.
"""

import json
import random
from pathlib import Path

from tokenizers import AddedToken, Regex, Tokenizer, models, trainers
from tokenizers import decoders as D
from tokenizers import normalizers as N
from tokenizers import pre_tokenizers as P

from generate_loaded import CORPUS, fuzz

FIXTURES = Path(__file__).parent / "fixtures"
SPLITS = ("removed", "isolated", "merged_with_previous", "merged_with_next", "contiguous")

PIPELINES = {
    "Whitespace": {"pre": P.Whitespace()},
    "WhitespaceSplit": {"pre": P.WhitespaceSplit()},
    "BertPreTokenizer": {"pre": P.BertPreTokenizer()},
    **{f"Punctuation {split}": {"pre": P.Punctuation(split)} for split in SPLITS},
    "Digits": {"pre": P.Digits(False)},
    "Digits one by one": {"pre": P.Digits(True)},
    "CharDelimiterSplit": {"pre": P.CharDelimiterSplit(" ")},
    **{f"Split {split}": {"pre": P.Split(" ", split)} for split in SPLITS},
    **{f"Split by expression {split}": {"pre": P.Split(Regex(r"\s+|[0-9]"), split)} for split in SPLITS},
    **{f"Split inverted {split}": {"pre": P.Split(Regex(r"\w+"), split, invert=True)} for split in SPLITS},
    "FixedLength": {"pre": P.FixedLength(5)},
    "ByteLevel": {"pre": P.ByteLevel(add_prefix_space=True), "decoder": D.ByteLevel()},
    "ByteLevel without words": {"pre": P.ByteLevel(add_prefix_space=False, use_regex=False), "decoder": D.ByteLevel()},
    **{
        f"Metaspace {scheme}": {
            "pre": P.Metaspace(prepend_scheme=scheme),
            "decoder": D.Metaspace(prepend_scheme=scheme),
        }
        for scheme in ("always", "first", "never")
    },
    "Metaspace whole": {"pre": P.Metaspace(split=False)},
    "Sequence": {"pre": P.Sequence([P.WhitespaceSplit(), P.Punctuation(), P.Digits(True)])},
    "words and Metaspace": {"pre": P.Sequence([P.WhitespaceSplit(), P.Metaspace(prepend_scheme="first")])},
    "NFKD": {"norm": N.Sequence([N.NFKD(), N.StripAccents(), N.Lowercase(), N.Strip()]), "pre": P.Whitespace()},
    "NFD": {"norm": N.NFD(), "pre": P.WhitespaceSplit()},
    "NFC": {"norm": N.NFC(), "pre": P.WhitespaceSplit()},
    "NFKC": {"norm": N.NFKC(), "pre": P.WhitespaceSplit()},
    "Strip left": {"norm": N.Strip(left=True, right=False)},
    "Replace": {"norm": N.Replace(Regex("[0-9]+"), "$1#"), "pre": P.Whitespace()},
    "Replace text": {"norm": N.Replace(".", " <stop> "), "pre": P.WhitespaceSplit()},
    "Nmt": {"norm": N.Nmt(), "pre": P.WhitespaceSplit()},
    "Prepend": {"norm": N.Prepend("_"), "pre": P.Whitespace()},
    "ByteLevel normalizer": {"norm": N.ByteLevel(), "pre": P.WhitespaceSplit()},
    "BertNormalizer raw": {
        "norm": N.BertNormalizer(clean_text=False, handle_chinese_chars=False, strip_accents=True, lowercase=False),
        "pre": P.WhitespaceSplit(),
    },
    "added tokens": {
        "norm": N.Lowercase(),
        "pre": P.WhitespaceSplit(),
        "added": [
            AddedToken("<left>", lstrip=True, normalized=False, special=True),
            AddedToken("<right>", rstrip=True, normalized=False, special=True),
            AddedToken("<both>", lstrip=True, rstrip=True, normalized=False),
            AddedToken("THE", normalized=True),
            AddedToken("text", single_word=True, normalized=True),
            AddedToken("2018", single_word=True, normalized=False),
            AddedToken("<le", normalized=False),
        ],
    },
}


def main() -> None:
    rng = random.Random(5)
    special = ["[UNK]", "<left>", "<right>", " <left> ", " <right> ", " <both> ", "The", "the", "text", "texts", "2018", "<le"]
    texts = CORPUS[8:] + ["", " ", "  a  b  "] + [fuzz(rng, special) for _ in range(45)]
    out = []
    for name, parts in PIPELINES.items():
        tokenizer = Tokenizer(models.WordLevel(unk_token="[UNK]"))
        if "norm" in parts:
            tokenizer.normalizer = parts["norm"]
        if "pre" in parts:
            tokenizer.pre_tokenizer = parts["pre"]
        trainer = trainers.WordLevelTrainer(special_tokens=["[UNK]"], show_progress=False)
        # Not on all texts, so that the unknown token is seen at work.
        tokenizer.train_from_iterator(texts[:-15], trainer)
        if "decoder" in parts:
            tokenizer.decoder = parts["decoder"]
        tokenizer.add_tokens(parts.get("added", []))
        content = json.loads(tokenizer.to_str())
        cases = []
        for text in texts:
            ids = tokenizer.encode(text).ids
            decoded = tokenizer.decode(ids, skip_special_tokens=False) if "decoder" in parts else None
            cases.append([text, ids, decoded])
        out.append({"name": name, "tokenizer": content, "cases": cases})
    (FIXTURES / "components.json").write_text(json.dumps(out))


if __name__ == "__main__":
    main()
