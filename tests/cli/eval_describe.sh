# eval_describe.sh - grasp eval synth-bench-cap: regions described, what is stated counted; a run that was stopped goes on.
. tests/support/cli.sh

"$grasp" new "$dir/m" --preset gar-test --quiet >"$dir/out" 2>&1 || fail "no model: $(cat "$dir/out")"
if ! "$grasp" data synth "$dir/d" --bench --count 2 --quiet >"$dir/out" 2>&1; then # a build that cannot paint
    mkdir -p "$dir/d/images"
    head -c 3600 /dev/zero | tr '\0' '\200' | { printf 'P6 40 30 255\n'; cat; } >"$dir/d/images/caption_00000.png"
    item='{"image":"images/caption_00000.png","truth":{"shape":"star","colour":"red","entity":"entity","relations":[]},"description":"A red star.","mask_rles":[{"size":[30,40],"counts":[100,300,800]}]}'
    printf '[\n%s,\n%s\n]\n' "$item" "$item" >"$dir/d/synth-bench-cap.json"
fi
bench=$dir/d/synth-bench-cap.json

# A folder or its file; kinds in their order, all together last.
run eval synth-bench-cap "$dir/d" --model "$dir/m" -n 12 --out "$dir/one.json"
exits 0
out_has 'true of stated'
out_has "2 descriptions"
[ "$(sed -n 's/^\([a-z][a-z ]*[a-z]\)  .* \/.*/\1/p' "$dir/out" | tr '\n' ',')" = "noun,colour,second colour,pattern,material,entity,relation,overall," ] || fail "rows: $(cat "$dir/out")"
[ "$(grep -c '"model_output":".*","statements":{"true":[0-9]*,"false":[0-9]*,"known":[1-9][0-9]*,"missing":[0-9]*}' "$dir/one.json")" = 2 ] || fail "answers: $(cat "$dir/one.json")"
[ ! -e "$dir/one.json.part" ] || fail "the journal is still there"
cp "$dir/out" "$dir/first"
run eval synth-bench-cap "$dir/one.json" --score
exits 0
cmp -s "$dir/out" "$dir/first" || fail "$what: $(cat "$dir/out")"
run eval synth-bench-cap "$bench" --model "$dir/m" -n 12 --images "$dir/d" --threads 1 --limit 1 --json
exits 0
out_has '"benchmark":"synth-bench-cap","file":"'
out_has '"complete":true,"rows":[{"name":"noun","items":1,"answered":1,"stated":'
for key in stated_true precision precision_low precision_high known known_stated recall recall_low recall_high; do
    [ "$(grep -o "\"$key\":[0-9n]" "$dir/out" | wc -l)" = 8 ] || fail "not 8 times $key: $(cat "$dir/out")"
done

# What is said is what 'grasp describe' says.
mask=$(sed -n '2s/.*"mask_rles":\[\({[^}]*}\)\].*/\1/p' "$bench")
run describe "$dir/d/images/caption_00000.png" --region "rle:$mask" --model "$dir/m" -n 12 --json
exits 0
said=$(sed 's/.*"descriptions":\[{"region":0,"text":"\([^"]*\)".*/\1/' "$dir/out")
[ -n "$said" ] || fail "nothing is said: $(cat "$dir/out")"
grep -qF "\"model_output\":\"$said\"" "$dir/one.json" || fail "describe says '$said', the benchmark: $(grep -o '"model_output".*' "$dir/one.json")"

# The descriptions that come with the items state all, and nothing that is false.
sed 's/"description":/"model_output":/' "$bench" >"$dir/true.json"
run eval synth-bench-cap "$dir/true.json" --score
exits 0
[ "$(grep -c '^overall .* 100.0% .* 100.0% .* 100.0% .* 100.0%$' "$dir/out")" = 1 ] || fail "not all is true: $(cat "$dir/out")"
run eval synth-bench-cap "$dir/true.json" --score --json
out_has '"precision":1,'
out_has '"recall":1,'

# Stopped: a journal with one whole answer and a cut one goes on, and the answer that is there is not asked again.
mkdir "$dir/two.json" # so that all is answered and nothing can be written
run eval synth-bench-cap "$bench" --model "$dir/m" -n 12 --out "$dir/two.json"
exits 3
[ "$(wc -l <"$dir/two.json.part")" = 3 ] || fail "the journal: $(cat "$dir/two.json.part")"
rmdir "$dir/two.json"
{
    sed -n 1p "$dir/two.json.part"
    sed -n '2s/"model_output":".*"/"model_output":"A gift. A red gift."/p' "$dir/two.json.part"
    printf '{"item":1,"ima'
} >"$dir/part"
cp "$dir/part" "$dir/two.json.part"
run eval synth-bench-cap "$bench" --model "$dir/m" -n 12 --out "$dir/two.json"
exits 2
err_has "answers of an earlier run are there"
run eval synth-bench-cap "$bench" --model "$dir/m" -n 13 --out "$dir/two.json" --resume
exits 3
err_has "answers of another run"
run eval synth-bench-cap "$bench" --model "$dir/m" -n 12 --out "$dir/two.json" --resume
exits 0
grep -q '"model_output":"A gift. A red gift."' "$dir/two.json" || fail "the kept answer was asked again: $(cat "$dir/two.json")"
[ "$(sed -n 3p "$dir/two.json")" = "$(sed -n 3p "$dir/one.json")" ] || fail "the answer that was cut is another one"
[ ! -e "$dir/two.json.part" ] || fail "the journal is still there"

# A picture that is missing is named, and all of it is missed.
sed '0,/caption_00000/s//none/' "$bench" >"$dir/d/missing.json"
run eval synth-bench-cap "$dir/d/missing.json" --model "$dir/m" -n 12
exits 1
err_has 'item 0 (images/none.png) is not answered: '
out_has '1 items have no description'

# Files of the other benchmark, options that are none of this one's.
sed 's/"truth":/"truths":/' "$bench" >"$dir/other.json"
run eval synth-bench-cap "$dir/other.json" --model "$dir/m"
exits 3
err_has 'item 0 has no "truth"; expected a list of regions'
sed '3s/"entity":"[a-z]*"/"entity":"dog"/' "$bench" >"$dir/other.json"
run eval synth-bench-cap "$dir/other.json" --model "$dir/m"
exits 3
err_has "other.json: line 3, column "
err_has 'item 1, "truth": it has an "entity" that is none of'
run eval synth-bench "$bench" --model "$dir/m"
exits 3
err_has 'as those of synth-bench-cap'
run eval synth-bench-cap "$bench" --score
exits 3
err_has 'no item has a "model_output"'
run eval synth-bench-cap "$bench" --model "$dir/m" --free
exits 2
err_has '--free'
finish
