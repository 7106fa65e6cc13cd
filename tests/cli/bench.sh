# grasp bench: the cases as they are listed, and as they are measured. How fast is not asked.
. tests/support/cli.sh

# Shapes of the published models (GAR-1B: PE-L and Llama-3.2-1B; GAR-8B: PE-G and Llama-3.1-8B).
run bench kernels --list --json --threads 2
exits 0
err_is ""
out_has '"threads":2,"subject":"gar-1b","rows":[{"kind":"product","name":"gar-1b/tower/patch",'
out_has '{"kind":"product","name":"gar-1b/tower/qkv","rows":1025,"inputs":1024,"outputs":3072,"heads":0,"kv_heads":0,"weights":"BF16"'
out_has '"name":"gar-1b/tower/fc2","rows":1025,"inputs":4096,"outputs":1024,'
out_has '"name":"gar-1b/prefill/k","rows":256,"inputs":2048,"outputs":512,'
out_has '{"kind":"row","name":"gar-1b/decode/head","rows":1,"inputs":2048,"outputs":128262,'
out_has '{"kind":"attention","name":"gar-1b/prefill/attention-4916","rows":256,"inputs":4916,"outputs":2048,"heads":32,"kv_heads":8,"weights":null'
out_has '{"kind":"pass","name":"gar-1b/prefill/swiglu","rows":256,"inputs":8192,"outputs":8192,'
run bench --list --json --preset gar-8b --filter tower --weights f16
exits 0
out_has '"name":"gar-8b/tower/fc1","rows":1024,"inputs":1536,"outputs":8960,"heads":0,"kv_heads":0,"weights":"F16"'

# An exact name is that case alone, though it is part of another's.
run bench --list --csv --filter gar-1b/prefill/q
exits 0
[ "$(wc -l <"$dir/out")" -eq 2 ] || fail "$what: $(wc -l <"$dir/out") lines, expected a heading and one case"
run bench --list --csv
exits 0
[ "$(awk -F, '{ print NF }' "$dir/out" | sort -u | wc -l)" -eq 1 ] || fail "$what: lines with other numbers of columns"

# Measured: the limits first, then the cases, in three forms.
small="bench kernels --preset gar-test --repeats 1 --seconds 0"
run $small --json --threads 2 --filter gar-test/prefill/
exits 0
err_is ""
out_has '"limits":[{"kind":"limit","name":"limit/fma","rows":0,'
out_has ',"unit":"GFLOP/s","flop":'
out_has '],"rows":[{"kind":"product","name":"gar-test/prefill/q","rows":256,"inputs":96,"outputs":96,'
out_has '"fraction":0.'
[ "$(grep -o '"seconds_median":[0-9]' "$dir/out" | wc -l)" -eq 13 ] || fail "$what: not 2 limits and 11 cases: $(cat "$dir/out")"
run $small --csv --filter decode --isa plain
exits 0
[ "$(awk -F, '{ print NF }' "$dir/out" | sort -u)" = 20 ] || fail "$what: lines of other than 20 columns: $(cat "$dir/out")"
[ "$(wc -l <"$dir/out")" -eq 10 ] || fail "$what: not a heading, 2 limits and 7 cases: $(cat "$dir/out")"
run $small --filter gar-test/tower/gelu --progress json
exits 0
out_has "gar-test: "
out_has "gar-test/tower/gelu "
err_has '{"progress":{"task":"measuring","done":3,"total":3,'

# Stages of a small model: rows of a whole answer, in three forms.
run new "$dir/m" --preset gar-test
exits 0
stages="bench stages --model $dir/m --repeats 1 --seconds 0 --tiles 4 --tokens 3"
run $stages --json
exits 0
err_is ""
out_has "\"subject\":\"$dir/m\",\"limits\":[{\"kind\":\"limit\",\"name\":\"limit/fma\","
out_has '{"kind":"stage","name":"picture/decode-pnm","rows":770,"inputs":1024,"outputs":3,'
out_has '"name":"answer-1+4/decode","rows":1,"inputs":96,"outputs":296,'
out_has '{"kind":"memory","name":"memory/peak",'
run $stages --csv --image examples/kitchen.jpg
[ "$code" -eq 3 ] || { # a build without JPEG says so
    exits 0
    out_has "stage,picture/decode,"
    [ "$(awk -F, '{ print NF }' "$dir/out" | sort -u)" = 20 ] || fail "$what: lines of other than 20 columns"
}

# Steps of training, in three forms.
train="bench train --model $dir/m --repeats 1 --seconds 0"
run $train --json --tiles 2
exits 0
err_is ""
out_has '{"kind":"step","name":"step/rate","rows":192,'
out_has '"unit":"samples/s","flop":0,'
out_has '{"kind":"work","name":"work/backward",'
run $train --csv --parts none --lora-rank 2
exits 0
[ "$(awk -F, '{ print NF }' "$dir/out" | sort -u)" = 20 ] || fail "$what: lines of other than 20 columns"
run $train
exits 0
out_has "step/whole "
run $train --products bf16
exits 0
out_has "step/whole "

# An interrupt: what was measured is whole, and the exit code is the signal's.
for signal in INT TERM; do
    rm "$dir/out"
    "$grasp" bench --preset gar-test --seconds 0.3 --json >"$dir/out" 2>"$dir/err" </dev/null &
    what="grasp bench interrupted by $signal"
    tries=0
    until [ -s "$dir/out" ] || [ "$tries" -gt 200 ]; do
        sleep 0.05
        tries=$((tries + 1))
    done
    kill -s "$signal" $!
    code=0
    wait $! || code=$?
    [ "$signal" = INT ] && exits 130 || exits 143
    err_is ""
    [ "$(tail -c 3 "$dir/out")" = "]}" ] || fail "$what: '$(cat "$dir/out")' is not a whole object"
done

# refused
run bench --list --filter nothing-like-that
exits 2
out_is ""
err_has "no case of gar-1b has 'nothing-like-that' in its name"
run bench --list --preset gar-2b
exits 2
err_has "there is no preset 'gar-2b'"
run bench --list --json --csv
exits 2
err_is "grasp bench: error: --json and --csv exclude each other"
run bench everything
exits 2
err_is "grasp bench: error: 'everything' cannot be measured, only kernels, stages and train; see 'grasp help bench'"
run bench stages
exits 4
err_has "no model: give --model DIR"
run bench train
exits 4
err_has "no model: give --model DIR"
for tiles in 1,4 0 x; do
    run bench train --model "$dir/m" --tiles "$tiles"
    exits 2
    err_has "--tiles $tiles: expected one number from 1 to 64"
done
run bench train --model "$dir/m" --rows 10
exits 2
err_has "a sequence of 10 rows"
run bench stages --model "$dir/nothing" --json
exits 4
out_is ""
err_has "$dir/nothing"
for tiles in 0 65 1, 1,x 1,1,1,1,1,1,1,1,1; do
    run bench stages --model "$dir/m" --tiles "$tiles"
    exits 2
    err_has "--tiles $tiles: expected 1 to 8 numbers from 1 to 64"
done
run bench stages --model "$dir/m" --image "$dir/none.png"
exits 3
err_is "grasp bench: error: $dir/none.png: No such file or directory"
run bench stages --model "$dir/m" --image "$dir/m/config.json" --csv
exits 3
out_is ""
run bench stages --model "$dir/m" --tokens 4090 --tiles 1
exits 5
out_is ""
err_has "a context of 4446 tokens"

finish
