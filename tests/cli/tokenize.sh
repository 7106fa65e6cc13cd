# grasp tokenize: ids, byte ranges, the way back, and what is refused.
. tests/support/cli.sh

m=$dir/m
run new "$m" --preset gar-test # every byte is a token
exits 0

run tokenize "Hi" --model "$m"
exits 0
out_is "     72  0..1  \"H\"
    105  1..2  \"i\""
err_is ""
run tokenize "Hi" --model "$m/tokenizer.json" --ids-only
out_is "72 105"
run tokenize "" --model "$m" --ids-only
exits 0
out_is ""
run tokenize 'a"' --model "$m" --json
out_is '{"bytes":2,"ids":[97,34],"tokens":[{"id":97,"text":"a","begin":0,"end":1,"special":false},{"id":34,"text":"\"","begin":1,"end":2,"special":false}]}'
run tokenize 'a' --model "$m" --json --ids-only
out_is '{"bytes":1,"ids":[97]}'

# special tokens only where they are asked for
run tokenize "<Prompt0>" --model "$m" --ids-only
out_is "60 80 114 111 109 112 116 48 62"
run tokenize "<Prompt0>x" --model "$m" --specials
out_is "    290  0..9  \"<Prompt0>\"
    120  9..10  \"x\""

# standard input, whatever it holds
printf 'a\0\303' >"$dir/in"
for dash in "" -; do
    code=0
    what="grasp tokenize $dash <file"
    "$grasp" tokenize $dash --model "$m" --json <"$dir/in" >"$dir/out" 2>"$dir/err" || code=$?
    exits 0
    out_has '"ids":[97,0,195]'
    out_has '"text":"a"'
    out_has '"text":"\u0000"'
done

# and back
run tokenize --decode "72, 105" --model "$m"
exits 0
out_is "Hi"
run tokenize --decode "[290,72]" --model "$m"
out_is "H"
run tokenize --decode "290 72" --model "$m" --specials
out_is "<Prompt0>H"
run tokenize --decode "72 10 34" --model "$m" --json
out_is '{"text":"H\n\""}'
printf '72\n105\n' >"$dir/in"
"$grasp" tokenize --decode - --model "$m" <"$dir/in" >"$dir/out"
what="grasp tokenize --decode -"
out_is "Hi"

run tokenize --decode "72 x" --model "$m"
exits 3
err_is "grasp tokenize: error: 'x' is not an id: ids are numbers, separated by spaces or commas"
run tokenize --decode "7.2" --model "$m"
exits 3
for id in 296 -1 99999999999999999999; do
    run tokenize --decode "$id" --model "$m"
    exits 3
    err_is "grasp tokenize: error: '$id' is no token's id in this tokenizer"
done
run tokenize --decode 72 text --model "$m"
exits 2
err_has "'text' is an argument too many"
run tokenize a b --model "$m"
exits 2
run tokenize a
exits 4
err_has "no tokenizer: give --model"
run tokenize a --model "$dir/none"
exits 4
err_has "$dir/none"
run tokenize a --model "$dir"
exits 4
err_has "$dir/tokenizer.json"
run tokenize a --model "$m/config.json"
exits 4
err_has "$m/config.json"

finish
