# grasp data synth: rows, lines, a benchmark and a sheet, the same whatever the threads; nothing is left of what fails.
. "$(dirname "$0")/../support/cli.sh"

run data synth "$dir/sheet-only" --count 1 --format jsonl
if [ "$code" -ne 0 ] && grep -qE "font|build" "$dir/err"; then
    echo "SKIP: this build or system does not paint: $(cat "$dir/err")"
    exit 77
fi
exits 0

run data synth "$dir/one" --count 12 --seed 3 --threads 1 --quiet
exits 0
out_has "12 rows"
run data synth "$dir/two" --count 12 --seed 3 --threads 3 --json
exits 0
out_has '"rows":12'
[ "$(cat "$dir/one"/*.arrow | cksum)" = "$(cat "$dir/two"/*.arrow | cksum)" ] || fail "threads change the rows"
run data synth "$dir/other" --count 12 --seed 3 --split validation
exits 0
[ "$(cat "$dir/one"/*.arrow | cksum)" != "$(cat "$dir/other"/*.arrow | cksum)" ] || fail "the splits have the same rows"

run data synth "$dir/lines" --count 5 --format jsonl
exits 0
[ "$(wc -l <"$dir/lines/rows.jsonl")" -eq 5 ] || fail "rows.jsonl has not 5 lines"
run data synth "$dir/texts" --count 5 --format texts --captions 0 --looking 1
exits 0
[ "$(ls "$dir/texts")" = texts.txt ] || fail "more than texts: $(ls "$dir/texts")"
grep -q '<Prompt0>' "$dir/texts/texts.txt" || fail "no question about a region"
! grep -q 'Options:' "$dir/texts/texts.txt" || fail "a question with options among rows of looking"
run data synth "$dir/large" --count 5 --format jsonl --closeups 1
exits 0
out_has "5 turns about 5 regions"
run data synth "$dir/x" --count 5 --looking 2
exits 2
run data synth "$dir/x" --count 5 --closeups 2
exits 2
[ "$(ls "$dir/lines/images" | wc -l)" -eq 5 ] || fail "there are not 5 pictures"

run data synth "$dir/bench" --bench --count 2
exits 0
out_has "14 questions and 2 descriptions"
for type in color shape material texture/pattern ordering mirror relation; do
    [ "$(grep -c "\"type\":\"$type\"" "$dir/bench/synth-bench.json")" -eq 2 ] || fail "not 2 items of $type"
done
[ "$(grep -c '"truth":' "$dir/bench/synth-bench-cap.json")" -eq 2 ] || fail "not 2 descriptions"
[ "$(ls "$dir/bench/images" | wc -l)" -eq 16 ] || fail "there are not 16 pictures"

run data synth --count 7 --sheet "$dir/sheet.png"
exits 0
[ -s "$dir/sheet.png" ] || fail "there is no sheet"

run data synth "$dir/one" --count 1
exits 2
err_has "$dir/one"
run data synth
exits 2
err_has "no folder was given"
run data other "$dir/x"
exits 2
err_has "the first argument is 'synth'"

# Ctrl-C leaves nothing. A script's background command ignores SIGINT, so that SIGTERM stands for it.
"$grasp" data synth "$dir/stopped" --count 100000 >"$dir/out" 2>"$dir/err" &
child=$!
sleep 1
kill -TERM $child
code=0
wait $child || code=$?
[ "$code" -eq 143 ] || fail "a stopped command gives $code, expected 143; stderr: $(cat "$dir/err")"
[ -z "$(ls "$dir" | grep stopped)" ] || fail "the stopped command left $(ls "$dir" | grep stopped)"
finish
