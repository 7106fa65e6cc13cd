"""python check_export.py FOLDER GRASP [CODE]: loads a model folder that grasp wrote as the published code loads one.

FOLDER is what `grasp train` exports or `grasp new` makes, GRASP the command. Weights go through from_pretrained, which
names missing, unexpected and misshapen tensors; configuration, tokenizer and processor through their published classes.
Then both sides answer about a drawn picture, with and without a region: the same prompt ids, the same tiles, logits, and
the same greedy answer. CODE is a folder with the Python files of a published GAR checkpoint (modeling_gar.py and what goes
with it); with it the folder is opened by that very class, too, which answers where its tiles have the 16x16 tokens that
its code takes for granted. It wants einops.
"""

import contextlib
import json
import pathlib
import shutil
import subprocess
import sys
import tempfile

import numpy as np
import torch
from PIL import Image
from safetensors import safe_open
from safetensors.numpy import load_file
from tokenizers import Tokenizer
from torchvision.transforms import InterpolationMode
from transformers import AutoModel, AutoTokenizer, GenerationConfig, PretrainedConfig, PreTrainedModel
from transformers import PerceptionLMConfig, PerceptionLMForConditionalGeneration
from transformers.models.perception_lm.image_processing_perception_lm_fast import PerceptionLMImageProcessorFast
from transformers.models.perception_lm.processing_perception_lm import PerceptionLMProcessor

import cases
import files
import prompts
import reference

TYPES = {"float32": "F32", "bfloat16": "BF16", "float16": "F16"}
FEATURES, LOGITS = 1e-5, 1e-4  # as tests/support/golden_case.h has them
RESIZED = 1e-4  # share of bytes that may be off by 1, see ../vision
QUESTION = "What is it?"
STEPS = 24


class GarConfig(PretrainedConfig):
    model_type = "GAR"

    def __init__(self, mllm_config=None, **more):
        super().__init__(**more)
        self.mllm_config = PerceptionLMConfig(**(mllm_config or {}))

    def to_dict(self):
        return {**super().to_dict(), "mllm_config": self.mllm_config.to_dict()}


class GarModel(PreTrainedModel):
    """The two members of the published class that hold weights."""

    config_class = GarConfig

    def __init__(self, config):
        super().__init__(config)
        self.mllm = PerceptionLMForConditionalGeneration(config.mllm_config)
        side = config.kernel_size
        self.mask_patch_embedding = torch.nn.Conv2d(
            3, config.mask_path_embedding_out_channels, side, side, bias=False
        )


def says(what, good, found=""):
    print(("ok      " if good else "WRONG   ") + what + (f": {found}" if found != "" else ""), flush=True)
    says.bad += not good


says.bad = 0


def stored(folder):
    out = {}
    for path in sorted(folder.glob("*.safetensors")):
        with safe_open(path, "pt") as f:
            for name in f.keys():
                out[name] = f.get_slice(name).get_dtype()
    return out


def check_weights(folder, kind=GarModel, **how):
    """-> the model. how: more of from_pretrained."""
    model, info = kind.from_pretrained(folder, torch_dtype="auto", output_loading_info=True, **how)
    problems = {k: v for k, v in info.items() if v}
    says(f"{type(model).__name__}: nothing missing, unexpected, misshapen", not problems, problems or "")
    kinds = stored(folder)
    tied = model.config.mllm_config.text_config.tie_word_embeddings
    want = {n for n in model.state_dict() if not (tied and n == "mllm.lm_head.weight")}
    says("tensors have the published names", set(kinds) == want, sorted(set(kinds) ^ want) or len(want))
    declared = TYPES[json.loads((folder / "config.json").read_text())["torch_dtype"]]
    says("and the type that config.json states", set(kinds.values()) == {declared}, declared)
    return model.eval()


