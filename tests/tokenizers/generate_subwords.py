"""Expected encodings of BPE and unigram models, from Hugging Face's tokenizers, and expected merges of training, from a
plain reading of the papers below.

Run: python tests/tokenizers/generate_subwords.py   (made with tokenizers 0.23.3)
Writes tests/tokenizers/fixtures/subwords.json. The tests need no Python.
"""

import json
import random
from collections import Counter
from fractions import Fraction
from pathlib import Path

from tokenizers import Regex, Tokenizer, decoders, models, normalizers, pre_tokenizers, processors, trainers

from generate_loaded import CORPUS, fuzz

FIXTURES = Path(__file__).parent / "fixtures"


def train_merges(words: Counter, score, join, steps: int, minimum: int) -> list:
    """Sennrich et al. (2016), Algorithm 1: count all pairs anew, merge the best; ties by count, then alphabet."""
    merges = []
    for _ in range(steps):
        pairs, singles = Counter(), Counter()
        for symbols, count in words.items():
            for symbol in symbols:
                singles[symbol] += count
            for pair in zip(symbols, symbols[1:]):
                pairs[pair] += count
        candidates = [pair for pair, count in pairs.items() if count >= minimum]
        if not candidates:
            break

        def rank(pair):
            code_units = [symbol.encode("utf-16-be") for symbol in pair]
            return (-score(pairs[pair], singles[pair[0]], singles[pair[1]]), -pairs[pair], code_units)

        best = min(candidates, key=rank)
        merges.append(list(best))
        merged_words = Counter()
        for symbols, count in words.items():
            out, i = [], 0
            while i < len(symbols):
                if symbols[i : i + 2] == best:
                    out.append(join(*best))
                    i += 2
                else:
                    out.append(symbols[i])
                    i += 1
            merged_words[tuple(out)] += count
        words = merged_words
    return merges


def training() -> dict:
    byte_level = pre_tokenizers.ByteLevel(add_prefix_space=False)
    byte_words = Counter(tuple(word) for text in CORPUS for word, _ in byte_level.pre_tokenize_str(text))
    normalizer, splitter = normalizers.BertNormalizer(lowercase=True), pre_tokenizers.BertPreTokenizer()
    bert_words = [
        word for text in CORPUS for word, _ in splitter.pre_tokenize_str(normalizer.normalize_str(text))
    ]
    pieces = Counter(tuple([word[0], *("##" + c for c in word[1:])]) for word in bert_words)
    plain = Counter(tuple([*word[:-1], word[-1] + "</w>"]) for word in bert_words)
    frequency = lambda ab, a, b: ab
    likelihood = lambda ab, a, b: Fraction(ab, a * b)
    glue = lambda a, b: a + b
    glue_piece = lambda a, b: a + b[2:]
    return {
        "corpus": CORPUS,
        "byteLevel": train_merges(byte_words, frequency, glue, 60, 2),
        "plain": train_merges(plain, frequency, glue, 60, 2),
        "wordPieceLikelihood": train_merges(pieces, likelihood, glue_piece, 60, 3),
        "wordPieceFrequency": train_merges(pieces, frequency, glue_piece, 60, 2),
    }


def encodings(tokenizer: Tokenizer, special: list[str], rng: random.Random) -> list:
    cases = []
    for text in CORPUS + ["", " ", "a"] + [fuzz(rng, special) for _ in range(150)]:
        encoded = tokenizer.encode(text)
        cases.append({"text": text, "ids": encoded.ids, "decoded": tokenizer.decode(encoded.ids, skip_special_tokens=False)})
    return cases


def bpe(kind: str, rng: random.Random) -> dict:
    if kind == "byteLevel":
        tokenizer = Tokenizer(models.BPE())
        tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
        tokenizer.decoder = decoders.ByteLevel()
        special = ["<s>", "<pad>", "</s>", "<mask>"]
        options = {"initial_alphabet": pre_tokenizers.ByteLevel.alphabet()}
    else:
        tokenizer = Tokenizer(models.BPE(unk_token="<unk>", end_of_word_suffix="</w>"))
        tokenizer.normalizer = normalizers.BertNormalizer(lowercase=True)
        tokenizer.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
        tokenizer.decoder = decoders.BPEDecoder(suffix="</w>")
        special = ["<unk>"]
        options = {"end_of_word_suffix": "</w>", "limit_alphabet": 60}
    trainer = trainers.BpeTrainer(vocab_size=400, special_tokens=special, show_progress=False, **options)
    tokenizer.train_from_iterator(CORPUS, trainer)
    if kind == "byteLevel":
        tokenizer.post_processor = processors.RobertaProcessing(("</s>", 2), ("<s>", 0))
    model = json.loads(tokenizer.to_str())["model"]
    vocabulary = [token for token, _ in sorted(model["vocab"].items(), key=lambda item: item[1])]
    return {"vocabulary": vocabulary, "merges": model["merges"], "special": special, "cases": encodings(tokenizer, special, rng)}


def unigram(rng: random.Random) -> dict:
    tokenizer = Tokenizer(models.Unigram())
    tokenizer.normalizer = normalizers.Sequence(
        [normalizers.NFKC(), normalizers.Replace(Regex(r"\s+"), " "), normalizers.Strip()]
    )
    tokenizer.pre_tokenizer = pre_tokenizers.Metaspace()
    tokenizer.decoder = decoders.Metaspace()
    special = ["<pad>", "</s>", "<unk>"]
    trainer = trainers.UnigramTrainer(
        vocab_size=320, special_tokens=special, unk_token="<unk>", show_progress=False
    )
    tokenizer.train_from_iterator(CORPUS, trainer)
    tokenizer.post_processor = processors.TemplateProcessing(
        single="$A </s>", pair="$A </s> $B </s>", special_tokens=[("</s>", 1)]
    )
    model = json.loads(tokenizer.to_str())["model"]
    return {"pieces": model["vocab"], "cases": encodings(tokenizer, special, rng)}


def main() -> None:
    rng = random.Random(11)
    out = {
        "training": training(),
        "byteLevel": bpe("byteLevel", rng),
        "plain": bpe("plain", rng),
        "unigram": unigram(rng),
    }
    (FIXTURES / "subwords.json").write_text(json.dumps(out))


if __name__ == "__main__":
    main()
