# png.sh - sourced: PNGs of zeros that may claim anything, written with what every system has. Uses $dir for its pieces.

# be32 N: four bytes, the highest first
be32() { printf "$(printf '\\%03o\\%03o\\%03o\\%03o' $(($1 >> 24 & 255)) $(($1 >> 16 & 255)) $(($1 >> 8 & 255)) $(($1 & 255)))"; }

# zeros N: a zlib stream of N zeros; gzip's is the same between its head of 10 bytes and its tail of 8
zeros() {
    printf '\170\234'
    head -c "$1" /dev/zero | gzip -9 | tail -c +11 | head -c -8
    be32 $((($1 % 65521) << 16 | 1)) # Adler-32
}

# chunk TYPE FILE: with its CRC, which gzip puts into its tail
chunk() {
    be32 "$(wc -c <"$2")"
    { printf %s "$1" && cat "$2"; } >"$dir/chunk"
    cat "$dir/chunk"
    be32 "$(gzip -1 <"$dir/chunk" | tail -c 8 | od -An -N4 -tu4 | tr -d ' ')"
}

# png WIDTH HEIGHT BYTES [TEXT]: grey, 8 bits; BYTES of rows, (WIDTH + 1) * HEIGHT in an honest one; TEXT: the file of a zTXt chunk
png() {
    printf '\211PNG\r\n\032\n'
    { be32 "$1" && be32 "$2" && printf '\010\0\0\0\0'; } >"$dir/piece"
    chunk IHDR "$dir/piece"
    [ $# -lt 4 ] || chunk zTXt "$4"
    zeros "$3" >"$dir/piece"
    chunk IDAT "$dir/piece"
    : >"$dir/piece"
    chunk IEND "$dir/piece"
}
