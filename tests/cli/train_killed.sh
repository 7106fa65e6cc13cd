# train_killed.sh - a run that is killed twenty times, at any moment, ends with the bits of one that was not.
. tests/support/cli.sh

steps=80 runs='1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20' least=10
case "$grasp" in *emulated) steps=10 runs='1 2 3 4' least=2 ;; esac # a step takes seconds there
last=$(printf 'ckpt-%09d' $steps)

"$grasp" new "$dir/m" --preset gar-test --quiet >"$dir/out" 2>&1 || fail "no model: $(cat "$dir/out")"
for name in dark light; do
    { printf 'P6 40 30 255\n'; head -c 3600 /dev/zero | tr '\0' "$([ $name = dark ] && echo '\020' || echo '\300')"; } >"$dir/$name.ppm"
    printf '{"image": "%s.ppm", "mask_rle": null, "conversations": [{"from": "human", "value": "<image>\\nWhat is it?"}, ' $name
    printf '{"from": "gpt", "value": "a %s one"}]}\n' $name
done >"$dir/rows.jsonl"
cat >"$dir/train.json" <<END
{"model": "$dir/m", "data": "$dir/rows.jsonl", "image_root": "$dir", "accumulation": 1, "steps": $steps, "max_rows": 400,
 "max_tiles": 3, "learning_rate": 1e-3, "save_every": 1}
END
run train "$dir/train.json" --set "output=$dir/whole" --quiet
exits 0

# Some are killed while they load, some in a step, some while they save.
killed=0
for i in $runs; do
    "$grasp" train "$dir/train.json" --set "output=$dir/broken" --resume --quiet --threads $((i % 3 + 1)) >"$dir/out" 2>"$dir/err" &
    job=$!
    sleep "0.$((i * 3 % 4))$((i * 7 % 10))"
    kill -KILL $job 2>/dev/null || true
    code=0
    wait $job 2>/dev/null || code=$?
    [ $code -eq 137 ] && killed=$((killed + 1))
    [ $code -eq 137 ] || [ $code -eq 0 ] || fail "run $i ended with $code: $(cat "$dir/err")"
done
echo "$killed runs were killed, after $(ls "$dir/broken" | sed -n 's/^ckpt-0*//p' | tail -1) of $steps steps"
[ $killed -ge $least ] || fail "only $killed runs were killed"
run train "$dir/train.json" --set "output=$dir/broken" --resume --quiet
exits 0
for file in optim/rank-00000-of-00001.bin model/model.safetensors; do
    cmp "$dir/whole/$last/$file" "$dir/broken/$last/$file" || fail "other bits in $file"
done
ls -A "$dir/broken" | grep -q tmp && fail "left behind: $(ls -A "$dir/broken")"
[ "$(ls -d "$dir"/broken/ckpt-* | wc -l)" -eq 2 ] || fail "checkpoints: $(ls "$dir/broken")"

# The newest checkpoint is damaged: the one before is taken, and it says so.
printf 'x' | dd of="$dir/broken/$last/optim/rank-00000-of-00001.bin" bs=1 seek=5000 conv=notrunc 2>/dev/null
run train "$dir/train.json" --set "output=$dir/broken" --resume
exits 0
err_has "$last"
cmp "$dir/whole/$last/optim/rank-00000-of-00001.bin" "$dir/broken/$last/optim/rank-00000-of-00001.bin" ||
    fail "other bits after a damaged checkpoint"
finish
