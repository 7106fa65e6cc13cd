# grasp train: options, a run on rows, stopping it, going on.
. tests/support/cli.sh

run train --print-config
exits 0
out_has 'learning_rate      = 0.00001   [default; default 1e-5, gar_1b.py]'
run train --print-config --json --set clip=0.5
exits 0
cp "$dir/out" "$dir/train.json"
run train "$dir/train.json" --print-config
exits 0
out_has 'clip               = 0.5   [file'

run train "$dir/train.json"
exits 2
err_has 'the run has no model'
run train --set learnig_rate=1
exits 2
err_has "there is no option 'learnig_rate'; 'learning_rate' may be meant"
echo '{"clop": 1}' >"$dir/bad.json"
run train "$dir/bad.json"
exits 3
err_has "bad.json: line 1, column 2: there is no option 'clop'; 'clip' may be meant"

# A run: two pictures, a question about each.
"$grasp" new "$dir/m" --preset gar-test --quiet >"$dir/out" 2>&1 || fail "no model: $(cat "$dir/out")"
for name in dark light; do
    { printf 'P6 40 30 255\n'; head -c 3600 /dev/zero | tr '\0' "$([ $name = dark ] && echo '\020' || echo '\300')"; } >"$dir/$name.ppm"
    printf '{"image": "%s.ppm", "mask_rle": null, "conversations": [{"from": "human", "value": "<image>\\nWhat is it?"}, ' $name
    printf '{"from": "gpt", "value": "a %s one"}]}\n' $name
done >"$dir/rows.jsonl"
cat >"$dir/train.json" <<END
{"model": "$dir/m", "data": "$dir/rows.jsonl", "image_root": "$dir", "output": "$dir/run", "accumulation": 2,
 "steps": 4, "max_rows": 600, "max_tiles": 5, "learning_rate": 1e-3}
END
run train "$dir/train.json" --progress json
exits 0
out_has '4 of 4 steps'
err_has 'memory: '
[ "$(grep -c '"loss":' "$dir/run/log.jsonl")" = 4 ] || fail "log.jsonl: $(cat "$dir/run/log.jsonl")"
[ -f "$dir/run/ckpt-000000004/DONE" ] || fail "no checkpoint"
run train "$dir/train.json"
exits 2
err_has 'a run is there already, at step 4'
run train "$dir/train.json" --set memory_gb=0.001 --set "output=$dir/small"
exits 5
err_has 'bytes, 1000000 are allowed'
run train "$dir/train.json" --set data=nowhere.jsonl --set "output=$dir/small"
exits 3
err_has 'nowhere.jsonl'

# Interrupted, it saves; --resume goes on to the bits of a run that was not.
"$grasp" train "$dir/train.json" --set "output=$dir/other" --set steps=400 --threads 1 >"$dir/out" 2>"$dir/err" &
job=$!
tries=0
while ! grep -q '"loss":' "$dir/other/log.jsonl" 2>/dev/null && [ $tries -lt 200 ]; do
    sleep 0.05
    tries=$((tries + 1))
done
kill -TERM $job
code=0
wait $job || code=$?
what='grasp train, terminated'
exits 143
out_has '--resume goes on'
ls "$dir"/other/ckpt-*/DONE >/dev/null || fail "$what: no checkpoint"
run train "$dir/train.json" --set "output=$dir/other"
exits 2
run train "$dir/train.json" --resume --set "output=$dir/other"
exits 2
err_has 'steps is 4, and the run was begun with 400: it cannot go on'

# Products of bf16: other bits, the same bits for any threads, and not in the middle of a run.
for threads in 1 2; do
    run train "$dir/train.json" --set products=bf16 --set "output=$dir/mixed-$threads" --threads $threads
    exits 0
done
optim=ckpt-000000004/optim/rank-00000-of-00001.bin
cmp -s "$dir/mixed-1/$optim" "$dir/mixed-2/$optim" || fail "$what: other weights with another number of threads"
if grep -q 'products of bf16' "$dir/err"; then # this processor has none, and says so
    cmp -s "$dir/run/$optim" "$dir/mixed-1/$optim" || fail "$what: products are not those of f32"
else
    ! cmp -s "$dir/run/$optim" "$dir/mixed-1/$optim" || fail "$what: products are those of f32"
fi
run train "$dir/train.json" --resume --set "output=$dir/run" --set products=bf16
exits 2
err_has 'products is'

touch "$dir/stop"
mkdir "$dir/third"
mv "$dir/stop" "$dir/third/STOP"
run train "$dir/train.json" --set "output=$dir/third"
exits 0
out_has '0 of 4 steps; --resume goes on'
run train "$dir/train.json" --set "output=$dir/third" --resume --threads 3
exits 0
cmp -s "$dir/run/ckpt-000000004/optim/rank-00000-of-00001.bin" "$dir/third/ckpt-000000004/optim/rank-00000-of-00001.bin" ||
    fail "$what: other weights"

# Rows may lie elsewhere; they may not be others.
cp "$dir/rows.jsonl" "$dir/moved.jsonl"
run train "$dir/train.json" --set "output=$dir/sets" --set "validation=$dir/rows.jsonl,$dir/moved.jsonl" --set validate_every=4
exits 0
grep -q '"validation_samples":4,"validation_sets":\[{"data":"rows","loss":[0-9.]*,"accuracy":[0-9.]*,"samples":2},{"data":"moved",' \
    "$dir/sets/log.jsonl" || fail "$what: $(grep validation "$dir/sets/log.jsonl")"
run train "$dir/train.json" --set "output=$dir/third" --resume --set "data=$dir/moved.jsonl"
exits 0
out_has '4 of 4 steps'
head -1 "$dir/rows.jsonl" >"$dir/moved.jsonl"
run train "$dir/train.json" --set "output=$dir/third" --resume --set "data=$dir/moved.jsonl"
exits 2
err_has 'the run was begun with other data'
finish
