# gemm.sh - sourced by the peers that gemm.c measures: makes $gemm in $PEER_WORK, or says why there is none.
gemm=$PEER_WORK/gemm
if [ ! -x "$gemm" ]; then
    if ! ${CC:-cc} -std=c11 -D_DEFAULT_SOURCE -O2 -o "$gemm" "$PEER_FOLDER"/gemm*.c -ldl 2>"$PEER_WORK/cc.log"; then
        echo '{"missing":"gemm.c does not compile here, the message of '"${CC:-cc}"' is above"}'
        cat "$PEER_WORK/cc.log" >&2
        exit 1
    fi
fi
