"""Counts by PyTorch, to compare with: parameters of published configurations, FLOP of small ones, t quantiles.

    python tests/scaling/generate.py > tests/scaling/counts.json

Parameters are counted on transformers' models without memory (device "meta"), FLOP by torch.utils.flop_counter.
Made with torch 2.13.0, transformers 5.23.0, scipy where it is installed (the quantiles are kept as they are without it).
"""

import json
import sys

import torch
from torch.utils.flop_counter import FlopCounterMode
from transformers import AutoConfig, AutoModelForCausalLM, AutoModelForMaskedLM, AutoModelForSeq2SeqLM

PUBLISHED = {
    "GPT2LMHeadModel": [
        dict(model_type="gpt2"),
        dict(model_type="gpt2", n_embd=1600, n_layer=48, n_head=25),
        dict(model_type="gpt2", n_embd=12, n_layer=2, n_head=3, n_inner=17, vocab_size=50, tie_word_embeddings=False),
    ],
    "OpenAIGPTLMHeadModel": [dict(model_type="openai-gpt")],
    "LlamaForCausalLM": [
        dict(model_type="llama"),
        dict(model_type="llama", vocab_size=128256, intermediate_size=14336, num_key_value_heads=8),
        dict(model_type="llama", vocab_size=128256, hidden_size=2048, intermediate_size=8192, num_hidden_layers=16,
             num_key_value_heads=8, head_dim=64, tie_word_embeddings=True, attention_bias=True),
    ],
    "BartForConditionalGeneration": [dict(model_type="bart")],
    "T5ForConditionalGeneration": [dict(model_type="t5"), dict(model_type="t5", feed_forward_proj="gated-gelu", num_decoder_layers=3)],
    "BertForMaskedLM": [dict(model_type="bert")],
    "RobertaForMaskedLM": [dict(model_type="roberta", vocab_size=50265, max_position_embeddings=514, type_vocab_size=1)],
    "AlbertForMaskedLM": [dict(model_type="albert", hidden_size=768, num_attention_heads=12, intermediate_size=3072)],
    "ElectraForMaskedLM": [dict(model_type="electra", embedding_size=128, hidden_size=256, num_attention_heads=4, intermediate_size=1024)],
}

SMALL = [
    dict(model_type="gpt2", vocab_size=41, n_embd=12, n_layer=2, n_head=3, n_inner=20),
    dict(model_type="openai-gpt", vocab_size=41, n_embd=12, n_layer=2, n_head=3),
    dict(model_type="llama", vocab_size=43, hidden_size=24, intermediate_size=40, num_hidden_layers=3, num_attention_heads=6, num_key_value_heads=2, head_dim=10),
    dict(model_type="bart", vocab_size=44, d_model=12, encoder_layers=2, encoder_ffn_dim=20, encoder_attention_heads=2, decoder_layers=3, decoder_ffn_dim=28, decoder_attention_heads=3),
    dict(model_type="t5", vocab_size=45, d_model=10, d_kv=4, d_ff=18, num_layers=3, num_decoder_layers=2, num_heads=3, feed_forward_proj="gated-gelu"),
    dict(model_type="bert", vocab_size=46, hidden_size=12, num_hidden_layers=2, num_attention_heads=3, intermediate_size=20),
    dict(model_type="roberta", vocab_size=46, hidden_size=12, num_hidden_layers=2, num_attention_heads=3, intermediate_size=20),
    dict(model_type="albert", vocab_size=46, embedding_size=8, hidden_size=12, num_hidden_layers=3, num_attention_heads=3, intermediate_size=20, inner_group_num=2),
    dict(model_type="electra", vocab_size=46, embedding_size=8, hidden_size=12, num_hidden_layers=2, num_attention_heads=3, intermediate_size=20),
]


def make(values: dict) -> torch.nn.Module:
    config = AutoConfig.for_model(**values)
    kinds = {"bart": AutoModelForSeq2SeqLM, "t5": AutoModelForSeq2SeqLM, "gpt2": AutoModelForCausalLM, "openai-gpt": AutoModelForCausalLM, "llama": AutoModelForCausalLM}
    kind = kinds.get(values["model_type"], AutoModelForMaskedLM)
    with torch.device("meta"):
        model = kind.from_config(config, attn_implementation="eager")
    model.tie_weights()
    return model


def flops(values: dict, length: int, source: int) -> int:
    model = make(values)
    text = torch.zeros(2, length, dtype=torch.long, device="meta")
    inputs = {"input_ids": text}
    if values["model_type"] in ("bart", "t5"):
        inputs = {"input_ids": torch.zeros(2, source, dtype=torch.long, device="meta"), "decoder_input_ids": text}
    counter = FlopCounterMode(display=False)
    with counter, torch.no_grad():
        model(**inputs)
    return counter.get_total_flops()


def main() -> None:
    parameters = []
    for name, configs in PUBLISHED.items():
        for values in configs:
            model = make(values)
            assert type(model).__name__ == name, type(model).__name__
            config = json.loads(model.config.to_json_string(use_diff=False)) | {"architectures": [name]}
            parameters.append(dict(className=name, config=config, total=sum(p.numel() for p in model.parameters())))
    forward = [dict(config=values, batch=2, length=7, sourceLength=5, flops=flops(values, 7, 5)) for values in SMALL]
    json.dump(dict(parameters=parameters, forward=forward), sys.stdout, indent=1)


if __name__ == "__main__":
    main()
