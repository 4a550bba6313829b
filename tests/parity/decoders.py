"""Parity cases of BART, T5, GPT and LLaMA: small random models of every class and variant, and what to run them on.

`cases()` yields Case objects; generate.py runs them and writes the folders. Sizes are all distinct, so that a
swapped axis cannot pass; weights are drawn wide, so that gains, shifts and every part of a model matter.
"""

from dataclasses import dataclass, field
from typing import Any, Iterator

import torch
from transformers import (
    BartConfig,
    BartForConditionalGeneration,
    BartForSequenceClassification,
    BartModel,
    GPT2Config,
    GPT2ForSequenceClassification,
    GPT2LMHeadModel,
    GPT2Model,
    LlamaConfig,
    LlamaForCausalLM,
    LlamaForSequenceClassification,
    LlamaModel,
    OpenAIGPTConfig,
    OpenAIGPTLMHeadModel,
    OpenAIGPTModel,
    T5Config,
    T5EncoderModel,
    T5ForConditionalGeneration,
    T5Model,
)


@dataclass
class Case:
    name: str
    model: torch.nn.Module
    inputs: dict[str, torch.Tensor]
    generate: dict[str, Any] | None = None
    # Prompt of generation, and its mask where padding cannot be told from the ids.
    prompt: dict[str, torch.Tensor] = field(default_factory=dict)


def scatter(model: torch.nn.Module, seed: int, spread: float = 0.5) -> torch.nn.Module:
    """Draws every parameter anew, so that norms have gains other than 1 and biases other than 0."""
    generator = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for name, parameter in model.named_parameters():
            noise = torch.randn(parameter.shape, generator=generator)
            is_gain = parameter.dim() == 1 and name.endswith("weight")
            # Biases stay small: large ones make every state alike, and generation repeat one token.
            width = 0.1 if parameter.dim() == 1 else spread
            parameter.copy_(1 + 0.2 * noise if is_gain else width * noise)
        for name, buffer in model.named_buffers():
            if name.endswith("final_logits_bias"):
                buffer.copy_(0.3 * torch.randn(buffer.shape, generator=generator))
    return model.eval()


def restless(model: torch.nn.Module) -> torch.nn.Module:
    """Positions that weigh more, so that generation does not repeat one token."""
    with torch.no_grad():
        model.model.decoder.embed_positions.weight.mul_(3)
    return model


def ids(rows: list[list[int]]) -> torch.Tensor:
    return torch.tensor(rows, dtype=torch.long)


def draw(seed: int, batch: int, length: int, low: int, high: int) -> torch.Tensor:
    return torch.randint(low, high, (batch, length), generator=torch.Generator().manual_seed(seed))


def right_mask(lengths: list[int], width: int) -> torch.Tensor:
    return ids([[1] * n + [0] * (width - n) for n in lengths])


def left_mask(lengths: list[int], width: int) -> torch.Tensor:
    return ids([[0] * (width - n) + [1] * n for n in lengths])


def labels_of(tokens: torch.Tensor, mask: torch.Tensor) -> torch.Tensor:
    return tokens.masked_fill(mask == 0, -100)


def bart_config(**changes: Any) -> BartConfig:
    sizes = dict(
        vocab_size=41, d_model=12, encoder_layers=2, decoder_layers=3, encoder_attention_heads=2,
        decoder_attention_heads=3, encoder_ffn_dim=20, decoder_ffn_dim=28, max_position_embeddings=24,
    )
    return BartConfig(**(sizes | changes))


