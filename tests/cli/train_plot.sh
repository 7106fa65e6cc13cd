# grasp train --plot: a picture of a run, of several, of one that goes on; what cannot be drawn is refused.
. tests/support/cli.sh

"$grasp" new "$dir/m" --preset gar-test --quiet >"$dir/out" 2>&1 || fail "no model: $(cat "$dir/out")"
for name in dark light; do
    { printf 'P6 40 30 255\n'; head -c 3600 /dev/zero | tr '\0' "$([ $name = dark ] && echo '\020' || echo '\300')"; } >"$dir/$name.ppm"
    printf '{"image": "%s.ppm", "mask_rle": null, "conversations": [{"from": "human", "value": "<image>\\nWhat is it?"}, ' $name
    printf '{"from": "gpt", "value": "a %s one"}]}\n' $name
done >"$dir/rows.jsonl"
run train --set "model=$dir/m" --set "data=$dir/rows.jsonl" --set "validation=$dir/rows.jsonl" --set validate_every=2 \
    --set "image_root=$dir" --set "output=$dir/run" --set accumulation=2 --set steps=4 --set max_rows=600 --set max_tiles=5
exits 0

# svg_has FILE TEXT: among the texts of a drawing
svg_has() { grep -qF -e ">$2" "$1" || fail "$what: $1 lacks '$2'"; }
nothing_else() { # nothing_else FILES: what is in the run's folder
    found=$(ls "$dir/run" | tr '\n' ' ')
    [ "$found" = "$* " ] || fail "$what: the folder holds $found"
}

run train --plot "$dir/run" --out "$dir/run/plot.svg"
exits 0
out_is "$dir/run/plot.svg"
for text in 'run</text>' 'finished at step 4, loss ' 'training</text>' 'validation</text>' 'loss (nats a token)' 'learning rate' \
    'norm of the gradient' 'step</text>' '4</text>'; do
    svg_has "$dir/run/plot.svg" "$text"
done
[ "$(head -c 5 "$dir/run/plot.svg")" = "<?xml" ] || fail "$what: no SVG"
[ "$(tail -n 1 "$dir/run/plot.svg")" = "</svg>" ] || fail "$what: it is not whole"
nothing_else ckpt-000000004 log.jsonl plot.svg
rm "$dir/run/plot.svg"

run version --json
if grep -q '"cairo"' "$dir/out"; then
    run train --plot "$dir/run/"
    exits 0
    out_is "$dir/run/plot.png"
    # its first chunk: 1600 x 1280 pixels
    size=$(od -An -j 12 -N 12 -tx1 "$dir/run/plot.png" | tr -d ' \n')
    [ "$size" = 494844520000064000000500 ] || fail "$what: its head is $size"
    nothing_else ckpt-000000004 log.jsonl plot.png
    mv "$dir/run/plot.png" "$dir/first.png"
    run train --plot "$dir/run/log.jsonl" # the log itself: the same picture, beside it
    exits 0
    out_is "$dir/run/plot.png"
    cmp "$dir/first.png" "$dir/run/plot.png" || fail "$what: another picture"
    echo '<fontconfig></fontconfig>' >"$dir/fonts" # names no folder: there is no font at all
    export FONTCONFIG_FILE="$dir/fonts"
    run train --plot "$dir/run" --out "$dir/fontless.png"
    unset FONTCONFIG_FILE
    exits 0
    run train --plot "$dir/run" --out "$dir/a.pdf"
    exits 0
    [ "$(head -c 5 "$dir/a.pdf")" = "%PDF-" ] || fail "$what: no PDF"
else
    run train --plot "$dir/run"
    exits 3
    err_has "$dir/run/plot.png: this build was made without cairo and draws no .png; choose a name that ends in .svg"
    nothing_else ckpt-000000004 log.jsonl
fi

# Two runs, one of them going on, and being written: a step that was made again is there once.
mkdir "$dir/other"
{
    i=0
    echo '{"step":0,"event":"begun"}'
    while [ $i -lt 30 ]; do
        i=$((i + 1))
        echo "{\"step\":$i,\"loss\":2.$i,\"lr\":1e-5,\"norm\":null}"
    done
    echo '{"step":20,"event":"resumed"}'
    printf '{"step":21,"loss":1.5,"lr":1e-5}\n{"step":22,"lo'
} >"$dir/other/log.jsonl"
run train --plot "$dir/run" "$dir/other" --out "$dir/both.svg" --json
exits 0
out_is "{\"plot\":\"$dir/both.svg\",\"runs\":[\"$dir/run\",\"$dir/other\"]}"
svg_has "$dir/both.svg" 'training runs</text>'
svg_has "$dir/both.svg" 'run (finished at step 4)</text>'
svg_has "$dir/both.svg" 'other (at step 21, not ended)</text>'
svg_has "$dir/both.svg" '20</text>'
run train --plot "$dir/other" --out "$dir/other.svg"
exits 0
svg_has "$dir/other.svg" 'other</text>'
svg_has "$dir/other.svg" 'went on from a checkpoint</text>'
svg_has "$dir/other.svg" 'no values</text>' # of the norm
! grep -qF '>30</text>' "$dir/other.svg" || fail "$what: steps that were made again are there"

# --- what cannot be drawn
run train --plot "$dir/nowhere" --out "$dir/x.svg"
exits 3
err_has "$dir/nowhere"
mkdir "$dir/empty"
run train --plot "$dir/empty" --out "$dir/x.svg"
exits 3
err_has "$dir/empty/log.jsonl"
: >"$dir/empty/log.jsonl"
run train --plot "$dir/empty" --out "$dir/x.svg"
exits 3
err_has "$dir/empty/log.jsonl: there is nothing to draw: no line has a loss"
printf '{"step":1,"loss":1}\nno\n' >"$dir/empty/log.jsonl"
run train --plot "$dir/run" --plot "$dir/empty" --out "$dir/x.svg"
exits 3
err_has "$dir/empty/log.jsonl: line 2, column 1: "
[ ! -e "$dir/x.svg" ] || fail "a refused plot is there"

# --- what cannot be written
echo before >"$dir/small.svg"
what="train --plot with at most 1 block a file"
code=0
(ulimit -f 1 && "$grasp" train --plot "$dir/run" --out "$dir/small.svg" >"$dir/out" 2>"$dir/err") || code=$?
exits 3
err_has "File too large"
[ "$(cat "$dir/small.svg")" = before ] || fail "$what: what stood there is gone"
run train --plot "$dir/run" --out "$dir/no/x.svg"
exits 3
err_has "$dir/no/x.svg"
mkdir "$dir/folder.svg"
run train --plot "$dir/run" --out "$dir/folder.svg"
exits 3
err_has "a directory"
run train --plot "$dir/run" --out "$dir/x.gif"
exits 2
err_has "x.gif: a plot is written to a name that ends in .png, .svg or .pdf"
left=$(find "$dir" -name '*.tmp-*')
[ "$left" = "" ] || fail "left $left"

# --- options that do not go together
run train --plot "$dir/run" "$dir/other"
exits 2
err_has 'a picture of 2 runs needs a name: --out OUT.png'
run train --plot "$dir/run" --set steps=3
exits 2
err_has '--plot trains nothing'
run train --out "$dir/x.svg"
exits 2
err_has '--out is the picture of --plot and not used here'
run train a b
exits 2
err_has "'b' is one argument too many"
run train --plot 1 2 3 4 5 6 7 8 9 --out "$dir/x.svg"
exits 2
err_has '--plot shows up to 8 runs in one picture, not 9'
finish