def check_texts(folder):
    plain = Tokenizer.from_file(str(folder / "tokenizer.json"))
    tokenizer = AutoTokenizer.from_pretrained(folder)
    text = prompts.chat([prompts.user("Grüße <Prompt1>, 世界! " + prompts.crop_name(1) * 3)])
    ids = plain.encode(text).ids
    says("AutoTokenizer gives the ids of tokenizer.json", tokenizer(text)["input_ids"] == ids, len(ids))
    images = PerceptionLMImageProcessorFast.from_pretrained(folder)
    processor = None
    try:
        processor = PerceptionLMProcessor.from_pretrained(folder)
        found = processor.apply_chat_template([prompts.user(QUESTION)], add_generation_prompt=True)
        says("the processor's chat template is the published one", found == prompts.chat([prompts.user(QUESTION)]))
    except Exception as e:  # whatever the published class does not like
        says("PerceptionLMProcessor.from_pretrained", False, f"{type(e).__name__}: {e}")
    GenerationConfig.from_pretrained(folder)
    return plain, images, processor


class Loaded(reference.Gar):
    """The wiring of reference.py around weights that were loaded."""

    def __init__(self, model, folder, images):
        config = json.loads((folder / "config.json").read_text())
        config.setdefault("grasp", {})["tile_size"] = images.tile_size
        config["grasp"].setdefault("replay_grid", 16)
        super().__init__(config, 0)
        with torch.no_grad():
            for name, p in self.tensors.items():
                p.copy_(model.state_dict()[name].float())
        self.processor = images


def ask(grasp, folder, picture, mask, scratch):
    """What grasp saw, computed and said."""
    dump = scratch / "dump.safetensors"
    region = ["--mask", str(mask)] if mask else []
    command = ["describe" if mask else "ask", str(picture), *region, *([] if mask else [QUESTION])]
    out = subprocess.run(
        [grasp, *command, "--model", folder, "--dump", dump, "--max-tokens", str(STEPS), "--quiet"],
        check=True,
        capture_output=True,
        text=True,
    )
    return load_file(dump), out.stdout.removesuffix("\n")


def compare(name, got, want, tolerance):
    off = files.relative_rms(got, want)
    says(f"{name} within {tolerance:g}", off < tolerance, "%.1e" % off)


@contextlib.contextmanager
def same_tiles(gar, pixels):
    """The picture as grasp cut it, so that a byte at the edge of two does not hide what comes after it."""
    tiles = gar.tiles

    def replaced(image, max_tiles, resample=InterpolationMode.BICUBIC):
        found, canvas = tiles(image, max_tiles, resample)
        return (pixels if resample == InterpolationMode.BICUBIC else found), canvas

    gar.tiles = replaced
    yield
    gar.tiles = tiles


