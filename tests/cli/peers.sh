# bench/peers/run: the two sides take turns, ratios are pairwise, and a peer that is missing, silent or dies stops nothing. The command
# and the peers are scripts here, with rates that are known.
. tests/support/cli.sh
command -v mkfifo >/dev/null || exit 77
real=$grasp
grasp=bench/peers/run # what `run` of cli.sh calls
run() {
    what="bench/peers/run $*"
    code=0
    "$grasp" "$@" >"$dir/out" 2>"$dir/err" </dev/null || code=$?
}

# A command with three cases: each slice of "m/b" takes twice as long as the one before. Every call is a line of $dir/calls.
cat >"$dir/fake" <<'FAKE'
#!/bin/sh
echo "$*" >>"${0%/*}/calls"
case $2 in
stages)
    echo '{"limits":[{"kind":"limit","name":"limit/fma"}],"rows":[
{"kind":"stage","name":"picture/cut","rows":7,"inputs":5,"outputs":3,"weights":null,"unit":"GB/s","bytes":9,"median":1,"seconds_median":1},
{"kind":"stage","name":"answer-1+4/prefill","rows":100,"inputs":5,"outputs":5,"weights":null,"unit":"GFLOP/s","median":1,"seconds_median":2},
{"kind":"stage","name":"answer-1+4/decode","rows":1,"inputs":5,"outputs":9,"weights":null,"unit":"GB/s","median":1,"seconds_median":0.25}]}'
    exit
    ;;
esac
shift 2
name=
list=no
while [ $# -gt 0 ]; do
    case $1 in
    --list) list=yes ;;
    --filter) name=$2 ;;
    esac
    shift
done
if [ "$list" = yes ]; then
    [ "$name" != nothing ] || exit 2
    echo '{"limits":[],"rows":[
{"kind":"product","name":"m/a","rows":4,"inputs":5,"outputs":6,"heads":0,"weights":"BF16","note":"a \"case\""},
{"kind":"row","name":"m/b","rows":1,"inputs":5,"outputs":6,"weights":null},
{"kind":"pass","name":"m/c","rows":4,"inputs":5,"outputs":5,"weights":null}]}'
    exit
fi
seconds=0.5
if [ "$name" = m/b ] && [ -n "${FAKE_STOP-}" ]; then
    kill "$PPID"
    exit 143
fi
if [ "$name" = m/b ]; then
    seconds=$((2 * $(cat "${0%/*}/seconds")))
    echo $seconds >"${0%/*}/seconds"
fi
echo '{"rows":[{"kind":"limit","name":"limit/fma","unit":"GFLOP/s","median":9,"seconds_median":9},
{"kind":"product","name":"'"$name"'","weights":"BF16","unit":"GFLOP/s","median":100,"seconds_median":'$seconds'}]}'
FAKE
echo 1 >"$dir/seconds"

mkdir "$dir/peers"
cat >"$dir/peers/good.peer" <<'FAKE'
# option speed N how long a case takes
echo '{"about":"a peer with '"$PEER_THREADS"' threads"}'
while IFS= read -r line; do
    name=$(echo "$line" | cut -f 2)
    echo "peer $name" >>"${PEER_FOLDER%/*}/calls"
    case $name in
    m/a)
        echo '{"name":"m/a","weights":"f32","unit":"GFLOP/s","median":50,"seconds_median":'"${PEER_SPEED:-1}"'}'
        echo '{"name":"m/a","weights":"bf16","unit":"GFLOP/s","median":200,"seconds_median":0.25}'
        ;;
    m/b) echo '{"name":"m/b","weights":"f32","unit":"GB/s","median":8,"seconds_median":8,"seconds_min":4}' ;;
    esac
    echo
done
FAKE
cat >"$dir/peers/absent.peer" <<'FAKE'
echo '{"missing":"libabsent.so cannot be loaded"}'
exit 1
FAKE
echo 'exit 3' >"$dir/peers/silent.peer"
cat >"$dir/peers/dies.peer" <<'FAKE'
echo '{"about":"a peer that dies"}'
read -r line
exit 4
FAKE
cat >"$dir/peers/any.peer" <<'FAKE'
echo '{"about":"a peer that does everything in a second"}'
while IFS= read -r line; do
    echo '{"name":"'"$(echo "$line" | cut -f 2)"'","weights":null,"unit":"calls/s","median":1,"seconds_median":1}'
    echo
done
FAKE
chmod +x "$dir/fake"
set -- --grasp "$dir/fake" --peers-folder "$dir/peers" --threads 2 --settle 0

