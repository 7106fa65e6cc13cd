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
# What is asked is the item's own question.
sed '0,/What colour/s//Of what shape/' "$dir/items.json" >"$dir/shape.json"
run eval gar-bench-vqa "$dir/shape.json" --model "$dir/m" --out "$dir/shapes.json"
exits 0
[ "$(grep -o '"probabilities".*\]' "$dir/shapes.json" | sort -u | wc -l)" = 2 ] || fail "one question or another, the probabilities are the same"
run eval synth-bench "$dir/items.json" --model "$dir/m" --free -n 5 --limit 2
exits 0
out_has '/     2'

many=40
case "$grasp" in *emulated) many=7 ;; esac # an answer takes seconds there
# Killed after some answers, the last line cut as if while it was written: the same file comes out.
{
    echo '['
    i=0
    while [ $i -lt $many ]; do
        item p.ppm A color
        echo ,
        i=$((i + 1))
    done
    item p.ppm C relation
    echo ']'
} >"$dir/many.json"
"$grasp" eval gar-bench-vqa "$dir/many.json" --model "$dir/m" --out "$dir/other.json" --quiet >/dev/null 2>&1 &
pid=$!
while kill -0 $pid 2>/dev/null && [ "$(cat "$dir/other.json.part" 2>/dev/null | wc -l)" -lt 3 ]; do sleep 0.01; done
kill -KILL $pid 2>/dev/null
wait $pid 2>/dev/null
if [ -e "$dir/other.json.part" ]; then
    [ ! -e "$dir/other.json" ] || fail "answers are there, though the run was killed"
    kept=$(sed -n 2p "$dir/other.json.part")
    run eval gar-bench-vqa "$dir/many.json" --model "$dir/m" --out "$dir/other.json"
    exits 2
    err_has "answers of an earlier run are there"
    run eval gar-bench-vqa "$dir/many.json" --model "$dir/m" --out "$dir/other.json" --resume --switch roi_mode=paper
    exits 3
    err_has "answers of another run"
    # What was answered is taken over and not asked again: an answer that was changed stays changed.
    case $kept in
    *'"model_output":"A"'*) changed=$(echo "$kept" | sed 's/"model_output":"A"/"model_output":"B"/') ;;
    *) changed=$(echo "$kept" | sed 's/"model_output":"[BC]"/"model_output":"A"/') ;;
    esac
    sed "2s/.*/$changed/" "$dir/other.json.part" >"$dir/part"
    cp "$dir/part" "$dir/other.json.part"
    printf '{"item":20,"ima' >>"$dir/other.json.part"
    mkdir "$dir/other.json" # so that all is answered and nothing can be written
    run eval gar-bench-vqa "$dir/many.json" --model "$dir/m" --out "$dir/other.json" --resume
    exits 3
    [ "$(grep -c '^{"item":.*\]}$' "$dir/other.json.part")" = $((many + 1)) ] || fail "the journal is not $((many + 1)) whole answers: $(cat "$dir/other.json.part")"
    rmdir "$dir/other.json"
    run eval gar-bench-vqa "$dir/many.json" --model "$dir/m" --out "$dir/other.json" --resume
    exits 0
    run eval gar-bench-vqa "$dir/many.json" --model "$dir/m" --out "$dir/whole.json"
    exits 0
    [ "$(diff "$dir/other.json" "$dir/whole.json" | grep -c '^>')" = 1 ] || fail "a run that went on differs in more than the changed answer"
else
    cp "$dir/other.json" "$dir/whole.json" # it was too quick to be killed
fi

# A picture that is missing is named and counts, also when what was written is scored.
sed '0,/p.ppm/s//none.ppm/' "$dir/items.json" >"$dir/missing.json"
run eval gar-bench-vqa "$dir/missing.json" --model "$dir/m" --out "$dir/missed.json"
exits 1
err_has 'item 0 (none.ppm) is not answered: '
out_has '1 items have no answer and count as wrong'
cp "$dir/out" "$dir/first"
grep -q '"model_output":"","error":".*none.ppm' "$dir/missed.json" || fail "what is wrong is not written: $(head -2 "$dir/missed.json")"
run eval gar-bench-vqa --score "$dir/missed.json"
exits 0
cmp -s "$dir/out" "$dir/first" || fail "$what: $(cat "$dir/out")"
run eval gar-bench-vqa --score "$dir/missed.json" --json
exits 0
out_has '"model":null,"complete":true,"rows":[{"name":"color","items":3,"answered":2,'

# More regions than the model has prompts, and a file with outputs that is asked again.
sed '0,/"mask_rles":\[/s//"mask_rles":[{"size": [30, 40], "counts": [0, 50, 1150]}, {"size": [30, 40], "counts": [50, 50, 1100]}, {"size": [30, 40], "counts": [0, 10, 1190]}, {"size": [30, 40], "counts": [90, 10, 1100]}, {"size": [30, 40], "counts": [80, 10, 1110]}, /' \
    "$dir/missed.json" | sed 's/none.ppm/p.ppm/; s/<Prompt0>/<Prompt0> and <Prompt5>/' >"$dir/synth-bench.json"
run eval synth-bench "$dir" --model "$dir/m" --out "$dir/six.json"
exits 1
err_has 'item 0 (p.ppm) is not answered: '
[ "$(head -2 "$dir/six.json" | grep -o model_output | wc -l)" = 1 ] || fail "an old output is still there: $(head -2 "$dir/six.json")"
run eval synth-bench "$dir" --model "$dir/m" --switch extra_prompts=replay
exits 0
run eval gar-bench-vqa "$dir" --model "$dir/m"
exits 3
err_has "the folder has no GAR-Bench-VQA.json"

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