def check_answers(grasp, folder, gar, plain, processor, released, kind, size, masked, scratch):
    image = cases.picture(*size, kind)
    picture, mask = scratch / "picture.png", scratch / "mask.png"
    region = cases.ellipse(*size, size[0] // 2, size[1] // 2, size[0] // 3, size[1] // 4)
    Image.fromarray(image).save(picture)
    Image.fromarray(region * 255).save(mask)
    seen, answer = ask(grasp, folder, picture, mask if masked else None, scratch)
    text = prompts.single(1, gar.grasp["replay_grid"] ** 2) if masked else QUESTION
    rendered = prompts.chat([prompts.user(text)])
    tiles = gar.processor.max_num_tiles
    canvas = gar.canvas(*size, tiles)
    ids = prompts.encode(plain, rendered, gar.tokens_per_tile() * (canvas[0] * canvas[1] + 1), True)
    where = f"picture {size[0]}x{size[1]}" + (" with a region" if masked else "")
    says(f"{where}: prompt ids", seen["input_ids"].reshape(-1).tolist() == ids, len(ids))
    if processor:  # the published road from text and picture to ids
        made = processor(text=[rendered], images=[Image.fromarray(image)], return_tensors="pt")
        says(f"{where}: the processor's ids", made["input_ids"][0].tolist() == ids)
    pixels = torch.from_numpy(np.rint(seen["pixel_values"] * 127.5 + 127.5).astype(np.uint8))
    ours = gar.tiles(torch.from_numpy(image).permute(2, 0, 1).contiguous(), tiles)[0]
    off = (pixels.reshape(ours.shape).int() - ours.int()).abs()
    good = int(off.max()) <= 1 and int((off > 0).sum()) <= off.numel() * RESIZED
    says(f"{where}: pixels", good, f"{int((off > 0).sum())} of {off.numel()} bytes differ, by {int(off.max())} at most")
    regions = [(1, region)] if masked else []
    with same_tiles(gar, pixels.reshape(ours.shape)):
        out = gar.run(image, regions, ids, reference.PROFILES["released"], tiles, steps=STEPS)
    for key, tolerance in (("pixel_values", FEATURES), ("image_features", FEATURES), ("logits", LOGITS)):
        want = files.array(out[key])
        got = seen[key].reshape(-1)
        want = want[: got.size // want.shape[-1]].reshape(-1) if key == "logits" else want.reshape(-1)
        compare(f"{where}: {key}", got, want, tolerance)
    ends = [i for i, t in enumerate(out["greedy"].tolist()) if t in gar.llama.config.eos_token_id]
    greedy = out["greedy"].tolist()[: ends[0] if ends else STEPS]
    said = plain.decode(greedy, skip_special_tokens=True)
    says(f"{where}: greedy answer", answer.strip() == said.strip(), repr(answer))
    if released and masked and gar.tokens_per_tile() == 256:
        greedy = generate(released, gar, ids, pixels, canvas, region, image, tiles)
        said = plain.decode(greedy, skip_special_tokens=True)
        says(f"{where}: answer of the released class", answer.strip() == said.strip(), repr(said))


def generate(model, gar, ids, pixels, canvas, region, image, tiles):
    """The released class's own generate."""
    plane = gar.paint([(1, region)], *image.shape[:2])
    rgb = torch.from_numpy(np.repeat(plane[None], 3, 0))
    out = model.generate(
        pixel_values=gar.normalise(pixels),
        global_mask_values=gar.normalise(gar.tiles(rgb, tiles, InterpolationMode.NEAREST)[0]),
        aspect_ratios=torch.tensor([canvas]),
        bboxes=[{str(gar.crop_ids[1]): gar.box(region, True)}],
        input_ids=torch.tensor([ids]),
        attention_mask=torch.ones(1, len(ids)),
        generation_config=GenerationConfig(
            max_new_tokens=STEPS, do_sample=False, eos_token_id=gar.llama.config.eos_token_id, pad_token_id=0
        ),
    )
    return out.sequences[0].tolist()


def open_released(folder, code, scratch):
    """The folder with its code beside it, opened as a user opens one. In float32, as grasp computes unless told."""
    place = scratch / "released"
    shutil.copytree(folder, place)
    for path in code.glob("*.py"):
        shutil.copy(path, place)
    return check_weights(place, AutoModel, trust_remote_code=True, use_flash_attn=False).float()


def main():
    folder, grasp = pathlib.Path(sys.argv[1]), sys.argv[2]
    model = check_weights(folder)
    plain, images, processor = check_texts(folder)
    gar = Loaded(model, folder, images)
    with tempfile.TemporaryDirectory() as scratch:
        scratch = pathlib.Path(scratch)
        released = open_released(folder, pathlib.Path(sys.argv[3]), scratch) if len(sys.argv) > 3 else None
        for kind, size, masked in ((3, (150, 104), False), (1, (133, 171), True), (6, (90, 90), True)):
            check_answers(grasp, folder, gar, plain, processor, released, kind, size, masked, scratch)
    print(f"{says.bad} wrong")
    return 1 if says.bad else 0


if __name__ == "__main__":
    sys.exit(main())
