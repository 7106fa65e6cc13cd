# Files and results that cannot be written: said once, nothing half left, and what stood there is still there.
. tests/support/cli.sh

m=$dir/m
run new "$m" --preset gar-test --seed 1
exits 0
printf 'P6 64 48 255\n' >"$dir/p.ppm"
seq -w 9999 | head -c 9216 >>"$dir/p.ppm"
# describe OPTIONS...
describe() { run describe "$dir/p.ppm" --box 1,1,30,30 --model "$m" -n 2 "$@"; }
# nothing_new FOLDER: no half file
nothing_new() {
    left=$(find "$1" -name '*.tmp-*')
    [ "$left" = "" ] || fail "$what: left $left"
}

# --- what is no regular file is not replaced by one
mkfifo "$dir/pipe.ppm"
mkdir "$dir/folder.ppm"
things="pipe.ppm folder.ppm" # the format of every build
if mknod "$dir/device.ppm" c 1 3 2>/dev/null; then # a /dev/null of our own
    things="$things device.ppm"
else
    echo "SKIP: no device, that needs root"
fi
for thing in $things; do
    kind=$(ls -ld "$dir/$thing" | cut -c 1)
    for option in --dump --overlay; do
        describe $option "$dir/$thing"
        exits 3
        out_is "" # known before the work
        err_has "grasp describe: error: $dir/$thing: "
        err_has "and a file of that name would take its place"
        [ "$(ls -ld "$dir/$thing" | cut -c 1)" = "$kind" ] || fail "$what: replaced it"
    done
done
nothing_new "$dir"
touch "$dir/old"
ln -s old "$dir/link"
describe --dump "$dir/old"
exits 0
[ -s "$dir/old" ] || fail "$what: a file is replaced, and was not"
describe --dump "$dir/link"
exits 0

# --- no space: a limit on the size of files is a full disk that needs no root
limited() { # limited BLOCKS ARGUMENTS: leaves what run does
    blocks=$1
    shift
    what="grasp $* with at most $blocks blocks a file"
    code=0
    (ulimit -f "$blocks" && "$grasp" "$@" >"$dir/out" 2>"$dir/err" </dev/null) || code=$?
}
for pair in "--dump $dir/values.safetensors" "--overlay $dir/seen.ppm"; do
    limited 8 describe "$dir/p.ppm" --box 1,1,30,30 --model "$m" -n 2 $pair
    exits 3
    err_has "File too large"
    [ ! -e "${pair#* }" ] || fail "$what: left a file"
    nothing_new "$dir"
done
limited 8 new "$dir/large" --preset gar-test
exits 3
[ ! -e "$dir/large" ] || fail "$what: left a folder"
limited 0 describe "$dir/p.ppm" --box 1,1,30,30 --model "$m" -n 2 # not even the results, nor the sentence
exits 1

mkdir "$dir/small"
if mount -t tmpfs -o size=64k none "$dir/small" 2>/dev/null; then
    trap 'umount "$dir/small"; rm -rf "$dir"' EXIT
    describe --dump "$dir/small/values.safetensors"
    exits 3
    err_has "$dir/small/values.safetensors: no space for "
    head -c 60000 /dev/zero >"$dir/small/full"
    describe --overlay "$dir/small/seen.ppm"
    exits 3
    err_has "$dir/small/seen.ppm: cannot write it: No space left on device"
    run new "$dir/small/m" --preset gar-test
    exits 3
    err_has "the disk has room for"
    [ "$(ls -A "$dir/small")" = full ] || fail "a full disk holds $(ls -A "$dir/small")"
    rm "$dir/small/full"
    mount -o remount,ro "$dir/small"
    for option in --dump --overlay; do
        describe $option "$dir/small/x.ppm"
        exits 3
        out_is ""
        err_has "cannot create: Read-only file system"
    done
else
    echo "SKIP: no disk of our own, that needs root"
    chmod 500 "$dir/small"
    for option in --dump --overlay; do
        describe $option "$dir/small/x.ppm"
        exits 3
        out_is ""
        err_has "cannot create: Permission denied"
    done
fi

# --- results: one sentence, and the work stops
if [ -w /dev/full ]; then
    full() { # full ARGUMENTS
        what="grasp $* >/dev/full"
        code=0
        "$grasp" "$@" >/dev/full 2>"$dir/err" </dev/null || code=$?
        exits 1
        err_is "grasp $1: error: cannot write the results: No space left on device"
    }
    full describe "$dir/p.ppm" --box 1,1,30,30 --box 2,2,9,9 --model "$m" -n 4000
    full describe "$dir/p.ppm" --box 1,1,30,30 --box 2,2,9,9 --model "$m" -n 20 --json
    full ask "$dir/p.ppm" 'What is it?' --model "$m" -n 4000
    full verify "$m"
    full inspect "$m"
    full tokenize abc --model "$m"
    full help --man
else
    echo "SKIP: no /dev/full"
fi

# --- streams that are closed: no file takes their place, and the progress with it
for streams in '2>&-' '>&-' '<&-' '<&- >&- 2>&-'; do
    what="grasp new --progress bar $streams"
    rm -rf "$dir/new"
    code=0
    eval '"$grasp" new "$dir/new" --preset gar-test --seed 1 --progress bar >"$dir/out" 2>"$dir/err"' "$streams" || code=$?
    case $streams in
    *'>&-'*'2>&-' | '>&-') exits 1 ;; # its results cannot be written
    *) exits 0 ;;
    esac
    cmp "$m/model.safetensors" "$dir/new/model.safetensors" || fail "$what: the weights are others"
done

finish
