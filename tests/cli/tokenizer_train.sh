# grasp tokenizer train: what it makes, that others read it, what is refused, and that nothing is left then.
. tests/support/cli.sh

printf 'a red mug and a red ball\na blue mug, a red ball\n' >"$dir/one.txt"
printf 'the ball is red\r\n' >"$dir/two.txt"

run tokenizer train "$dir/one.txt" "$dir/two.txt" --out "$dir/t" --vocab-size 529
exits 0
out_is "$dir/t: 529 ids: 256 bytes, 11 tokens learned from 65 B (3 texts, 21 words, 12 different), 262 special tokens"
err_is ""
files=$(cd "$dir/t" && echo *)
[ "$files" = "special_tokens_map.json tokenizer.json tokenizer_config.json" ] || fail "$what: made $files"

# the bytes, what was learned, the special tokens
run tokenize ' red' --model "$dir/t"
exits 0
out_has '0..4  " red"'
run tokenize '<|begin_of_text|><|image|><NO_Prompt>' --model "$dir/t" --specials --ids-only
out_is "267 269 528"
run tokenize '<|image|>' --model "$dir/t" --ids-only
! grep -q 269 "$dir/out" || fail "$what: a user's text became a special token"

# the same file from other threads and another order of the files; the numbers as JSON
run tokenizer train "$dir/two.txt" "$dir/one.txt" -o "$dir/same" --vocab-size 529 --threads 3 --json
exits 0
out_is "{\"dir\":\"$dir/same\",\"vocab_size\":529,\"learned\":11,\"specials\":262,\"min_frequency\":2,\"files\":2,\"bytes\":65,\"texts\":3,\
\"words\":21,\"distinct_words\":12}"
cmp -s "$dir/t/tokenizer.json" "$dir/same/tokenizer.json" || fail "$what: another tokenizer"

# members of JSON lines; whole files; less than was asked for
printf '{"id":1,"caption":"a red mug\\n\\na red mug"}\n\n{"caption":"\\u00e4"}\n' >"$dir/c.jsonl"
run tokenizer train "$dir/c.jsonl" --field caption --out "$dir/json" --vocab-size 600 --min-frequency 1 --progress json
exits 0
err_has '{"progress":{"task":"read","done":'
err_has '{"progress":{"task":"learn","done":'
err_has "the texts gave "
err_has " ids of 600: no pair is left that occurs 1 times"
run tokenize "$(printf '\n\n')ä" --model "$dir/json"
out_has '0..2'
printf 'a\n\nb' >"$dir/w.txt"
run tokenizer train "$dir/w.txt" --whole-files --out "$dir/whole" --vocab-size 519 --min-frequency 1
exits 0
out_has "1 tokens learned"

# special tokens of one's own
run tokenizer train "$dir/one.txt" --out "$dir/own" --vocab-size 269 --special '<s>' --special '</s>' --bos '<s>' --eos '</s>'
exits 0
run tokenize '</s>' --model "$dir/own" --specials --ids-only
out_is "268"
grep -q '"eos_token": "</s>"' "$dir/own/tokenizer_config.json" || fail "$what: no eos_token"

# a model takes it: gar-test has 40 special tokens and nothing learned
names=$("$grasp" new "$dir/m" --preset gar-test --quiet >/dev/null && grep '"content"' "$dir/m/tokenizer.json" | sed 's/.*: "\(.*\)",/\1/')
set --
for name in $names; do set -- "$@" --special "$name"; done
run tokenizer train "$dir/one.txt" --out "$dir/bytes" --vocab-size 296 "$@"
exits 0
run new "$dir/m2" --preset gar-test --tokenizer "$dir/bytes" --quiet
exits 0

# refused, and nothing is left: $dir holds what was there before
before=$(ls "$dir")
run tokenizer
exits 2
err_has "an argument is missing; usage: grasp tokenizer train FILE... --out DIR --vocab-size N"
run tokenizer learn "$dir/one.txt"
exits 2
err_has "the first argument is 'train'"
run tokenizer train --out "$dir/x" --vocab-size 600
exits 2
err_has "no text was given"
run tokenizer train "$dir/one.txt" --vocab-size 600
exits 2
err_has "no folder was given"
run tokenizer train "$dir/one.txt" --out "$dir/x"
exits 2
err_has "no size was given"
run tokenizer train "$dir/one.txt" --out "$dir/x" --vocab-size 300
exits 2
err_is "grasp tokenizer: error: a vocabulary of 300 ids was asked for, the 256 bytes and 262 special tokens take 518"
run tokenizer train "$dir/one.txt" --out "$dir/t" --vocab-size 600
exits 2
err_has "$dir/t: is there already and not an empty folder"
run tokenizer train "$dir/none.txt" --out "$dir/x" --vocab-size 600
exits 3
err_has "$dir/none.txt: cannot open"
run tokenizer train "$dir/c.jsonl" --field text --out "$dir/x" --vocab-size 600
exits 3
err_has "$dir/c.jsonl: line 1, column "
err_has "the object has no member 'text'"
run tokenizer train "$dir/one.txt" --out "$dir/no/x" --vocab-size 600
exits 3
err_has "$dir/no/x"
run tokenizer train "$dir/one.txt" --out "$dir/x" --vocab-size 600 --max-words 5
exits 5
err_has "distinct words so far, the limit is 5"
run tokenizer train "$dir/one.txt" --out "$dir/x" --vocab-size 600 --bos '<s>'
exits 2
err_has "'<s>' is to be the begin-of-text token, and not among the special tokens"
[ "$(ls "$dir")" = "$before" ] || fail "refused calls left something: $(ls "$dir")"

# interrupted while it reads or learns
awk 'BEGIN { srand(1); for (i = 0; i < 300000; i++) printf "%d%d%s", rand() * 1e7, rand() * 1e7, i % 10 ? " " : "\n" }' | tr 0-9 a-j >"$dir/long.txt"
for signal in INT TERM; do
    mkdir "$dir/quiet"
    "$grasp" tokenizer train "$dir/long.txt" --out "$dir/quiet/t" --vocab-size 1000000 --min-frequency 1 --progress json \
        >"$dir/out" 2>"$dir/err" </dev/null &
    what="grasp tokenizer train interrupted by $signal"
    tries=0
    until grep -q progress "$dir/err" || [ "$tries" -gt 200 ]; do
        sleep 0.02
        tries=$((tries + 1))
    done
    kill -s "$signal" $!
    code=0
    wait $! || code=$?
    [ "$signal" = INT ] && exits 130 || exits 143
    out_is ""
    ! grep -v '^{"progress":' "$dir/err" || fail "$what: said $(cat "$dir/err")"
    [ "$(ls -A "$dir/quiet")" = "" ] || fail "$what: left $(ls -A "$dir/quiet")"
    rmdir "$dir/quiet"
done

finish
