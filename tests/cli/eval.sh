# eval.sh - grasp eval: items asked, scored, written; a run that was stopped goes on.
. tests/support/cli.sh

"$grasp" new "$dir/m" --preset gar-test --quiet >"$dir/out" 2>&1 || fail "no model: $(cat "$dir/out")"
head -c 3600 /dev/zero | tr '\0' '\200' | { printf 'P6 40 30 255\n'; cat; } >"$dir/p.ppm"
item() { # IMAGE ANSWER TYPE
    printf '{"image": "%s", "mask_rles": [{"size": [30, 40], "counts": [100, 300, 800]}], "question": "What colour is <Prompt0>?", ' "$1"
    printf '"choices": ["A. Red.", "B. Blue.", "C. Green."], "answer": "%s", "type": "%s"}' "$2" "$3"
}
{
    echo '['
    for i in 1 2 3; do
        item p.ppm A color
        echo ,
    done
    item p.ppm C relation
    echo ']'
} >"$dir/items.json"

run eval gar-bench-vqa "$dir/items.json" --model "$dir/m" --out "$dir/answers.json" --json
exits 0
out_has '"complete":true,"rows":[{"name":"color","items":3,"answered":3,'
[ "$(grep -c '"model_output":"[ABC]","probabilities":\[' "$dir/answers.json")" = 4 ] || fail "answers: $(cat "$dir/answers.json")"
[ ! -e "$dir/answers.json.part" ] || fail "the journal is still there"
cp "$dir/answers.json" "$dir/first.json"
run eval gar-bench-vqa "$dir/answers.json" --score
exits 0
out_has 'overall'
cp "$dir/out" "$dir/scored"
run eval gar-bench-vqa "$dir/items.json" --model "$dir/m" --threads 1 --out "$dir/answers.json"
exits 0
cmp -s "$dir/out" "$dir/scored" || fail "$what: $(cat "$dir/out")"
cmp -s "$dir/answers.json" "$dir/first.json" || fail "other answers with one thread"
run eval synth-bench "$dir/items.json" --model "$dir/m" --free -n 5 --limit 2
exits 0
out_has '/     2'

# Stopped after two answers, the second of which was cut while it was written.
head -1 "$dir/answers.json" >/dev/null
printf '{"item":0,"image":"p.ppm","model_output":"B","probabilities":[0.1,0.8,0.1]}\n{"item":1,"ima' >"$dir/other.json.part"
run eval gar-bench-vqa "$dir/items.json" --model "$dir/m" --out "$dir/other.json"
exits 2
err_has "answers of an earlier run are there"
run eval gar-bench-vqa "$dir/items.json" --model "$dir/m" --out "$dir/other.json" --resume
exits 0
[ "$(grep -c model_output "$dir/other.json")" = 4 ] || fail "answers: $(cat "$dir/other.json")"
grep -q '"model_output":"B","probabilities":\[0.1,0.8,0.1\]' "$dir/other.json" || fail "the first answer was not taken over"

# A picture that is missing is named and counts.
sed '0,/p.ppm/s//none.ppm/' "$dir/items.json" >"$dir/missing.json"
run eval gar-bench-vqa "$dir/missing.json" --model "$dir/m"
exits 1
err_has 'item 0 (none.ppm) is not answered: '
out_has '1 items have no answer and count as wrong'

run eval dogs "$dir/items.json" --model "$dir/m"
exits 2
err_has "there is no benchmark 'dogs'"
run eval gar-bench-vqa "$dir/items.json"
exits 4
run eval gar-bench-vqa "$dir/items.json" --score
exits 3
err_has 'no item has a "model_output"'
run eval gar-bench-vqa "$dir/p.ppm" --model "$dir/m"
exits 3
finish
