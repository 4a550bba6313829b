"""Conversations rendered by transformers' apply_chat_template, with templates of our own in the usual styles.

Run: python tests/tokenizers/generate_chat.py   (made with transformers 5.23.0)
Writes tests/tokenizers/fixtures/chat.json. The test needs no Python.
"""

import json
from pathlib import Path

from transformers import PreTrainedTokenizerFast
from tokenizers import Tokenizer, models

TEMPLATES = {
    # Tags around each turn.
    "tags": "{% for message in messages %}{{ '<|' + message['role'] + '|>\n' + message.content | trim + eos_token + '\n' }}"
    "{% endfor %}{% if add_generation_prompt %}{{ '<|assistant|>\n' }}{% endif %}",
    # A default system message, the system message apart, numbered turns, loop variables.
    "system": """{%- if messages[0]['role'] == 'system' -%}
    {%- set system = messages[0]['content'] -%}
    {%- set turns = messages[1:] -%}
{%- else -%}
    {%- set system = 'Be brief.' -%}
    {%- set turns = messages -%}
{%- endif -%}
{{ bos_token }}System: {{ system }}
{% for turn in turns %}
{{ loop.index }}/{{ turns | length }} {{ turn['role'] | upper }}: {{ turn['content'] }}{% if not loop.last %}

{% endif %}
{% endfor %}
{% if add_generation_prompt %}
ASSISTANT:{% endif %}""",
    # Instructions in brackets, which refuses roles that do not alternate.
    "brackets": "{{ bos_token }}{% for message in messages %}"
    "{% if (message['role'] == 'user') != (loop.index0 % 2 == 0) %}"
    "{{ raise_exception('Roles must alternate user/assistant') }}{% endif %}"
    "{% if message['role'] == 'user' %}{{ '[INST] ' + message['content'] + ' [/INST]' }}"
    "{% else %}{{ ' ' ~ message['content'] ~ eos_token }}{% endif %}{% endfor %}",
    # Tools as JSON, a macro, a namespace, tests and filters.
    "tools": """{%- macro head(role) -%}
<|start|>{{ role }}<|end|>
{%- endmacro -%}
{%- set ns = namespace(users=0) -%}
{%- if tools is defined and tools is not none -%}
{{ head('tools') }}
{% for tool in tools %}
{{ tool | tojson }}
{{ tool.function.parameters | tojson(indent=2) }}
{% endfor %}
{%- endif -%}
{%- for message in messages -%}
{%- if message.role == 'user' -%}{%- set ns.users = ns.users + 1 -%}{%- endif -%}
{{ head(message.role) }}
{%- if message.tool_calls is defined -%}
{%- for call in message.tool_calls -%}
{{ call.function.name }}({{ call.function.arguments | tojson }})
{%- endfor -%}
{%- elif message.content is string -%}
{{ message.content }}
{%- else -%}
{%- for part in message.content if part.type == 'text' -%}{{ part['text'] | replace('\n', ' ') }}{%- endfor -%}
{%- endif -%}
{%- endfor -%}
users={{ ns.users }};{{ custom | default('none') }};{{ messages | map(attribute='role') | join(',') }}
{%- if add_generation_prompt -%}{{ head('assistant') }}{%- endif -%}""",
}
TOOLS = [
    {
        "type": "function",
        "function": {
            "name": "weather",
            "description": "The weather of a town, in °C & <hPa>",
            "parameters": {"type": "object", "properties": {"town": {"type": "string"}}, "required": ["town"]},
        },
    }
]
CHATS = {
    "short": [{"role": "user", "content": "Hello"}],
    "long": [
        {"role": "user", "content": "  What is 2 + 2?\n"},
        {"role": "assistant", "content": "4"},
        {"role": "user", "content": "Grüße, \"quoted\" & <tagged> 中文 😀"},
    ],
    "system": [
        {"role": "system", "content": "Speak like a pirate."},
        {"role": "user", "content": "Hi"},
        {"role": "assistant", "content": "Arr"},
    ],
    "parts": [{"role": "user", "content": [{"type": "text", "text": "one\ntwo"}, {"type": "image"}]}],
    "calls": [
        {"role": "user", "content": "Weather in Bonn?"},
        {
            "role": "assistant",
            "tool_calls": [{"type": "function", "function": {"name": "weather", "arguments": {"town": "Bonn"}}}],
        },
        {"role": "tool", "content": "12"},
    ],
}


def main() -> None:
    tokenizer = PreTrainedTokenizerFast(
        tokenizer_object=Tokenizer(models.WordLevel({"<s>": 0, "</s>": 1}, unk_token="<s>")),
        bos_token="<s>",
        eos_token="</s>",
    )
    cases = []
    for template_name, template in TEMPLATES.items():
        tokenizer.chat_template = template
        for chat_name, chat in CHATS.items():
            if chat_name in ("parts", "calls") and template_name != "tools":
                continue
            for prompt in (False, True):
                for tools in (None, TOOLS) if template_name == "tools" else (None,):
                    for custom in (None, "yes") if template_name == "tools" else (None,):
                        extra = {} if custom is None else {"custom": custom}
                        try:
                            text = tokenizer.apply_chat_template(
                                chat, tokenize=False, add_generation_prompt=prompt, tools=tools, **extra
                            )
                        except Exception as error:
                            text = None
                            print(template_name, chat_name, type(error).__name__, error)
                        cases.append(
                            {"template": template_name, "chat": chat_name, "prompt": prompt, "tools": tools is not None, "variables": extra, "text": text}
                        )
    continued = []
    for template_name in ("tags", "system", "brackets"):
        tokenizer.chat_template = TEMPLATES[template_name]
        for content in ("Sure:", "Sure: ", " Sure"):
            chat = [{"role": "user", "content": "Hi"}, {"role": "assistant", "content": content}]
            text = tokenizer.apply_chat_template(chat, tokenize=False, continue_final_message=True)
            continued.append({"template": template_name, "messages": chat, "text": text})
    out = {"templates": TEMPLATES, "chats": CHATS, "tools": TOOLS, "cases": cases, "continued": continued}
    (Path(__file__).parent / "fixtures" / "chat.json").write_text(json.dumps(out))


if __name__ == "__main__":
    main()
