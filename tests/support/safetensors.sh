# safetensors.sh - sourced: a safetensors file taken apart, changed, and put together again.

st_length() { od -An -tu8 -N8 "$1" | tr -d ' '; }
st_header() { tail -c +9 "$1" | head -c "$(st_length "$1")"; }
st_data() { tail -c +$((9 + $(st_length "$1"))) "$1"; }

# le64 N: eight bytes, the lowest first
le64() { printf "$(awk -v n="$1" 'BEGIN { for (i = 0; i < 8; i++) { printf "\\%03o", n % 256; n = int(n / 256) } }')"; }

# st_write FILE HEADER: the data come from stdin
st_write() {
    { le64 ${#2} && printf %s "$2" && cat; } >"$1"
}

# st_put FILE TENSOR OFFSET: bytes of stdin into the tensor's data
st_put() {
    st_at=$(st_header "$1" | sed -n "s/.*\"$2\":{[^}]*\"data_offsets\":\[\([0-9]*\),.*/\1/p")
    [ -n "$st_at" ] || fail "$1 has no tensor $2"
    dd of="$1" bs=1 seek=$((8 + $(st_length "$1") + st_at + $3)) conv=notrunc status=none
}
