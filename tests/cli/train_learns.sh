# train_learns.sh - what training is for: a random model learns what is asked of two pictures, and answers it after export.
. tests/support/cli.sh

"$grasp" new "$dir/m" --preset gar-test --quiet >"$dir/out" 2>&1 || fail "no model: $(cat "$dir/out")"
for name in dark light; do
    { printf 'P6 40 30 255\n'; head -c 3600 /dev/zero | tr '\0' "$([ $name = dark ] && echo '\020' || echo '\300')"; } >"$dir/$name.ppm"
    printf '{"image": "%s.ppm", "mask_rle": null, "conversations": [{"from": "human", "value": "<image>\\nWhat is it?"}, ' $name
    printf '{"from": "gpt", "value": "a %s one"}]}\n' $name
done >"$dir/rows.jsonl"
cat >"$dir/train.json" <<END
{"model": "$dir/m", "data": "$dir/rows.jsonl", "image_root": "$dir", "output": "$dir/run", "accumulation": 2, "steps": 60,
 "max_rows": 600, "max_tiles": 5, "learning_rate": 3e-3, "export_to": "$dir/learned"}
END
run train "$dir/train.json" --quiet
exits 0
for name in dark light; do
    run ask "$dir/$name.ppm" "What is it?" --model "$dir/learned" --quiet
    exits 0
    out_is "a $name one"
done
run ask "$dir/dark.ppm" "What is it?" --model "$dir/m" --max-tokens 12 --quiet
[ "$(cat "$dir/out")" != "a dark one" ] || fail "the model knew it before"

finish
