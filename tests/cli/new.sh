# grasp new: what it makes, what it says, and that nothing is left where it fails or is interrupted.
. tests/support/cli.sh

run new "$dir/m" --preset gar-test --seed 5
exits 0
out_has "$dir/m: gar-test, seed 5: "
out_has "of F32 in 1 file"
out_has "The weights are random numbers"
err_is ""
files=$(cd "$dir/m" && echo *)
[ "$files" = "chat_template.jinja config.json generation_config.json model.safetensors preprocessor_config.json processor_config.json \
special_tokens_map.json tokenizer.json tokenizer_config.json video_preprocessor_config.json" ] || fail "$what: made $files"

# What the published processor does not open without (tests/golden/make/check_export.py).
grep -q '"AutoProcessor": "processing_gar.GARPerceptionLMProcessor"' "$dir/m/processor_config.json" || fail "$what: no code for the processor"
grep -q '"video_processor_type": "PerceptionLMVideoProcessor"' "$dir/m/video_preprocessor_config.json" || fail "$what: no video processor"
for token in image video pad; do
    grep -q "\"${token}_token\": \"<|" "$dir/m/tokenizer_config.json" || fail "$what: no ${token}_token"
done
grep -q "turn('system', 'You are a helpful language and vision assistant\\. " "$dir/m/chat_template.jinja" || fail "$what: no chat template"

# The same numbers by another number of threads; other numbers from another seed.
run new "$dir/same" --preset gar-test --seed 5 --threads 3 --json
exits 0
out_has '"preset":"gar-test","seed":5,"weights":"random","dtype":"F32","tensors":'
cmp -s "$dir/m/model.safetensors" "$dir/same/model.safetensors" || fail "$what: weights depend on threads"
GRASP_SEED=6 run new "$dir/other" --preset gar-test --quiet
exits 0
! cmp -s "$dir/m/model.safetensors" "$dir/other/model.safetensors" || fail "$what: weights do not depend on the seed"

sed -i 's/helpful/patient/' "$dir/m/chat_template.jinja"
run new "$dir/half" --preset gar-test --dtype bf16 --tokenizer "$dir/m" --progress json
exits 0
err_has '{"progress":{"task":"new","done":'
out_has "of BF16 in 1 file"
cmp -s "$dir/m/tokenizer.json" "$dir/half/tokenizer.json" || fail "$what: the tokenizer was not copied"
cmp -s "$dir/m/chat_template.jinja" "$dir/half/chat_template.jinja" || fail "$what: the tokenizer's own template was not copied"

# a vocabulary of its own
seq 1 3000 | sed 's/.*/the red circle & is left of a blue star/' >"$dir/text"
run tokenizer train "$dir/text" --out "$dir/vocab" --vocab-size 700 --quiet
exits 0
run new "$dir/small" --preset gar-test --tokenizer "$dir/vocab"
exits 2
run new "$dir/small" --preset gar-test --tokenizer "$dir/vocab" --fit-vocab
exits 0
run new "$dir/start" --preset gar-test --for-training --quiet
exits 0
! cmp -s "$dir/start/model.safetensors" "$dir/m/model.safetensors" || fail "$what: the weights are the others"
grep -q '"profile": "paper"' "$dir/start/config.json" || fail "$what: what is to be trained does not replay what the paper does"
rm -rf "$dir/start"
! grep -q '"profile"' "$dir/m/config.json" || fail "grasp new: a profile that nobody asked for"
run new "$dir/start" --preset gar-test --for-training --state-profile released --quiet
exits 0
grep -q '"profile": "released"' "$dir/start/config.json" || fail "$what: states $(grep profile "$dir/start/config.json")"
rm -rf "$dir/start"
run inspect "$dir/small"
exits 0
head -c 3600 /dev/zero | { printf 'P6 40 30 255\n'; cat; } >"$dir/p.ppm"
run describe "$dir/p.ppm" --box 1,1,9,9 --model "$dir/small" -n 3
exits 0
run new "$dir/x" --preset gar-test --fit-vocab
exits 2
err_has "no tokenizer is given"
rm -rf "$dir/text" "$dir/vocab" "$dir/small" "$dir/p.ppm"

# refused, and nothing is left: $dir holds what was there before
before=$(ls "$dir")
run new "$dir/x"
exits 2
err_is "grasp new: error: no size was given: --preset takes one of gar-1b, gar-8b, gar-test, gar-small"
run new
exits 2
err_has "an argument is missing; usage: grasp new OUT --preset NAME"
run new "$dir/x" --from "$dir/m"
exits 2
err_has "$dir/m: is a GAR already, expected a Perception-LM"
run new "$dir/x" --from "$dir/nowhere" --dtype bf16
exits 2
err_has "with --from all that is the base's"
run new "$dir/x" --from "$dir/nowhere"
exits 3
run new "$dir/x" --from "$dir/m" --preset gar-test
exits 2
err_has "--from DIR is in place of --preset"
run new "$dir/x" --preset gar-test --state-profile perhaps
exits 2
err_has "perhaps"
run new "$dir/x" --preset gar-2b
exits 2
err_has "there is no preset 'gar-2b'"
run new "$dir/x" --preset gar-test --dtype i8
exits 2
err_has "i8"
run new "$dir/m" --preset gar-test
exits 2
err_has "$dir/m: is there already and not an empty folder"
run new "$dir/no/x" --preset gar-test
exits 3
err_has "$dir/no/x"
run new "$dir/x" --preset gar-test --tokenizer "$dir/nothing.json"
exits 3
err_has "$dir/nothing.json"
run new "$dir/x" --preset gar-test --tokenizer "$dir/m/config.json"
exits 3
err_has "$dir/m/config.json"
run new "$dir/x" --preset gar-1b --tokenizer "$dir/m"
exits 2
err_has "$dir/m: '<|begin_of_text|>' has id 256, the configuration expects 128000"
[ "$(ls "$dir")" = "$before" ] || fail "refused calls left something: $(ls "$dir")"

# A published size, interrupted while it is written. Needs room for what it would write.
mkdir "$dir/big"
if [ "$(df -Pk "$dir" | awk 'NR == 2 { print $4 }')" -gt 4000000 ]; then
    for signal in INT TERM; do
        "$grasp" new "$dir/big/m" --preset gar-1b >"$dir/out" 2>"$dir/err" </dev/null &
        what="grasp new interrupted by $signal"
        tries=0
        until ls "$dir"/big/*/*.tmp-* >/dev/null 2>&1 || [ "$tries" -gt 200 ]; do
            sleep 0.05
            tries=$((tries + 1))
        done
        kill -s "$signal" $!
        code=0
        wait $! || code=$?
        [ "$signal" = INT ] && exits 130 || exits 143
        out_is ""
        err_is ""
        [ "$(ls -A "$dir/big")" = "" ] || fail "$what: left $(ls -A "$dir/big")"
    done
else
    echo "SKIP interruption: less than 4 GB are free in $dir"
fi

finish
