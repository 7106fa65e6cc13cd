# Weights that are cut short, or replaced, between the moment the command opened them and the moment it reads them: a sentence and an exit
# code, or the model that was opened. Never a signal. The command is held in that moment by its own warning about a file that it does not
# need, written into a pipe that is full.
. tests/support/cli.sh

if [ ! -r /proc/self/status ]; then
    echo "SKIP: there is no /proc to see whether the command waits"
    exit 77
fi

m=$dir/m
weights=$m/model.safetensors
run new "$m" --preset gar-test --seed 1
exits 0
run new "$dir/n" --preset gar-test --seed 2
exits 0
cp "$weights" "$dir/whole"
echo nothing >"$m/other.safetensors"
mkfifo "$dir/pipe"
exec 9<>"$dir/pipe"

# held ARGUMENTS -- COMMAND: runs COMMAND while `grasp ARGUMENTS` is held; leaves $code, $dir/out and $dir/err
held() {
    arguments=$1
    shift
    what="grasp $arguments while: $*"
    cat "$dir/whole" >"$weights"
    for block in 1024 1; do # to the brim
        dd if=/dev/zero of="$dir/pipe" oflag=nonblock bs=$block count=70000 2>/dev/null
    done
    "$grasp" $arguments >"$dir/out" 2>"$dir/pipe" 9>&- </dev/null &
    pid=$! tries=0
    until grep -q '^State:.S' "/proc/$pid/status" && ls -l "/proc/$pid/fd" | grep -qF "$weights"; do
        tries=$((tries + 1))
        [ "$tries" -lt 2000 ] || { fail "$what: it does not wait" && break; }
    done
    "$@"
    { cat <"$dir/pipe" | tr -d '\0' >"$dir/err"; } 9>&- &
    reader=$!
    code=0
    wait "$pid" || code=$?
    [ "$code" -lt 128 ] || fail "$what: ended by signal $((code - 128))"
    exec 9>&- # the reader sees the end
    wait "$reader"
    exec 9<>"$dir/pipe"
    err_has "other.safetensors is not part of the checkpoint"
}

cut() { head -c "$1" "$dir/whole" >"$weights"; }
picture=$dir/picture.ppm
printf 'P6 64 48 255\n' >"$picture"
seq -w 9999999 | head -c 9216 >>"$picture"
describe="describe $picture --box 1,1,40,40 -n 3 --max-tiles 1 --model $m"
size=$(wc -c <"$weights")

for left in 0 100 1000000; do
    held "verify $m" cut "$left"
    exits 4
    err_has "error: $weights: tensor '"
    err_has "the file had $size bytes when it was opened and has $left now"
    held "$describe" cut "$left"
    exits 4
    out_is ""
    err_has "error: $weights: tensor '"
    err_has "the file had $size bytes when it was opened and has $left now"
done

# another file under the same name: what was opened is used
held "$describe" :
exits 0
cp "$dir/out" "$dir/before"
held "$describe" mv "$dir/n/model.safetensors" "$weights"
exits 0
out_is "$(cat "$dir/before")"
run $describe
exits 0
[ "$(cat "$dir/out")" != "$(cat "$dir/before")" ] || fail "$what: the other model says the same"

finish
