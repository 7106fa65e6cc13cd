"""python make_arrow.py OUT: Arrow streams and data set folders written by pyarrow and datasets (arrow/*).

NAME.arrow and NAME.rows: one line of JSON for each row, {column: value, ...}. In it bytes are text, or "hex:..."
where a byte is no printable ASCII; dates, times and durations are the stored whole numbers; decimals and intervals
the stored bytes; a map is a list of {"key", "value"}. Columns that are not read are left out of the lines.
"""

import decimal
import json
import pathlib
import shutil
import sys

import datasets
import numpy as np
import pyarrow as pa

import tiny_png


def shown(x):
    if isinstance(x, (bytes, str)):
        raw = x.encode() if isinstance(x, str) else x
        return raw.decode() if all(0x20 <= b < 0x7F for b in raw) else "hex:" + raw.hex()
    if isinstance(x, dict):
        return {k: shown(v) for k, v in x.items()}
    if isinstance(x, (list, tuple)):
        return [shown(v) for v in x]
    return x


def save_rows(path, columns):
    names = list(columns)
    with open(path, "w") as f:
        for row in zip(*columns.values()):
            f.write(json.dumps({k: shown(v) for k, v in zip(names, row)}, separators=(",", ":")) + "\n")


def stream(path, batches, schema, options=None):
    with pa.OSFile(str(path), "wb") as f, pa.ipc.new_stream(f, schema, options=options) as w:
        for batch in batches:
            w.write_batch(batch)


def storage(values, width):
    """Whole numbers as little-endian two's complement of `width` bytes."""
    return [None if v is None else v.to_bytes(width, "little", signed=True) for v in values]


def with_storage(kind, values):
    """An array of a type of 8 or 4 bytes whose stored whole numbers are these."""
    return pa.array(values, pa.int32() if kind.bit_width == 32 else pa.int64()).view(kind)


def plain():
    """Every type without children: (array, values)."""
    whole = [None, -1, 0, 1, 100, None, -128, 127]
    natural = [0, 1, None, 200, 255, 7, 0, None]
    reals = [0.5, None, -2.25, 0.0, 1024.0, -0.125, 3.0, None]
    texts = ["a", None, "", "two words", "q\"uote\\", "x" * 40, "h\u00e9", "z"]
    blobs = [b"\x00\xff", b"", None, b"plain", b"\n", b"\x7f", b"k" * 33, b"."]
    fixed = [b"abc", None, b"\x00\x01\x02", b"xyz", b"...", None, b"\xff\xff\xff", b"end"]
    cents = [None, 1, -1, 123456789, 0, -99999, 5, 42]
    columns = {
        "nothing": (pa.nulls(8), [None] * 8),
        "flag": (pa.array(flags := [True, None, False, True, True, None, False, True]), flags),
    }
    for bits in (8, 16, 32, 64):
        edge = [None if v is None else v * 2 ** (bits - 8) for v in whole]
        columns[f"i{bits}"] = (pa.array(edge, getattr(pa, f"int{bits}")()), edge)
        columns[f"u{bits}"] = (pa.array(natural, getattr(pa, f"uint{bits}")()), natural)
    columns["f16"] = (pa.array([None if v is None else np.float16(v) for v in reals], pa.float16()), reals)
    columns["f32"] = (pa.array(reals, pa.float32()), reals)
    columns["f64"] = (pa.array(reals, pa.float64()), reals)
    for kind in (pa.date32(), pa.time32("s"), pa.date64(), pa.time64("us"), pa.timestamp("us", "UTC"), pa.duration("ms")):
        step = 86400000 if kind == pa.date64() else 1
        stored = [None if v is None else abs(v) * step for v in whole]
        columns[str(kind).replace(" ", "")] = (with_storage(kind, stored), stored)
    columns["decimal"] = (
        pa.array([None if v is None else decimal.Decimal(v).scaleb(-2) for v in cents], pa.decimal128(20, 2)),
        storage(cents, 16),
    )
    columns["utf8"] = (pa.array(texts), texts)
    columns["large_utf8"] = (pa.array(texts, pa.large_string()), texts)
    columns["binary"] = (pa.array(blobs, pa.binary()), blobs)
    columns["large_binary"] = (pa.array(blobs, pa.large_binary()), blobs)
    columns["fixed"] = (pa.array(fixed, pa.binary(3)), fixed)
    return columns


RLE = pa.struct([("counts", pa.string()), ("size", pa.list_(pa.int64()))])


