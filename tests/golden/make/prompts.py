"""Prompt texts and token ids as the published scripts make them (chat template, region prompts, crop tokens)."""

import json
import pathlib

import jinja2
from tokenizers import AddedToken, Tokenizer, decoders, models, pre_tokenizers, processors, Regex

HERE = pathlib.Path(__file__).resolve().parent

SYSTEM = (
    "You are a helpful language and vision assistant. You are able to understand the visual content that the user "
    "provides, and assist the user with a variety of tasks using natural language."
)

TEMPLATE = (
    "{{- bos_token }}{%- if messages[0]['role'] == 'system' -%}"
    "    {%- set system_message = messages[0]['content']|trim %}\n    {%- set messages = messages[1:] %}\n"
    "{%- else %}    {%- set system_message = '" + SYSTEM + "' %}{%- endif %}"
    "{{- '<|start_header_id|>system<|end_header_id|>\\n\\n' }}{{- system_message }}{{- '<|eot_id|>' }}"
    "{%- for message in messages %}{{- '<|start_header_id|>' + message['role'] + '<|end_header_id|>\\n\\n' }}"
    "{%- for content in message['content'] | selectattr('type', 'equalto', 'image') %}{{ '<|image|>' }}{%- endfor %}"
    "{%- for content in message['content'] | selectattr('type', 'equalto', 'video') %}{{ '<|video|>' }}{%- endfor %}"
    "{%- for content in message['content'] | selectattr('type', 'equalto', 'text') %}{{- content['text'] | trim }}{%- endfor %}"
    "{{'<|eot_id|>' }}{%- endfor %}"
    "{%- if add_generation_prompt %}{{- '<|start_header_id|>assistant<|end_header_id|>\\n\\n' }}{%- endif %}"
)

SPLIT = (
    r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*"
    r"|\s*[\r\n]+|\s+(?!\S)|\s+"
)


def byte_alphabet():
    """byte -> the printable character that byte-level vocabularies spell it with (GPT-2's table)."""
    keep = list(range(33, 127)) + list(range(161, 173)) + list(range(174, 256))
    table, extra = {}, 0
    for b in range(256):
        if b in keep:
            table[b] = chr(b)
        else:
            table[b] = chr(256 + extra)
            extra += 1
    return table


def added_tokens(first):
    """Special tokens of a GAR vocabulary whose plain part ends at `first` (128000 or 256), in id order; the test
    vocabulary keeps 29 of the reserved ones."""
    names = [
        "<|begin_of_text|>",
        "<|end_of_text|>",
        "<|image|>",
        "<|video|>",
        "<|reserved_special_token_2|>",
        "<|reserved_special_token_3|>",
        "<|start_header_id|>",
        "<|end_header_id|>",
        "<|reserved_special_token_4|>",
        "<|eot_id|>",
    ]
    names += [f"<|reserved_special_token_{5 + k}|>" for k in range(246 if first == 128000 else 24)]
    names += [f"<Prompt{k}>" for k in range(5)] + ["<NO_Prompt>"]
    return {name: first + i for i, name in enumerate(names)}


def byte_tokenizer():
    """The 296-row vocabulary of the golden models: 256 bytes, then the special tokens."""
    t = Tokenizer(models.BPE(vocab={c: b for b, c in byte_alphabet().items()}, merges=[], ignore_merges=True))
    t.pre_tokenizer = pre_tokenizers.Sequence(
        [
            pre_tokenizers.Split(Regex(SPLIT), "isolated"),
            pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False),
        ]
    )
    t.decoder = decoders.ByteLevel()
    special = added_tokens(256)
    t.add_special_tokens([AddedToken(name, normalized=False, special=True) for name in special])
    assert all(t.token_to_id(name) == i for name, i in special.items())
    bos = "<|begin_of_text|>"
    t.post_processor = processors.Sequence(
        [
            processors.ByteLevel(trim_offsets=False),
            processors.TemplateProcessing(
                single=f"{bos} $A", pair=f"{bos} $A {bos}:1 $B:1", special_tokens=[(bos, special[bos])]
            ),
        ]
    )
    return t


def crop_name(prompt):
    return f"<|reserved_special_token_{prompt + 2}|>"


def single(prompt, tokens, question="Describe this masked region in detail."):
    """Description of one region (demo, DLC-Bench, Ferret-Bench, MDVP-Bench)."""
    p = f"<Prompt{prompt}>"
    return f"There are some objects I am curious about: {p};\n{p}: " + crop_name(prompt) * tokens + question


def multi(prompts, tokens, question):
    """A question about several regions (GAR-Bench), in ascending order of the prompts."""
    prompts = sorted(prompts)
    text = "There are some objects I am curious about: " + "".join(f"<Prompt{p}>; " for p in prompts) + "\n"
    for p in prompts:
        text += f"<Prompt{p}>: " + crop_name(p) * tokens + "\n"
    return text + "\n" + question


def chat(messages, generate=True):
    env = jinja2.Environment(trim_blocks=True, lstrip_blocks=True)
    return env.from_string(TEMPLATE).render(
        messages=messages, bos_token="<|begin_of_text|>", add_generation_prompt=generate
    )


def user(text, image=True):
    return {
        "role": "user",
        "content": ([{"type": "image"}] if image else []) + [{"type": "text", "text": text}],
    }


def encode(tokenizer, rendered, image_tokens, double_bos):
    """Rendered template -> ids; every <|image|> becomes `image_tokens` copies. double_bos lets the post-processor add
    a second begin-of-text, as the published inference scripts do."""
    return tokenizer.encode(
        rendered.replace("<|image|>", "<|image|>" * image_tokens), add_special_tokens=double_bos
    ).ids


def save_tokenizer(path):
    text = json.loads(byte_tokenizer().to_str())
    pathlib.Path(path).write_text(json.dumps(text, indent=1, ensure_ascii=False) + "\n")
