# The command for another processor against this one's: a random model is the same file, and its answers are the same words though the last
# bits behind them differ. same_answers.sh HERE THERE
set -eu
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT

picture=$dir/picture.pgm
awk 'BEGIN { print "P2 640 480 255"; for (y = 0; y < 480; y++) for (x = 0; x < 640; x++)
    print (x >= 392 && x < 522 && y >= 139 && y < 264 ? 230 : (x * 3 + y * 5) % 256) }' >"$picture"

timed() { timeout 300 "$@"; } # a hang ends as a failure

# answers COMMAND: leaves $dir/model-N and $dir/said-N
n=0
answers() {
    n=$((n + 1))
    timed "$1" new "$dir/model-$n" --preset gar-test --seed 7 --quiet >/dev/null
    timed "$1" describe "$picture" --box 392,139,522,264 --model "$dir/model-$n" -n 40 >"$dir/said-$n"
    timed "$1" ask "$picture" 'Is <Prompt0> left of <Prompt1>?' --box 0,0,100,300 --box 400,100,640,480 --model "$dir/model-$n" -n 40 \
        --max-tiles 4 >>"$dir/said-$n"
}

answers "$1"
answers "$2"
for file in "$dir/model-1"/*; do
    cmp "$file" "$dir/model-2/$(basename "$file")"
done
cmp "$dir/said-1" "$dir/said-2"
[ "$(wc -c <"$dir/said-1")" -gt 100 ] || { echo "FAILED: too little was said: $(cat "$dir/said-1")" >&2; exit 1; }
echo "the same $(wc -c <"$dir/said-1") bytes"