def bart_cases() -> Iterator[Case]:
    source = draw(11, 2, 7, 4, 41)
    mask = right_mask([7, 4], 7)
    source = source.masked_fill(mask == 0, 1)
    target = draw(12, 2, 5, 4, 41)
    inputs = {"input_ids": source, "attention_mask": mask}
    yield Case("bart-model", scatter(BartModel(bart_config()), 1), inputs)
    yield Case(
        "bart-model-scale-embedding",
        scatter(BartModel(bart_config(scale_embedding=True, activation_function="relu")), 2),
        inputs | {"decoder_input_ids": target, "decoder_attention_mask": right_mask([5, 3], 5)},
    )
    labels = labels_of(target, right_mask([5, 3], 5))
    model = restless(scatter(BartForConditionalGeneration(bart_config()), 4))
    yield Case(
        "bart-generation-greedy", model, inputs | {"labels": labels},
        {"max_new_tokens": 9, "no_repeat_ngram_size": 2, "min_length": 5}, {"input_ids": source},
    )
    yield Case(
        "bart-generation-beams", model, inputs | {"labels": labels, "decoder_input_ids": target},
        {"max_new_tokens": 10, "num_beams": 3, "length_penalty": 2.0, "early_stopping": True, "eos_token_id": [2, 9, 17]},
        {"input_ids": source},
    )
    untied = bart_config(
        tie_word_embeddings=False, scale_embedding=True, encoder_layers=1, decoder_layers=2, forced_bos_token_id=5,
        decoder_start_token_id=0, activation_function="gelu_new", encoder_attention_heads=4,
    )
    yield Case(
        "bart-generation-untied", restless(scatter(BartForConditionalGeneration(untied), 4)), inputs | {"labels": labels},
        {"max_new_tokens": 8, "num_beams": 2, "length_penalty": 0.5, "early_stopping": "never", "eos_token_id": 7},
        {"input_ids": source},
    )
    sentences = source.clone()
    sentences[0, 3] = sentences[0, 6] = sentences[1, 1] = sentences[1, 3] = 2
    config = bart_config(num_labels=4, encoder_layers=1)
    yield Case(
        "bart-classification", scatter(BartForSequenceClassification(config), 5),
        {"input_ids": sentences, "attention_mask": mask, "labels": ids([3, 0])},
    )
    config = bart_config(num_labels=3, decoder_layers=1, problem_type="multi_label_classification")
    yield Case(
        "bart-classification-multi", scatter(BartForSequenceClassification(config), 6),
        {"input_ids": sentences, "attention_mask": mask, "labels": torch.tensor([[1.0, 0, 1], [0, 0, 1]])},
    )


def t5_config(**changes: Any) -> T5Config:
    sizes = dict(
        vocab_size=37, d_model=10, d_kv=4, d_ff=18, num_layers=3, num_decoder_layers=2, num_heads=3,
        relative_attention_num_buckets=8, relative_attention_max_distance=12, decoder_start_token_id=0,
    )
    return T5Config(**(sizes | changes))


def t5_cases() -> Iterator[Case]:
    mask = right_mask([11, 6], 11)
    source = draw(21, 2, 11, 3, 37).masked_fill(mask == 0, 0)
    target = draw(22, 2, 6, 3, 37)
    inputs = {"input_ids": source, "attention_mask": mask}
    yield Case("t5-encoder", scatter(T5EncoderModel(t5_config()), 1), inputs)
    yield Case(
        "t5-model", scatter(T5Model(t5_config(feed_forward_proj="gated-silu")), 2),
        inputs | {"decoder_input_ids": target, "decoder_attention_mask": right_mask([6, 4], 6)},
    )
    labels = labels_of(target, right_mask([6, 4], 6))
    model = scatter(T5ForConditionalGeneration(t5_config()), 3, 0.6)
    yield Case(
        "t5-generation", model, inputs | {"labels": labels}, {"max_new_tokens": 12, "eos_token_id": [1, 8], "repetition_penalty": 1.4},
        {"input_ids": source, "attention_mask": mask},
    )
    yield Case(
        "t5-generation-beams", model, inputs | {"labels": labels},
        {"max_new_tokens": 11, "num_beams": 4, "length_penalty": 0.7, "early_stopping": False, "eos_token_id": [1, 5, 20]},
        {"input_ids": source},
    )
    v11 = t5_config(feed_forward_proj="gated-gelu", tie_word_embeddings=False, num_decoder_layers=None)
    untied = T5ForConditionalGeneration(v11)
    untied.lm_head.weight = torch.nn.Parameter(torch.empty(37, 10))
    yield Case(
        "t5-generation-v1.1", scatter(untied, 4, 0.4), inputs | {"labels": labels, "decoder_input_ids": target},
        {"max_new_tokens": 9, "num_beams": 2, "length_penalty": 1.3, "early_stopping": True, "eos_token_id": 11},
        {"input_ids": source},
    )