# Ratios are the peer's seconds by ours: 1 / 0.5, 0.25 / 0.5, and 8 by 2, 4, 8; of the fastest calls, 4 / 2.
run "$@" --peer absent,dies,good,silent --json
exits 0
out_has '"threads":2,"rounds":3,"peers":[{"name":"absent","state":"missing","says":"libabsent.so cannot be loaded"},'
out_has '{"name":"dies","state":"failed","says":"it ended at m/a; before that it was: a peer that dies"},'
out_has '{"name":"good","state":"measured","says":"a peer with 2 threads"},'
out_has '{"name":"silent","state":"missing","says":"it ended without a word about itself"}]'
out_has '{"name":"m/a","rows":4,"inputs":5,"outputs":6,"weights":"bf16","unit":"GFLOP/s","median":100,"peer":"good","peer_weights":"f32",'
out_has '"peer_unit":"GFLOP/s","peer_median":50,"pairs":3,"ratio_median":2.0000,"ratio_min":2.0000,"ratio_max":2.0000,"ratio_fastest":2.0000}'
out_has '"peer_median":200,"pairs":3,"ratio_median":0.5000,'
out_has '"peer_unit":"GB/s","peer_median":8,"pairs":3,"ratio_median":2.0000,"ratio_min":1.0000,"ratio_max":4.0000,"ratio_fastest":2.0000}'
! grep -q 'm/c' "$dir/out" || fail "$what: a case that no peer knows has a row"

# The sides take turns in being first, each slice is a call of its own, and both get the same number of threads.
order=$(sed -n 's/^peer \(m\/a\)/peer/p; s/^bench kernels .*--filter m\/a .*/grasp/p' "$dir/calls" | tr '\n' ' ')
[ "$order" = "peer grasp grasp peer peer grasp " ] || fail "$what: the order was $order"
! grep '^bench' "$dir/calls" | grep -qv -e '--json --threads 2$' || fail "$what: threads differ: $(cat "$dir/calls")"

# The same as a table; options of a peer reach it; a chosen peer is the only one; an even number of rounds.
run "$@" --peer=good --speed=1.5 --rounds 2
exits 0
out_has 'good: a peer with 2 threads'
out_has 'm/a                                4 x 5 x 6            bf16 100 GFLOP/s       good         f32 50 GFLOP/s         3.00 [3.00..3.00]   3.00'
! grep -q 'absent' "$dir/out" || fail "$what: measured a peer that was not asked for"

# Stages: all of a slice come from one process, and llama-bench runs the same lengths: the prompt, and tokens after it and half an answer.
cat >"$dir/llama" <<'FAKE'
#!/bin/sh
echo "$*" >>"${0%/*}/calls"
case $* in
*" -p 100 -n 0") ns=6e9 ;;
*" -p 0 -n 16 -d 108") ns=16e9 ;;
esac
echo '[{"build_commit":"0","model_type":"llama 1B Q8_0","n_prompt":1,"avg_ns":'$ns',"avg_ts":12.5,"samples_ns":[1,2]}]'
FAKE
chmod +x "$dir/llama"
mkdir "$dir/model"
echo '{}' >"$dir/model/config.json"
: >"$dir/calls"
run --grasp "$dir/fake" --threads 2 --settle 0 --rounds 2 --peer llama-bench --llama-bench "$dir/llama" --llama-model "$dir/fake" --model "$dir/model"
exits 0
out_has "llama-bench: $dir/llama on $dir/fake"
out_has 'answer-1+4/prefill                 100 x 5 x 5          1 GFLOP/s              llama-bench  q8_0 12.5 tokens/s     3.00 [3.00..3.00]   3.00'
out_has 'answer-1+4/decode                  1 x 5 x 9            1 GB/s                 llama-bench  q8_0 12.5 tokens/s     4.00 [4.00..4.00]   4.00'
grep -qx -e "-m $dir/fake -t 2 -ngl 0 -r 1 -o json -p 0 -n 16 -d 108" "$dir/calls" || fail "$what: calls were $(cat "$dir/calls")"
[ "$(grep -c '^bench stages' "$dir/calls")" -eq 3 ] || fail "$what: not one process to know the stages and one a round"
run --grasp "$dir/fake" --peer llama-bench --llama-bench "$dir/llama"
exits 0
out_is "llama-bench: missing: no model was given for it: --llama-model=GGUF"

# The real command's cases are understood.
run --grasp "$real" --peers-folder "$dir/peers" --peer any --preset gar-test --filter gar-test/decode/q --rounds 1 --seconds 0 --repeats 1 \
    --settle 0 --threads 2
