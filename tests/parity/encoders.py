"""Parity cases of BERT, RoBERTa, ALBERT and ELECTRA: every class, and the variants of their configurations."""

from typing import Iterator

import torch
import transformers as hf
from decoders import Case, scatter

BATCH, LENGTH, VOCABULARY = 2, 7, 29
SIZES = dict(
    vocab_size=VOCABULARY,
    hidden_size=12,
    num_hidden_layers=2,
    num_attention_heads=3,
    intermediate_size=20,
    max_position_embeddings=11,
    type_vocab_size=2,
)


def inputs(pad: int = 0, types: int = 2) -> dict[str, torch.Tensor]:
    """Two rows: one full, one with padding at the end; two segments; one padding id that the mask does not hide."""
    input_ids = torch.tensor([[2, 17, 5, 28, 3, 11, 9], [7, 26, 13, pad, 22, pad, pad]])
    attention_mask = torch.tensor([[1] * 7, [1, 1, 1, 1, 1, 0, 0]])
    token_type_ids = torch.tensor([[0, 0, 0, 0, 1, 1, 1], [0, 0, 1, 1, 1, 0, 0]])
    named = dict(input_ids=input_ids, attention_mask=attention_mask)
    return {**named, "token_type_ids": token_type_ids} if types > 1 else named


def masked() -> torch.Tensor:
    """Labels of a few tokens; the rest is left out of the loss."""
    return torch.tensor([[-100, 6, -100, 28, -100, -100, 1], [19, -100, -100, -100, 0, -100, -100]])


def pairs() -> torch.Tensor:
    return torch.tensor([1, 0])


def case(name: str, cls: type, config: hf.PreTrainedConfig, given: dict[str, torch.Tensor], seed: int) -> Case:
    return Case(name, scatter(cls(config), seed), given)


def bert() -> Iterator[Case]:
    config = hf.BertConfig
    yield case("bert-model", hf.BertModel, config(**SIZES), inputs(), 1)
    plain = {key: value for key, value in inputs().items() if key == "input_ids"}
    yield case("bert-model-defaults", hf.BertModel, config(**SIZES, pad_token_id=None), plain, 2)
    placed = {**inputs(), "position_ids": torch.tensor([[3, 1, 4, 0, 5, 9, 2], [0, 1, 2, 10, 4, 5, 6]])}
    sizes = {**SIZES, "num_hidden_layers": 3, "type_vocab_size": 4}
    yield case("bert-model-positions", hf.BertModel, config(**sizes, hidden_act="relu"), placed, 3)
    both = {**inputs(), "labels": masked(), "next_sentence_label": pairs()}
    yield case("bert-pre-training", hf.BertForPreTraining, config(**SIZES), both, 4)
    labelled = {**inputs(), "labels": masked()}
    yield case("bert-masked-lm", hf.BertForMaskedLM, config(**SIZES), labelled, 5)
    for number, act in enumerate(["gelu_new", "gelu_pytorch_tanh", "silu", "tanh"]):
        variant = config(**SIZES, hidden_act=act, layer_norm_eps=[1e-5, 1e-2, 0.3, 1e-12][number], pad_token_id=3)
        yield case(f"bert-masked-lm-{act.replace('_', '-')}", hf.BertForMaskedLM, variant, labelled, 10 + number)
    untied = config(**SIZES, tie_word_embeddings=False)
    yield case("bert-masked-lm-untied", hf.BertForMaskedLM, untied, labelled, 6)
    yield case("bert-next-sentence", hf.BertForNextSentencePrediction, config(**SIZES), {**inputs(), "labels": pairs()}, 7)
    yield from classifiers("bert", hf.BertForSequenceClassification, config, inputs())


def classifiers(family: str, cls: type, config: type, given: dict[str, torch.Tensor], **extra) -> Iterator[Case]:
    """The three kinds of problem. Only the last says in its config which it is."""
    sizes = {**SIZES, **extra}
    classes = {**given, "labels": torch.tensor([4, 2])}
    yield case(f"{family}-classification", cls, config(**sizes, num_labels=5), classes, 21)
    numbers = {**given, "labels": torch.tensor([0.7, -1.3])}
    yield case(f"{family}-classification-regression", cls, config(**sizes, num_labels=1), numbers, 22)
    several = {**given, "labels": torch.tensor([[1.0, 0, 1], [0, 0, 1]])}
    problem = "multi_label_classification"
    yield case(f"{family}-classification-multi", cls, config(**sizes, num_labels=3, problem_type=problem), several, 23)


