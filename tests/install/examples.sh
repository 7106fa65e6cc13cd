# The programs of examples/, built against an installed copy, shared and static, and run on a small model made by the
# installed command. examples.sh BUILD_DIR CC
set -eu
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
cmake --install "$1" --prefix "$dir/usr" >/dev/null
pc=$(find "$dir/usr" -name grasp.pc)
PKG_CONFIG_PATH=$(dirname "$pc")
libraries=$(dirname "$PKG_CONFIG_PATH")
export PKG_CONFIG_PATH
flags="-std=c11 -Wall -Wextra -Wpedantic -Werror -pthread"

fail() {
    echo "FAILED: $*; it said: $(head -c 2000 "$dir/out") / $(head -c 2000 "$dir/err")" >&2
    exit 1
}

# run CODE PROGRAM ARGUMENTS: leaves $dir/out and $dir/err
run() {
    want=$1
    shift
    code=0
    "$bin/$@" >"$dir/out" 2>"$dir/err" </dev/null || code=$?
    [ "$code" -eq "$want" ] || fail "$* gave $code, expected $want"
}

"$dir/usr/bin/grasp" new "$dir/model" --preset gar-test --seed 1 --quiet >/dev/null

# A picture that every build decodes: 96 x 64, the left half lighter.
picture=$dir/picture.pgm
awk 'BEGIN { print "P2 96 64 255"; for (y = 0; y < 64; y++) { for (x = 0; x < 96; x++) printf "%d ", x < 48 ? 200 : 90 + y; print "" } }' >"$picture"

try_all() {
    run 0 describe "$dir/model" "$picture" box:10,10,50,40
    said=$("$dir/usr/bin/grasp" describe "$picture" --box 10,10,50,40 --model "$dir/model" 2>/dev/null | cksum)
    [ "$(cksum <"$dir/out")" = "$said" ] || fail "describe does not say what the command says"
    [ ! -s "$dir/err" ] || fail "describe complains"
    run 1 describe "$dir/model" "$picture" box:200,10,250,40
    grep -q "region_out_of_image" "$dir/err" || fail "describe does not say that the box is outside"
    run 1 describe "$dir/nothing" "$picture" box:10,10,50,40
    grep -qF "$dir/nothing" "$dir/err" || fail "describe does not name the model that is missing"

    run 0 regions "$dir/model" "$picture" 'Is <Prompt0> left of <Prompt1>?' box:0,0,48,64 polygon:50,5,90,5,70,60
    [ "$(grep -acE '^ +-[0-9]+\.[0-9]{3} +[0-9]+  ' "$dir/out")" -gt 0 ] || fail "regions prints no tokens"
    grep -aqE '^ *-[0-9]+\.[0-9]{3}  of [0-9]+ tokens$' "$dir/out" || fail "regions prints no sum"
    run 1 regions "$dir/model" "$picture" 'Is <Prompt0> left of <region:nobody>?' box:0,0,48,64
    grep -q nobody "$dir/err" || fail "regions does not say which region there is not"

    run 0 stream "$dir/model" "$picture" 'What is this?'
    whole=$(sed -n 's/.* after \([0-9]*\) tokens in .*/\1/p' "$dir/err")
    ! grep -q cancelled "$dir/err" || fail "stream was cancelled by nobody"
    [ "$whole" -gt 20 ] || fail "stream: the model's answer is too short for this test"
    run 0 stream "$dir/model" "$picture" 'What is this?' 5
    grep -qE '^cancelled after [0-9]+ tokens in 5 pieces$' "$dir/err" || fail "stream does not stop after 5 pieces"
    [ "$(sed 's/^cancelled after \([0-9]*\) .*/\1/' "$dir/err")" -lt "$whole" ] || fail "stream was not cut"
}

for kind in shared static; do
    bin=$dir/$kind
    mkdir "$bin"
    for name in describe regions stream; do
        if [ "$kind" = shared ]; then
            $2 $flags "examples/$name.c" -o "$bin/$name" $(pkg-config --cflags --libs grasp)
        else
            $2 $flags "examples/$name.c" -o "$bin/$name" $(pkg-config --cflags grasp) "$libraries/libgrasp.a" \
                $(pkg-config --static --libs grasp | sed 's/ -lgrasp / /')
        fi
    done
    [ "$kind" = static ] || export LD_LIBRARY_PATH="$libraries"
    try_all
    unset LD_LIBRARY_PATH
done
[ "$(wc -l <examples/describe.c)" -lt 60 ]