exits 0
out_has 'gar-test/decode/q                  1 x 96 x 96          bf16 '
grep -q 'any          [0-9.e-]* GB/s ' "$dir/out" || fail "$what: calls of a second are not shown as grasp counts them: $(cat "$dir/out")"

# What was measured before it was stopped is shown.
FAKE_STOP=1 run "$@" --peer good --rounds 1
exits 143
out_has 'm/a                                4 x 5 x 6            bf16 100 GFLOP/s       good         f32 50 GFLOP/s         2.00 [2.00..2.00]   2.00'
! grep -q 'm/b' "$dir/out" || fail "$what: has a row that was not measured"

# What a shell has set for other purposes does not bind a peer, and that is said.
OPENBLAS_CORETYPE=Haswell run "$@" --peer good --rounds 1
exits 0
err_has "OPENBLAS_CORETYPE=Haswell is set here and would bind the peers; it is left out"

run "$@" --peer absent
exits 0
out_is "absent: missing: libabsent.so cannot be loaded"

# refused
run "$@" --speeed=2
exits 2
err_is "bench/peers/run: error: there is no option '--speeed'; bench/peers/run --help lists what there is"
run "$@" fast
exits 2
err_has "'fast' is not an option"
run "$@" --rounds
exits 2
err_has "--rounds: a value is missing"
for wrong in 0 -1 1.5 x 99999; do
    run "$@" --rounds "$wrong"
    exits 2
    err_has "--rounds: '$wrong', expected a number from 1 to 9999"
done
run "$@" --seconds fast
exits 2
err_has "--seconds: 'fast', expected seconds such as 0.3"
run "$@" --peer good,better
exits 2
err_is "bench/peers/run: error: --peer: there is no 'better'; there are absent any dies good silent"
run --grasp "$dir/none"
exits 2
err_has "--grasp: '$dir/none' is not a command"
run "$@" --model "$dir"
exits 2
err_has "--model: '$dir' is not a folder with a config.json"
run --peers-folder "$dir/none"
exits 2
err_has "--peers-folder: '$dir/none' is not a folder"
run "$@" --filter nothing
exits 1

# The peers that come with the project: what is not there is missing, and what computes something else is not timed.
run --help
exits 0
out_has "--openblas PATH"
run --grasp "$dir/fake" --peer torch --python "$dir/none"
exits 0
out_is "torch: missing: there is no Python $dir/none"
if command -v cc >/dev/null; then
    cat >"$dir/blas.c" <<'C'
char *openblas_get_config(void) { return (char *)"OpenBLAS of a test"; }
char *openblas_get_corename(void) { return (char *)"plain"; }
void cblas_sgemm(int order, int ta, int tb, int m, int n, int k, float alpha, const float *a, int lda, const float *b, int ldb,
                 float beta, float *c, int ldc)
{
    (void)order, (void)ta, (void)tb, (void)beta;
    for (int i = 0; i < m; i++)
        for (int j = 0; j < n; j++) {
            float sum = 0;
            for (int x = 0; x < k; x++)
                sum += a[i * lda + x] * b[j * ldb + x];
            c[i * ldc + j] = alpha * sum;
        }
}
void cblas_sgemv(int order, int trans, int m, int n, float alpha, const float *a, int lda, const float *x, int incx, float beta,
                 float *y, int incy)
{
    (void)order, (void)trans, (void)m, (void)n, (void)alpha, (void)a, (void)lda, (void)x, (void)incx, (void)beta, (void)y, (void)incy;
}
C
    cc -shared -fPIC "$dir/blas.c" -o "$dir/blas.so"
    set -- --grasp "$dir/fake" --threads 2 --settle 0 --rounds 1 --seconds 0
    run "$@" --peer openblas,onednn --openblas "$dir/blas.so" --onednn "$dir/none.so" --json
    exits 0
    out_has '{"name":"onednn","state":"missing","says":"oneDNN '
    out_has '"says":"it ended at m/b; before that it was: OpenBLAS of a test; core type plain"'
    err_has "openblas gives a wrong product for m/b in f32"
    out_has '{"name":"m/a","rows":4,"inputs":5,"outputs":6,"weights":"bf16","unit":"GFLOP/s","median":100,"peer":"openblas","peer_weights":"f32"'
    ! grep -q '"name":"m/b"' "$dir/out" || fail "$what: timed a wrong product"
    cc -std=c11 -D_DEFAULT_SOURCE -Wall -Wextra -Wshadow -Wstrict-prototypes -Werror -fsyntax-only bench/peers/gemm*.c ||
        fail "bench/peers/gemm*.c: warnings"
fi

finish