def nested():
    lists = [[1, 2], None, [], [3], [None, 4, 5], [6] * 9, [], [7]]
    threes = [[1, 2, 3], None, [4, None, 6], [7, 8, 9], None, [0, 0, 0], [1, 1, 1], [2, 2, 2]]
    maps = [{"a": 1}, None, {}, {"b": None, "c": 3}, {}, {"d": 4}, None, {"e": 5}]
    structs = [
        {"x": 1, "y": {"z": "in"}},
        None,
        {"x": None, "y": {"z": None}},
        {"x": 2, "y": None},
        {"x": 3, "y": {"z": ""}},
        {"x": 4, "y": {"z": "deep"}},
        None,
        {"x": 5, "y": {"z": "end"}},
    ]
    masks = [
        [{"counts": "42102", "size": [3, 4]}, {"counts": "0<", "size": [3, 4]}],
        None,
        [],
        [{"counts": "T3Xo05hRV1N", "size": [480, 640]}],
        [{"counts": None, "size": None}, None],
        [{"counts": "", "size": []}],
        None,
        [{"counts": "9", "size": [3, 3]}] * 3,
    ]
    words = [[["a", "b"], []], None, [None], [["c"]], [], [["d", None, "e"]], [[], [], ["f"]], [["g"]]]
    flags = [[True, False, True], [], None, [None, True] * 5, [False], [], [True] * 11, [False]]
    pairs = [None if m is None else [{"key": k, "value": v} for k, v in m.items()] for m in maps]
    return {
        "list": (pa.array(lists, pa.list_(pa.int64())), lists),
        "large_list": (pa.array(lists, pa.large_list(pa.int16())), lists),
        "threes": (pa.array(threes, pa.list_(pa.int32(), 3)), threes),
        "map": (pa.array([None if m is None else list(m.items()) for m in maps], pa.map_(pa.string(), pa.int32())), pairs),
        "struct": (pa.array(structs, pa.struct([("x", pa.int8()), ("y", pa.struct([("z", pa.string())]))])), structs),
        "mask_rle": (pa.array(masks, pa.list_(RLE)), masks),
        "words": (pa.array(words, pa.list_(pa.list_(pa.string()))), words),
        "flags": (pa.array(flags, pa.list_(pa.bool_())), flags),
    }


def save(out, name, columns, cuts, options=None, unread=()):
    """Batches of rows [cuts[i], cuts[i + 1])."""
    whole = pa.record_batch([a for a, _ in columns.values()], list(columns))
    stream(out / f"{name}.arrow", [whole.slice(a, b - a) for a, b in zip(cuts, cuts[1:])], whole.schema, options)
    save_rows(out / f"{name}.rows", {k: v[cuts[0] : cuts[-1]] for k, (_, v) in columns.items() if k not in unread})


def save_dictionaries(out):
    """Dictionaries that are shared, replaced, appended to, of whole numbers, and with nulls on both sides."""
    texts = [["red", "green", None, "red"], ["blue", "red", "green", None], ["blue", "blue", "grey", "red"]]
    numbers = [[7, None, 9, 7], [9, 9, 7, 11], [11, 5, None, 7]]

    def batches(words):
        seen = []  # grows, so that each dictionary begins with the one before
        for i, row in enumerate(texts):
            seen += [w for w in words(row) if w not in seen]
            index = pa.array([None if w is None else seen.index(w) for w in row], pa.int8())
            values = pa.array(list(seen), pa.string())
            counted = pa.DictionaryArray.from_arrays(
                pa.array([None if n is None else i for i, n in enumerate(numbers[i])], pa.uint16()),
                pa.array([0 if n is None else n for n in numbers[i]], pa.int64()),
            )
            yield pa.record_batch([pa.DictionaryArray.from_arrays(index, values), counted], ["word", "number"])

    rows = {"word": sum(texts, []), "number": sum(numbers, [])}
    replaced = list(batches(lambda row: [w for w in row if w is not None]))
    for name, deltas in (("dictionary_replaced", False), ("dictionary_delta", True)):
        options = pa.ipc.IpcWriteOptions(emit_dictionary_deltas=deltas)
        stream(out / f"{name}.arrow", replaced, replaced[0].schema, options)
        save_rows(out / f"{name}.rows", rows)