def roberta() -> Iterator[Case]:
    config = hf.RobertaConfig
    # Padding stands inside a row too, and is not token 1.
    sizes = {**SIZES, "type_vocab_size": 1, "max_position_embeddings": 13}
    given = inputs(pad=3, types=1)
    yield case("roberta-model", hf.RobertaModel, config(**sizes, pad_token_id=3), given, 31)
    labelled = {**given, "labels": masked()}
    yield case("roberta-masked-lm", hf.RobertaForMaskedLM, config(**sizes, pad_token_id=3), labelled, 32)
    relu = config(**{**sizes, "type_vocab_size": 2}, pad_token_id=1, hidden_act="relu", layer_norm_eps=1e-5)
    two = {**inputs(pad=1), "labels": masked()}
    yield case("roberta-masked-lm-relu", hf.RobertaForMaskedLM, relu, two, 33)
    untied = config(**sizes, pad_token_id=3, tie_word_embeddings=False)
    yield case("roberta-masked-lm-untied", hf.RobertaForMaskedLM, untied, labelled, 34)
    extra = {**sizes, "pad_token_id": 3}
    yield from classifiers("roberta", hf.RobertaForSequenceClassification, config, given, **extra)


def albert() -> Iterator[Case]:
    config = hf.AlbertConfig
    sizes = {**SIZES, "embedding_size": 8}
    yield case("albert-model", hf.AlbertModel, config(**sizes), inputs(), 41)
    groups = {**sizes, "num_hidden_layers": 5, "num_hidden_groups": 3, "inner_group_num": 2}
    yield case("albert-model-groups", hf.AlbertModel, config(**groups, hidden_act="gelu"), inputs(), 42)
    both = {**inputs(), "labels": masked(), "sentence_order_label": pairs()}
    yield case("albert-pre-training", hf.AlbertForPreTraining, config(**sizes), both, 43)
    yield case("albert-pre-training-groups", hf.AlbertForPreTraining, config(**groups), both, 44)
    labelled = {**inputs(), "labels": masked()}
    yield case("albert-masked-lm", hf.AlbertForMaskedLM, config(**{**sizes, "num_hidden_layers": 4}), labelled, 45)
    yield from classifiers("albert", hf.AlbertForSequenceClassification, config, inputs(), embedding_size=8)


def electra() -> Iterator[Case]:
    config = hf.ElectraConfig
    narrow = {**SIZES, "embedding_size": 8}
    wide = {**SIZES, "embedding_size": 12}
    yield case("electra-model", hf.ElectraModel, config(**narrow), inputs(), 51)
    yield case("electra-model-no-projection", hf.ElectraModel, config(**wide), inputs(), 52)
    replaced = torch.tensor([[0, 1, 0, 0, 1, 0, 0], [1, 0, 0, 1, 0, 0, 0]])
    found = {**inputs(), "labels": replaced}
    yield case("electra-pre-training", hf.ElectraForPreTraining, config(**narrow), found, 53)
    unmasked = {"input_ids": inputs()["input_ids"], "labels": replaced}
    tanh = config(**wide, hidden_act="tanh")
    yield case("electra-pre-training-unmasked", hf.ElectraForPreTraining, tanh, unmasked, 54)
    labelled = {**inputs(), "labels": masked()}
    yield case("electra-masked-lm", hf.ElectraForMaskedLM, config(**narrow), labelled, 55)
    relu = config(**narrow, hidden_act="relu", tie_word_embeddings=False)
    yield case("electra-masked-lm-untied", hf.ElectraForMaskedLM, relu, labelled, 56)
    yield from classifiers("electra", hf.ElectraForSequenceClassification, config, inputs(), embedding_size=8)


def cases() -> Iterator[Case]:
    """All of them. Models are made one at a time."""
    yield from bert()
    yield from roberta()
    yield from albert()
    yield from electra()
