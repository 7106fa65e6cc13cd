# transformers_peer.py - the language model of Hugging Face's transformers on the processor: prompts and single tokens, f32 and bf16, weights
# that mean nothing.
import inspect

import peer

try:
    import torch
    import transformers
except ImportError as error:
    peer.missing(f"transformers is not there: {error}")

DTYPES = {"f32": torch.float32, "bf16": torch.bfloat16}


def decoder(dtype):
    """Made without drawing weights, which takes minutes and does not change the time; the angles of positions are the true ones."""
    config = transformers.LlamaConfig(**peer.model_config()["mllm_config"]["text_config"])
    with torch.device("meta"):
        model = transformers.LlamaForCausalLM(config).to(dtype)
    model = model.to_empty(device="cpu").eval()
    model.model.rotary_emb = type(model.model.rotary_emb)(config=config)
    model.tie_weights()
    for parameter in model.parameters():
        parameter.fill_(0.0115)
    return model


def run(model, tokens, cache):
    """The logits of the last token only, as generation asks for them; the option had another name before version 4.50."""
    last = "logits_to_keep" if "logits_to_keep" in inspect.signature(model.forward).parameters else "num_logits_to_keep"
    return model(torch.zeros(1, tokens, dtype=torch.long), past_key_values=cache, use_cache=True, **{last: 1})


def prefill(case, model):
    return lambda: run(model, case.rows, transformers.DynamicCache())


def decode(case, model):
    """One token after those of the cache, which is cut back to them for the next one."""
    cache = transformers.DynamicCache()
    run(model, case.past, cache)

    def step():
        run(model, 1, cache)
        cache.crop(case.past)

    return step


MAKERS = {"prefill": prefill, "decode": decode}


def cases(case):
    maker = MAKERS.get(case.name.rpartition("/")[2]) if case.kind == "stage" else None
    for name, dtype in DTYPES.items() if maker else ():
        yield name, "tokens/s", case.rows, [maker(case, decoder(dtype))]


torch.set_num_threads(peer.THREADS)
torch.set_grad_enabled(False)
peer.serve(f"transformers {transformers.__version__} on PyTorch {torch.__version__}; {torch.backends.cpu.get_cpu_capability()}", cases)
