# peer.py - what the peers in Python share: the cases on standard input, timing, and the answers. README.md has the formats.
import collections
import json
import os
import sys
import time

Case = collections.namedtuple("Case", "kind name rows inputs outputs heads kv_heads unit flop bytes past")

SECONDS = float(os.environ.get("PEER_SECONDS", "0.3"))
REPEATS = int(os.environ.get("PEER_REPEATS", "3"))
THREADS = int(os.environ.get("PEER_THREADS", "1"))


def missing(why):
    """Says why there is nothing to measure, and ends."""
    print(json.dumps({"missing": why}), flush=True)
    sys.exit(1)


def read_case(line):
    kind, name, *numbers = line.rstrip("\n").split("\t")
    unit = numbers.pop(5)
    return Case(kind, name, *numbers_of(numbers[:5]), unit, *numbers_of(numbers[5:]))


def numbers_of(texts):
    return (int(float(text)) if text != "-" else 0 for text in texts)


def model_config():
    """config.json of the model whose stages are measured."""
    with open(os.path.join(os.environ["PEER_MODEL"], "config.json"), encoding="utf-8") as file:
        return json.load(file)


def measure(calls):
    """Seconds of one call: the calls in turn, each once to warm up, then at least REPEATS calls and SECONDS seconds; ascending."""
    for call in calls:
        call()
    taken = []
    start = time.perf_counter()
    while len(taken) < REPEATS or time.perf_counter() - start < SECONDS:
        begin = time.perf_counter()
        calls[len(taken) % len(calls)]()
        taken.append(time.perf_counter() - begin)
    return sorted(taken)


def answer(case, weights, unit, work, taken):
    """One line: `work` is what a call does, in giga of the unit's thing."""
    middle = taken[len(taken) // 2]
    print(json.dumps({"name": case.name, "weights": weights, "unit": unit, "median": work / middle, "min": work / taken[-1],
                      "max": work / taken[0], "seconds_median": middle, "seconds_min": taken[0], "repeats": len(taken)}), flush=True)


def serve(about, cases):
    """Answers every case with cases(case), a generator of (weights, unit, work, calls), until there are no more. No calls: it is not
    for this peer."""
    print(json.dumps({"about": about}), flush=True)
    for line in iter(sys.stdin.readline, ""):
        case = read_case(line)
        for weights, unit, work, calls in cases(case):
            if calls:
                answer(case, weights, unit, work, measure(calls))
            del calls  # weights may be gigabytes; the next ones are made now
        print(flush=True)
