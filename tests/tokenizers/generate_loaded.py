"""Tokenizers of every published kind, small, with the encodings that transformers gives for fuzzed text.

Run: python tests/tokenizers/generate_loaded.py   (made with transformers 5.23.0, tokenizers 0.23.3)
Writes tests/tokenizers/fixtures/<kind>/{tokenizer.json, tokenizer_config.json, expected.json} and chat.json. The tests
need no Python.
"""

import json
import random
from pathlib import Path

from tokenizers import AddedToken, Regex, Tokenizer, decoders, models, normalizers, pre_tokenizers, processors, trainers
from transformers import PreTrainedTokenizerFast

from generate_wordpiece import SENTENCES

FIXTURES = Path(__file__).parent / "fixtures"
CORPUS = [
    *SENTENCES * 2,
    "A tokenizer turns text into numbers, and numbers into text again.",
    "In 2018 there were 340,000,000 parameters; in 2020 there were 175,000,000,000.",
    "def add(a, b):\n    return a + b  # don't\n\n\tx = [1, 2, 3]\n",
    "We'll see. I'd say they're 'quoted' words, IT'S SHOUTING, isn't it?",
]
POOLS = [
    "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ",
    "0123456789",
    "!\"#$%&'()*+,-./:;<=>?@[\\]^_`{|}~",
    "  \t\n",
    "éèêëÀÇñöüßøåŁžş",
    "абвгдежзий",
    "中文字漢字日本語한국어",
    "—–…“”‘’«»¿¡",
    "😀🎉👍🏽",
]
LLAMA3_SPLIT = (
    r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+"
)


def fuzz(rng: random.Random, special: list[str]) -> str:
    words = " ".join(CORPUS).split(" ")
    parts = []
    for _ in range(rng.randint(0, 10)):
        kind = rng.random()
        if kind < 0.5:
            parts.append(rng.choice(words))
        elif kind < 0.56:
            parts.append(rng.choice(special))
        else:
            pool = rng.choice(POOLS)
            parts.append("".join(rng.choice(pool) for _ in range(rng.randint(1, 6))))
        parts.append(rng.choice([" ", " ", "", "  ", "\n"]))
    return "".join(parts)


def byte_level(kind: str) -> Tokenizer:
    tokenizer = Tokenizer(models.BPE())
    if kind == "llama3":
        tokenizer.pre_tokenizer = pre_tokenizers.Sequence(
            [
                pre_tokenizers.Split(Regex(LLAMA3_SPLIT), behavior="isolated", invert=False),
                pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False),
            ]
        )
        special = ["<|begin|>", "<|end|>", "<|header|>"]
    elif kind == "roberta":
        tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
        special = ["<s>", "<pad>", "</s>", "<unk>", AddedToken("<mask>", lstrip=True)]
    else:
        tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
        special = ["<|endoftext|>"]
    tokenizer.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=420,
        special_tokens=special,
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        show_progress=False,
    )
    tokenizer.train_from_iterator(CORPUS, trainer)
    if kind == "roberta":
        tokenizer.post_processor = processors.RobertaProcessing(("</s>", 2), ("<s>", 0))
    elif kind == "llama3":
        tokenizer.post_processor = processors.Sequence(
            [
                processors.ByteLevel(trim_offsets=False),
                processors.TemplateProcessing(
                    single="<|begin|> $A", pair="<|begin|> $A <|begin|>:1 $B:1", special_tokens=[("<|begin|>", 0)]
                ),
            ]
        )
    else:
        tokenizer.post_processor = processors.ByteLevel(trim_offsets=False)
    return tokenizer


def llama2() -> Tokenizer:
    """BPE over characters with byte fallback, as sentencepiece exports it."""
    tokenizer = Tokenizer(models.BPE(unk_token="<unk>", fuse_unk=True, byte_fallback=True))
    tokenizer.normalizer = normalizers.Sequence([normalizers.Prepend("▁"), normalizers.Replace(" ", "▁")])
    tokenizer.decoder = decoders.Sequence(
        [
            decoders.Replace("▁", " "),
            decoders.ByteFallback(),
            decoders.Fuse(),
            decoders.Strip(content=" ", left=1, right=0),
        ]
    )
    special = ["<unk>", "<s>", "</s>", *[f"<0x{b:02X}>" for b in range(256)]]
    trainer = trainers.BpeTrainer(vocab_size=520, special_tokens=special, limit_alphabet=70, show_progress=False)
    tokenizer.train_from_iterator(CORPUS, trainer)
    data = json.loads(tokenizer.to_str())
    data["added_tokens"] = data["added_tokens"][:3]
    tokenizer = Tokenizer.from_str(json.dumps(data))
    tokenizer.post_processor = processors.TemplateProcessing(
        single="<s> $A", pair="<s> $A <s>:1 $B:1", special_tokens=[("<s>", 1)]
    )
    return tokenizer