def gpt_cases() -> Iterator[Case]:
    tokens = draw(31, 2, 7, 0, 43)
    mask = right_mask([7, 5], 7)
    inputs = {"input_ids": tokens, "attention_mask": mask, "labels": labels_of(tokens, mask)}
    left = left_mask([5, 3], 5)
    prompt = draw(32, 2, 5, 1, 43).masked_fill(left == 0, 0)
    sizes = dict(vocab_size=43, n_positions=20, n_embd=12, n_layer=3, n_head=2)
    gpt = OpenAIGPTConfig(**sizes, layer_norm_epsilon=1e-3)
    yield Case("gpt-model-left", scatter(OpenAIGPTModel(gpt), 8), {"input_ids": tokens, "attention_mask": left_mask([7, 4], 7)})
    yield Case("gpt-model", scatter(OpenAIGPTModel(gpt), 3), {"input_ids": tokens, "attention_mask": mask})
    yield Case(
        "gpt-lm", scatter(OpenAIGPTLMHeadModel(gpt), 1), inputs | {"token_type_ids": draw(33, 2, 7, 0, 43)},
        {"max_new_tokens": 8}, {"input_ids": prompt[:, 2:]},
    )
    relu = OpenAIGPTConfig(**(sizes | dict(n_head=3, afn="relu")), tie_word_embeddings=False, pad_token_id=0, eos_token_id=3)
    yield Case(
        "gpt-lm-untied", scatter(OpenAIGPTLMHeadModel(relu), 2), inputs,
        {"max_new_tokens": 7, "num_beams": 3, "length_penalty": 1.0, "early_stopping": False, "eos_token_id": [3, 17]},
        {"input_ids": prompt[:, 2:]},
    )
    special = dict(bos_token_id=1, eos_token_id=3, pad_token_id=0)
    yield Case("gpt2-model", scatter(GPT2Model(GPT2Config(**sizes, **special)), 3),
               {"input_ids": tokens, "attention_mask": mask, "position_ids": ids([[3, 1, 4, 0, 5, 9, 2]] * 2)})
    gpt2 = scatter(GPT2LMHeadModel(GPT2Config(**sizes, **special)), 4)
    yield Case(
        "gpt2-lm", gpt2, inputs,
        {"max_new_tokens": 9, "eos_token_id": [3, 30]}, {"input_ids": prompt, "attention_mask": left},
    )
    yield Case(
        "gpt2-lm-beams", gpt2, {"input_ids": prompt, "attention_mask": left, "labels": labels_of(prompt, left)},
        {"max_new_tokens": 9, "num_beams": 3, "length_penalty": -0.5, "early_stopping": "never", "eos_token_id": [3, 30]},
        {"input_ids": prompt, "attention_mask": left},
    )
    variant = GPT2Config(
        **(sizes | dict(n_layer=2, n_head=4)), **special, n_inner=17, activation_function="silu",
        scale_attn_by_inverse_layer_idx=True, scale_attn_weights=False, tie_word_embeddings=False,
    )
    yield Case(
        "gpt2-lm-variant", scatter(GPT2LMHeadModel(variant), 5), inputs | {"token_type_ids": draw(34, 2, 7, 0, 43)},
        {"max_new_tokens": 6, "num_beams": 2, "length_penalty": 2.0, "early_stopping": True, "eos_token_id": 12},
        {"input_ids": prompt, "attention_mask": left},
    )
    padded = tokens.masked_fill(mask == 0, 0)
    config = GPT2Config(**sizes, **special, num_labels=4, scale_attn_by_inverse_layer_idx=True)
    yield Case("gpt2-classification", scatter(GPT2ForSequenceClassification(config), 6),
               {"input_ids": padded, "attention_mask": mask, "labels": ids([2, 0])})
    config = GPT2Config(**sizes, **special, num_labels=1)
    yield Case("gpt2-classification-regression", scatter(GPT2ForSequenceClassification(config), 7),
               {"input_ids": padded, "attention_mask": mask, "labels": torch.tensor([0.7, -1.2])})


