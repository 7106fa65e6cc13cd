# choice.sh - grasp ask and describe with --choice: an answer of a closed set, and how probable each was.
. tests/support/cli.sh

"$grasp" new "$dir/m" --preset gar-test --quiet >"$dir/out" 2>&1 || fail "no model: $(cat "$dir/out")"
head -c 3600 /dev/zero | tr '\0' '\200' | { printf 'P6 40 30 255\n'; cat; } >"$dir/p.ppm"
run ask "$dir/p.ppm" --box 2,2,20,20 'Is <Prompt0> red?' --choice Yes --choice No --model "$dir/m" --quiet
exits 0
grep -qxE 'Yes|No' "$dir/out" || fail "$what: said $(cat "$dir/out")"
answer=$(cat "$dir/out")
run ask "$dir/p.ppm" --box 2,2,20,20 'Is <Prompt0> red?' --choice Yes --choice No --model "$dir/m" --json
exits 0
out_has "\"text\":\"$answer\",\"finish_reason\":\"stop\""
out_has '"choices":[{"text":"Yes","logprob":-'
# probabilities add up to 1
sum=$(tr ',' '\n' <"$dir/out" | sed -n 's/.*"probability":\([0-9.e-]*\)}.*/\1/p' | awk '{ s += $1 } END { printf "%.9f", s }')
[ "$sum" = 1.000000000 ] || fail "$what: probabilities add up to $sum"
run ask "$dir/p.ppm" --box 2,2,20,20 'Is <Prompt0> red?' --choice No --choice Yes --model "$dir/m" --quiet --threads 1
exits 0
out_is "$answer"
run describe "$dir/p.ppm" --box 2,2,20,20 --box 1,1,9,9 --choice 'a cat' --choice 'a dog' --model "$dir/m" --json
exits 0
out_has '"choices":[{"text":"a cat"'
run ask "$dir/p.ppm" 'What?' --choice Yes --choice No --top-k 3 --model "$dir/m"
exits 2
err_has 'with --choice only --temperature counts'
run ask "$dir/p.ppm" 'What?' --choice Yes --choice Yes --model "$dir/m"
exits 2
err_has "answers 0 and 1 of the set are the same, 'Yes'"
run ask "$dir/p.ppm" 'What?' --choice "$(head -c 200 /dev/zero | tr '\0' x)" --model "$dir/m"
exits 5
err_has "answer 0 of the set, 'xxx"
finish
