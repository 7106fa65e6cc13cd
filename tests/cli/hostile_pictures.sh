# Pictures that lie about themselves, or are far larger or smaller than usual: a sentence and an exit code, and memory as announced.
. tests/support/cli.sh
. tests/support/png.sh

m=$dir/m
run new "$m" --preset gar-test --seed 1
exits 0

# seen FILE W H: it is described, and takes no more memory than was announced, + 3 % + 64 MB
run version --json
grep -qF '"sanitize":""' "$dir/out" && plain=yes || plain=
number() { sed -n "s/.*\"$1\":\([0-9]*\).*/\1/p" "$dir/out"; }
seen() {
    run describe "$1" --region box:0,0,0.6,0.6@norm --model "$m" -n 2 --json
    exits 0
    out_has "\"size\":[$2,$3]"
    peak=$(number peak_resident) total=$(number total)
    [ -z "$plain" ] || [ "$peak" -le $((total + total * 3 / 100 + 64000000)) ] ||
        fail "$what: $peak bytes were held, $total were announced"
}
# refused CODE FILE SENTENCE
refused() {
    run describe "$2" --box 0,0,1,1 --model "$m"
    exits "$1"
    out_is ""
    err_has "grasp describe: error: $2: $3"
    [ "$(wc -l <"$dir/err")" -eq 1 ] || fail "$what: more than one line: $(cat "$dir/err")"
}

# --- sizes
printf 'P5 9000 6700 255\n' >"$dir/60.pgm" # 60 megapixels are within the limit
truncate -s +60300000 "$dir/60.pgm"
seen "$dir/60.pgm" 9000 6700
rm "$dir/60.pgm"
printf 'P5 3 3 255\n123456789' >"$dir/9.pgm"
seen "$dir/9.pgm" 3 3
printf 'P5 4000 1 255\n' >"$dir/line.pgm"
truncate -s +4000 "$dir/line.pgm"
seen "$dir/line.pgm" 4000 1
printf 'P5 70000 1 255\n' >"$dir/long.pgm"
truncate -s +70000 "$dir/long.pgm"
refused 5 "$dir/long.pgm" "a PNM picture of 70000 x 1 pixels is over the limit of 65535 pixels a side"
printf 'P6 20000 20000 255\n' >"$dir/wide.ppm"
refused 5 "$dir/wide.ppm" "a PNM picture of 20000 x 20000 pixels is over the limit of 178956970 pixels"

# --- what is no file to read
ln -s b "$dir/a"
ln -s a "$dir/b"
refused 3 "$dir/a" "cannot open: Too many levels of symbolic links"
refused 3 "$dir/a/x.png" "cannot open: "
refused 3 /dev/null "not a regular file"
mkfifo "$dir/pipe"
{ : >"$dir/pipe"; } 2>/dev/null & # a writer
writer=$!
refused 3 "$dir/pipe" "not a regular file"
kill $writer 2>/dev/null || true

# --- PNG
run version --json
if grep -q spng "$dir/out"; then
    png 8 8 72 >"$dir/good.png"
    seen "$dir/good.png" 8 8
    png 8 8 71 >"$dir/short.png"
    refused 3 "$dir/short.png" "PNG data end early"
    png 50000 50000 72 >"$dir/huge.png"
    refused 5 "$dir/huge.png" "a PNG picture of 50000 x 50000 pixels is over the limit"
    png 10000 10000 72 >"$dir/empty.png" # within the limit, and no memory is taken for it
    refused 3 "$dir/empty.png" "PNG data end early: 10000 x 10000 pixels cannot be in a file of "
    png 0 8 72 >"$dir/none.png"
    refused 3 "$dir/none.png" "PNG header: "
    png 8 8 20000000 >"$dir/bomb.png" # 8 x 8 pixels, and 20 MB of rows in 20 KB
    seen "$dir/bomb.png" 8 8
    [ -z "$plain" ] || [ "$peak" -lt 20000000 ] || fail "$what: $peak bytes for 8 x 8 pixels"
    { printf 'text\0\0' && zeros 80000000; } >"$dir/text"
    png 8 8 72 "$dir/text" >"$dir/text.png"
    refused 5 "$dir/text.png" "PNG texts or profiles of more than 67108864 bytes"
    head -c 45 "$dir/good.png" >"$dir/cut.png"
    printf 'XXXX' >>"$dir/cut.png"
    refused 3 "$dir/cut.png" "PNG "
else
    echo "SKIP: no PNG"
fi

# --- cut anywhere
# cut FORMAT FILE SENTENCE: at five places
cut() {
    run version --json
    grep -q "$1" "$dir/out" || {
        echo "SKIP: no $1"
        return
    }
    bytes=$(wc -c <"$2")
    for sixth in 1 2 3 4 5; do
        head -c $((bytes * sixth / 6)) "$2" >"$dir/cut"
        refused 3 "$dir/cut" "$3"
    done
}
cut libwebp tests/media/data/lossy.webp "WebP"
cut libwebp tests/media/data/lossless.webp "WebP"
cut libjpeg tests/media/data/progressive.jpg "JPEG "
cut spng tests/media/data/rgb16.png "PNG "

finish
