# Ctrl-C and SIGTERM: what was said so far is whole, the exit code tells, and no half file is left.
. tests/support/cli.sh

m=$dir/m
run new "$m" --preset gar-test --seed 1
exits 0
printf 'P6 64 48 255\n' >"$dir/p.ppm"
seq -w 9999 | head -c 9216 >>"$dir/p.ppm"

# start ARGUMENTS: describe, in the background; its answer would take a while
start() {
    what="grasp describe $*"
    : >"$dir/out" >"$dir/err" # here: the background process may take its time to do it
    "$grasp" describe "$dir/p.ppm" --box 1,1,30,30 --model "$m" --threads 1 -n 4000 "$@" >"$dir/out" 2>"$dir/err" </dev/null &
    pid=$!
}
ended() {
    code=0
    wait "$pid" || code=$?
}
# speaks STREAM: waits until something is there
speaks() {
    for try in $(seq 500); do
        [ ! -s "$dir/$1" ] || return 0
        sleep 0.02
    done
    fail "$what: nothing on std$1 in ten seconds"
}

run describe "$dir/p.ppm" --box 1,1,30,30 --model "$m" --threads 1 -n 4000
exits 0
cp "$dir/out" "$dir/whole"
for signal in INT TERM; do
    [ $signal = INT ] && number=130 || number=143
    start --dump "$dir/values.safetensors" --overlay "$dir/seen.ppm"
    speaks out
    kill -$signal $pid
    ended
    exits $number
    err_is ""
    said=$(($(wc -c <"$dir/out") - 1)) # its last character may be one that was cut; then the line ends
    [ $said -gt 1 ] && [ $said -lt "$(wc -c <"$dir/whole")" ] || fail "$what: said $said bytes"
    head -c $((said > 4 ? said - 4 : 1)) "$dir/out" | cmp -s -n $((said > 4 ? said - 4 : 1)) - "$dir/whole" || fail "$what: said something else"
    [ "$(tail -c 1 "$dir/out" | od -An -tx1 | tr -d ' ')" = 0a ] || fail "$what: the line does not end"
    [ "$(find "$dir" -name '*.tmp-*' -o -name 'values*')" = "" ] || fail "$what: left $(find "$dir" -name '*.tmp-*' -o -name 'values*')"
    [ -s "$dir/seen.ppm" ] || fail "$what: the overlay was ready, and is not there"
    rm "$dir/seen.ppm"

    start --json --verbose
    speaks err # that is before the weights are packed; some time later there would be an answer
    sleep 0.1
    kill -$signal $pid
    ended
    exits $number
    if [ -s "$dir/out" ]; then # it came after the weights: an object as always
        # before the first token of the answer, or in it
        grep -qF -e '"descriptions":[]' -e '"finish_reason":"cancelled"' "$dir/out" || fail "$what: $(cat "$dir/out")"
        [ "$(tail -c 3 "$dir/out")" = "}}" ] || fail "$what: the object does not end"
    fi
done

# a command that waits for its input stops, too
what="grasp tokenize -"
mkfifo "$dir/input"
"$grasp" tokenize - --model "$m" <"$dir/input" >"$dir/out" 2>"$dir/err" &
pid=$!
exec 3>"$dir/input"
echo "the beginning" >&3
sleep 0.3
kill -TERM $pid
{ sleep 5 && kill -KILL $pid; } >/dev/null 2>&1 & # or this would wait for ever
ended
kill $! 2>/dev/null
exec 3>&-
exits 143
out_is ""
err_is ""

finish
