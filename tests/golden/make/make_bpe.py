"""python make_bpe.py OUT: vocabularies that the tokenizers library learns (text/bpe_train.json).

Merges are written as pairs of ids: the 256 bytes come first, in the order of the byte alphabet, and merge i makes
token 256 + i.
"""

import json
import pathlib
import random
import sys

from tokenizers import Regex, Tokenizer, models, pre_tokenizers, trainers

import files

SPLIT = (
    r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+"
    r"|\s+(?!\S)|\s+"
)

PROSE = """A red mug stands on the table, and a smaller red mug stands behind it.
The dog that sits under the table isn't looking at the mugs; it's looking at the ball.
There's a ball under the chair, too: the dog doesn't see that one, and they'll have to fetch it.
Between the two mugs stands a wooden cube, and a cube of the same size stands on the shelf.
Der Hund sitzt unter dem Tisch und schaut zum Ball, der größer als die Tasse ist.
Größer als der Würfel ist nur der Stuhl; der Stuhl steht neben dem Tisch.
赤いカップがテーブルの上にあります。犬はテーブルの下にいます。
赤いボールは椅子の下にあります。犬はボールを見ています。
Красная кружка стоит на столе, а собака сидит под столом.
Naïve café tables — 12 of them, 345 chairs, 6789 cups… 🙂🙂 and 👩‍🔬!
"""

CODE = """for (int i = 0; i < 1024; i++) {\r
        total[i] += value[i] * 3.14159;    // sum\r
        if (total[i] >= 1000000) { return -1; }\r
}\r


\tdef region_of(mask, box):\n\t\treturn [row[box.x1:box.x2] for row in mask[box.y1:box.y2]]


#######################################
---------------------------------------
    total_value = region_of(mask, box)[0][0]      # trailing spaces   \n
"""


def drawn(seed, letters, n_words, longest):
    """Words of few letters: pairs that occur equally often, and runs of one letter."""
    draw = random.Random(seed)
    words = ["".join(draw.choice(letters) for _ in range(draw.randint(1, longest))) for _ in range(n_words)]
    return " ".join(words) + "\n"


def listed():
    """name, text, whole text at once, tokens without special ones, least frequency, sample"""
    sample = "The table isn't red; größere Würfel 赤い犬 кружка 12345 🙂\n\n    return total[i];\r\n"
    yield "prose", PROSE, False, 500, 2, sample
    yield "prose-all", PROSE, True, 5000, 1, sample
    yield "prose-frequent", PROSE, False, 5000, 4, sample
    yield "code", CODE, False, 5000, 1, sample
    yield "code-whole", CODE, True, 400, 2, sample
    yield "two-letters", drawn(1, "ab", 60, 12), False, 5000, 1, "abbabaabbaababba aaaa bbbb"
    yield "three-letters", drawn(2, "abc", 200, 9), False, 400, 1, "abcabcabacbbc cccc"
    yield "one-letter", drawn(3, "a", 30, 40), False, 5000, 1, "a" * 77


def learn(text, whole, n_tokens, least):
    tokenizer = Tokenizer(models.BPE(ignore_merges=True))
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence(
        [
            pre_tokenizers.Split(Regex(SPLIT), "isolated"),
            pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False),
        ]
    )
    trainer = trainers.BpeTrainer(
        vocab_size=n_tokens,
        min_frequency=least,
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        show_progress=False,
    )
    lines = [line + "\n" for line in text.split("\n")[:-1]]
    assert "".join(lines) == text
    tokenizer.train_from_iterator([text] if whole else lines, trainer)
    return tokenizer


def main():
    out_dir = pathlib.Path(sys.argv[1]) / "text"
    out_dir.mkdir(parents=True, exist_ok=True)
    rows = []
    for name, text, whole, n_tokens, least, sample in listed():
        tokenizer = learn(text, whole, n_tokens, least)
        model = json.loads(tokenizer.to_str())["model"]
        vocab = model["vocab"]
        merges = [[vocab[left], vocab[right]] for left, right in model["merges"]]
        for i, (left, right) in enumerate(model["merges"]):
            assert vocab[left + right] == 256 + i, (name, i)
        rows.append(
            {
                "name": name,
                "text": text,
                "whole": whole,
                "tokens": n_tokens,
                "min_frequency": least,
                "merges": merges,
                "sample": sample,
                "ids": tokenizer.encode(sample).ids,
            }
        )
        print(name, len(merges))
    files.save_rows(out_dir / "bpe_train.json", rows)


if __name__ == "__main__":
    main()