def unigram() -> Tokenizer:
    """T5's and ALBERT's kind."""
    tokenizer = Tokenizer(models.Unigram())
    tokenizer.normalizer = normalizers.Sequence([normalizers.NFKC(), normalizers.Replace(Regex(" {2,}"), " ")])
    tokenizer.pre_tokenizer = pre_tokenizers.Metaspace()
    tokenizer.decoder = decoders.Metaspace()
    trainer = trainers.UnigramTrainer(
        vocab_size=300, special_tokens=["<pad>", "</s>", "<unk>"], unk_token="<unk>", show_progress=False
    )
    tokenizer.train_from_iterator(CORPUS, trainer)
    tokenizer.post_processor = processors.TemplateProcessing(
        single="$A </s>", pair="$A </s> $B </s>", special_tokens=[("</s>", 1)]
    )
    return tokenizer


def wordpiece() -> Tokenizer:
    tokenizer = Tokenizer(models.WordPiece(unk_token="[UNK]"))
    tokenizer.normalizer = normalizers.BertNormalizer(lowercase=True)
    tokenizer.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    tokenizer.decoder = decoders.WordPiece()
    trainer = trainers.WordPieceTrainer(
        vocab_size=260,
        limit_alphabet=100,
        special_tokens=["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"],
        show_progress=False,
    )
    tokenizer.train_from_iterator(CORPUS, trainer)
    tokenizer.post_processor = processors.TemplateProcessing(
        single="[CLS] $A [SEP]", pair="[CLS] $A [SEP] $B:1 [SEP]:1", special_tokens=[("[CLS]", 2), ("[SEP]", 3)]
    )
    return tokenizer


KINDS = {
    "gpt2": (lambda: byte_level("gpt2"), {"eos_token": "<|endoftext|>", "bos_token": "<|endoftext|>", "pad_token": "<pad>"}),
    "roberta": (
        lambda: byte_level("roberta"),
        {
            "bos_token": "<s>",
            "eos_token": "</s>",
            "cls_token": "<s>",
            "sep_token": "</s>",
            "pad_token": "<pad>",
            "unk_token": "<unk>",
            "mask_token": "<mask>",
        },
    ),
    "llama3": (lambda: byte_level("llama3"), {"bos_token": "<|begin|>", "eos_token": "<|end|>", "padding_side": "left", "pad_token": "<|end|>"}),
    "llama2": (llama2, {"bos_token": "<s>", "eos_token": "</s>", "unk_token": "<unk>", "pad_token": "</s>", "padding_side": "left"}),
    "unigram": (unigram, {"eos_token": "</s>", "unk_token": "<unk>", "pad_token": "<pad>"}),
    "bert": (
        wordpiece,
        {
            "cls_token": "[CLS]",
            "sep_token": "[SEP]",
            "pad_token": "[PAD]",
            "unk_token": "[UNK]",
            "mask_token": "[MASK]",
            "clean_up_tokenization_spaces": True,
        },
    ),
}


def main() -> None:
    rng = random.Random(7)
    for kind, (build, options) in KINDS.items():
        folder = FIXTURES / kind
        tokenizer = PreTrainedTokenizerFast(tokenizer_object=build(), **options)
        tokenizer.save_pretrained(folder)
        tokenizer = PreTrainedTokenizerFast.from_pretrained(folder)
        special = [token for token in tokenizer.all_special_tokens] + ["<", "[MASK"]
        texts = CORPUS + ["", " ", "a"] + [fuzz(rng, special) for _ in range(150)]
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
        for _ in range(40):
            a, b = rng.choice(texts), rng.choice([text for text in texts if text])
            limit = rng.choice([None, 6, 9, 14])
            encoded = tokenizer(a, b, truncation=limit is not None, max_length=limit, return_token_type_ids=True)
            pairs.append({"a": a, "b": b, "maxLength": limit, "ids": encoded["input_ids"], "segments": encoded["token_type_ids"]})
        rows = [rng.choice(texts) for _ in range(5)]
        encoded = tokenizer(rows, padding="longest", truncation=True, max_length=13)
        expected = {
            "singles": singles,
            "pairs": pairs,
            "batch": {"texts": rows, "maxLength": 13, "ids": encoded["input_ids"], "mask": encoded["attention_mask"]},
            "size": len(tokenizer),
            "special": {name: tokenizer.convert_tokens_to_ids(token) for name, token in tokenizer.special_tokens_map.items() if isinstance(token, str)},
        }
        (folder / "expected.json").write_text(json.dumps(expected))
        print(kind, len(tokenizer), sorted(p.name for p in folder.iterdir()))


if __name__ == "__main__":
    main()