def save_passed_over(out):
    """Types that are not read, between columns that are."""
    n = 4
    texts = ["short", "a text of more than twelve bytes", None, "b text of more than twelve bytes"]
    columns = {
        "before": (pa.array(range(n), pa.int64()), list(range(n))),
        "view": (pa.array(texts, pa.string_view()), texts),
        "runs": (pa.RunEndEncodedArray.from_arrays(pa.array([1, 4], pa.int32()), pa.array(["u", "v"])), None),
        "list_view": (pa.array([[1], [], [2, 3], None], pa.list_view(pa.int8())), None),
        "after": (pa.array(["p", "q", None, "s"]), ["p", "q", None, "s"]),
    }
    columns = {k: (a, v or [None] * n) for k, (a, v) in columns.items()}
    save(out, "passed_over", columns, [0, n], unread=("view", "runs", "list_view"))


def repetitive(columns, times):
    return {k: (pa.concat_arrays([a] * times), v * times) for k, (a, v) in columns.items()}


def save_folders(out):
    """Folders of the datasets library: GAR rows in three shards, splits, and a transposed sequence."""
    png = tiny_png.png(2, 3)
    turns = [[{"from": "human", "value": f"<image>\nWhat is {i}?"}, {"from": "gpt", "value": f"It is {i}."}] for i in range(7)]
    masks = [None if i == 3 else [{"counts": "42102", "size": [3, 4]}] * (i % 3) for i in range(7)]
    images = [None if i == 5 else {"bytes": png + bytes([i]), "path": f"{i}.png" if i % 2 else None} for i in range(7)]
    turn = {"from": datasets.Value("string"), "value": datasets.Value("string")}
    rle = {"counts": datasets.Value("string"), "size": datasets.List(datasets.Value("int64"))}
    features = datasets.Features(
        {
            "image": datasets.Image(),
            "conversations": datasets.List(turn),
            "mask_rle": datasets.List(rle),
            "label": datasets.ClassLabel(names=["cat", "dog"]),
        }
    )
    labels = [0, 1, None, 1, 0, 0, 1]
    rows = {"image": images, "conversations": turns, "mask_rle": masks, "label": labels}
    save_folder(out / "gar", datasets.Dataset.from_dict(rows, features), num_shards=3)
    save_rows(out / "gar.rows", rows)

    packed = datasets.Features({"conversations": datasets.Sequence(turn), "ids": datasets.Sequence(datasets.Value("int32"))})
    sequences = {"conversations": turns, "ids": [[1, 2], [], [3], [4], [5], [6], [7]]}
    columns = [{k: [turn[k] for turn in row] for k in turn} for row in turns]  # stored as a struct of lists
    whole = datasets.Dataset.from_dict({**sequences, "conversations": columns}, packed)
    save_folder(out / "splits", datasets.DatasetDict({"train": whole.select(range(5)), "test": whole.select(range(5, 7))}))
    save_rows(out / "splits-train.rows", {k: v[:5] for k, v in sequences.items()})
    save_rows(out / "splits-test.rows", {k: v[5:] for k, v in sequences.items()})


def save_folder(path, data, **options):
    shutil.rmtree(path, ignore_errors=True)
    data.save_to_disk(str(path), **options)
    for state in path.rglob("state.json"):  # made anew by each run
        text = json.loads(state.read_text())
        text["_fingerprint"] = "0123456789abcdef"
        state.write_text(json.dumps(text, indent=2, sort_keys=True))


def main(out):
    out = pathlib.Path(out) / "arrow"
    out.mkdir(parents=True, exist_ok=True)
    save(out, "plain", plain(), [0, 3, 3, 8])
    save(out, "nested", nested(), [0, 0, 2, 8, 8])
    save(out, "sliced", {**plain(), **nested()}, [3, 7])
    old = pa.ipc.IpcWriteOptions(use_legacy_format=True, metadata_version=pa.ipc.MetadataVersion.V4)
    save(out, "legacy", nested(), [0, 5, 8], old)
    for codec in ("lz4", "zstd"):
        options = pa.ipc.IpcWriteOptions(compression=codec)
        save(out, codec, repetitive({**plain(), **nested()}, 3), [0, 3, 24], options)
        (out / f"{codec}.rows").rename(out / "compressed.rows")  # the same for both
    whole = pa.record_batch([a for a, _ in nested().values()], list(nested()))
    with pa.OSFile(str(out / "random_access.arrow"), "wb") as f, pa.ipc.new_file(f, whole.schema) as w:
        w.write_batch(whole)
    shutil.copy(out / "legacy.rows", out / "random_access.rows")
    save_dictionaries(out)
    save_passed_over(out)
    save_folders(out)


if __name__ == "__main__":
    main(sys.argv[1])
