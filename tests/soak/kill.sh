#!/bin/sh
# kill.sh GRASP DIR - commands that write are killed at twenty moments; what was there before is whole afterwards, and no half file has a final name.
set -eu
grasp=$1
work=$2/kill
rm -rf "$work"
mkdir -p "$work"
"$grasp" new "$work/model" --preset gar-test --seed 1 --quiet
before=$(cat "$work"/model/* | cksum)

i=0
while [ $i -lt 20 ]; do
    i=$((i + 1))
    delay=0.0$(((i * 37) % 90 + 5))
    "$grasp" new "$work/victim" --preset gar-test --seed $i --quiet &
    pid=$!
    sleep "$delay"
    kill -9 $pid 2>/dev/null || true
    wait $pid 2>/dev/null || true
    if [ -d "$work/victim" ]; then # it is there only when it is whole
        "$grasp" inspect "$work/victim" >/dev/null || { echo "FAILED: a killed 'new' left a broken model"; exit 1; }
        rm -rf "$work/victim"
    fi
    "$grasp" describe examples/kitchen.jpg --box 10,10,200,200 -m "$work/model" -n 50 --dump "$work/values.safetensors" --quiet >/dev/null &
    pid=$!
    sleep "$delay"
    kill -9 $pid 2>/dev/null || true
    wait $pid 2>/dev/null || true
    rm -f "$work"/values.safetensors.tmp-*
    "$grasp" tokenizer train docs/*.md src/*/*.c --out "$work/words" --vocab-size 2000 --quiet >/dev/null &
    pid=$!
    sleep "$delay"
    kill -9 $pid 2>/dev/null || true
    wait $pid 2>/dev/null || true
    if [ -d "$work/words" ]; then
        "$grasp" tokenize red -m "$work/words" >/dev/null || { echo "FAILED: a killed 'tokenizer train' left half a file"; exit 1; }
        rm -rf "$work/words"
    fi
done
[ "$(cat "$work"/model/* | cksum)" = "$before" ] || { echo "FAILED: the model that was only read has changed"; exit 1; }
"$grasp" describe examples/kitchen.jpg --box 10,10,200,200 -m "$work/model" -n 4 --quiet >/dev/null
echo "kill: 60 commands killed, nothing broken" >&2
rm -rf "$work"