def llama_config(**changes: Any) -> LlamaConfig:
    sizes = dict(
        vocab_size=47, hidden_size=24, intermediate_size=40, num_hidden_layers=2, num_attention_heads=6,
        num_key_value_heads=2, max_position_embeddings=16, bos_token_id=1, eos_token_id=2, pad_token_id=0,
    )
    return LlamaConfig(**(sizes | changes))


def llama_cases() -> Iterator[Case]:
    tokens = draw(41, 2, 9, 3, 47)
    mask = right_mask([9, 6], 9)
    padded = tokens.masked_fill(mask == 0, 0)
    inputs = {"input_ids": padded, "attention_mask": mask, "labels": labels_of(padded, mask)}
    left = left_mask([6, 4], 6)
    prompt = draw(42, 2, 6, 3, 47).masked_fill(left == 0, 0)
    leaning = {"input_ids": prompt, "attention_mask": left}

    def lm(seed: int, **changes: Any) -> LlamaForCausalLM:
        return scatter(LlamaForCausalLM(llama_config(**changes)), seed)

    def rope(kind: str, theta: float = 10_000.0, **values: Any) -> dict[str, Any]:
        return {"rope_parameters": {"rope_type": kind, "rope_theta": theta, **values}}

    yield Case("llama-model", scatter(LlamaModel(llama_config(num_key_value_heads=6)), 1),
               {"input_ids": padded, "attention_mask": mask})
    yield Case("llama-lm-grouped", lm(2), inputs, {"max_new_tokens": 8}, leaning)
    yield Case(
        "llama-lm-multi-query", lm(3, num_key_value_heads=1, hidden_act="gelu", rms_norm_eps=1e-3, tie_word_embeddings=True),
        inputs, {"max_new_tokens": 8, "num_beams": 3, "length_penalty": 1.5, "early_stopping": False, "eos_token_id": [2, 19]},
        leaning,
    )
    yield Case(
        "llama-lm-head-dim", lm(4, head_dim=8, num_key_value_heads=3, attention_bias=True, mlp_bias=True, **rope("default", 500.0)),
        inputs, {"max_new_tokens": 7, "eos_token_id": [2, 5, 40]}, leaning,
    )
    yield Case("llama-lm-linear", lm(5, **rope("linear", factor=2.5)), inputs | {"position_ids": ids([[0, 1, 2, 3, 4, 5, 6, 7, 8], [5, 6, 7, 8, 9, 10, 11, 12, 13]])})
    yield Case(
        "llama-lm-dynamic", lm(6, max_position_embeddings=7, **rope("dynamic", factor=3.0)), inputs,
        {"max_new_tokens": 5}, {"input_ids": prompt[:1, 2:]},
    )
    yield Case(
        "llama-lm-llama3",
        lm(7, num_key_value_heads=6, hidden_size=48, **rope(
            "llama3", 300.0, factor=8.0, low_freq_factor=1.0, high_freq_factor=4.0, original_max_position_embeddings=64)),
        inputs, {"max_new_tokens": 6, "num_beams": 2, "length_penalty": 0.0, "early_stopping": True, "eos_token_id": 6}, leaning,
    )
    yield Case("llama-classification", scatter(LlamaForSequenceClassification(llama_config(num_labels=3)), 8),
               {"input_ids": padded, "attention_mask": mask, "labels": ids([1, 2])})
    yield Case("llama-classification-single", scatter(LlamaForSequenceClassification(llama_config(num_labels=3, pad_token_id=None)), 9),
               {"input_ids": tokens[:1], "labels": ids([1])})


def cases() -> Iterator[Case]:
    yield from bart_cases()
    yield from t5_cases()
    yield from gpt_cases()
    yield from llama_cases()
