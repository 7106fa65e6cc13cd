# grasp describe and ask: regions in their order, one answer each, and what is no picture or no region: a sentence that names it, and exit
# code 3.
. tests/support/cli.sh

m=$dir/m
run new "$m" --preset gar-test --seed 1
exits 0

# pgm FILE W H: a black grey picture; dot FILE: its last pixel becomes white
pgm() {
    printf 'P5 %d %d 255\n' "$2" "$3" >"$1"
    head -c $(($2 * $3)) /dev/zero >>"$1"
}
dot() {
    head -c $(($(wc -c <"$1") - 1)) "$1" >"$dir/dotted"
    printf '\377' >>"$dir/dotted"
    mv "$dir/dotted" "$1"
}

# A picture of 640 x 480, and a mask of 130 x 125 pixels of it, in the format that every build reads.
picture=$dir/picture.ppm
printf 'P6 640 480 255\n' >"$picture"
seq -w 9999999 | head -c 921600 >>"$picture"
mask=$dir/mask.pgm
awk 'BEGIN { print "P2 640 480 1"; for (y = 0; y < 480; y++) for (x = 0; x < 640; x++)
    print (x >= 392 && x < 522 && y >= 139 && y < 264) }' >"$mask"

# --- what works
run describe "$picture" --mask "$mask" --model "$m" -n 3 --json --max-tiles 1
exits 0
err_is ""
out_has '"size":[640,480],"regions":[{"name":"r0","bbox":[392,139,522,264],"area":16250,"source":"mask"}]'
out_has '"usage":{"prompt_tokens":'
out_has '"completion_tokens":3}'
cp "$dir/out" "$dir/one"
text() { sed 's/.*"descriptions":\(\[.*\]\),"load_ms.*/\1/; s/"timings":{[^}]*},//g' "$1"; }
for way in "--threads 1" "--threads 3 --max-tokens 3"; do # answers do not depend on it
    run describe "$picture" --mask "$mask" --model "$m" -n 3 --json --max-tiles 1 $way
    [ "$(text "$dir/out")" = "$(text "$dir/one")" ] || fail "$what: $(text "$dir/out"), expected $(text "$dir/one")"
done
run describe "$picture" --box 10,20,100,200 --mask "$mask" --model "$m" -n 2 --max-tiles 1
exits 0
out_has "region 0: "
out_has "region 1: "

# regions are numbered as they are written, whatever their kinds; what the environment adds comes last
GRASP_POLYGON=0,0,9,0,9,9,0,9 run ask "$picture" 'Which of <Prompt0>, <Prompt1>, <Prompt2> and <Prompt3>?' --box 0,0,10,10 --mask "$mask" \
    --region box:20,20,30,30 --model "$m" -n 1 --max-tiles 1 --json
exits 0
out_has '"regions":[{"name":"r0","bbox":[0,0,10,10],"area":100,"source":"box"},{"name":"r1","bbox":[392,139,522,264],'
out_has '{"name":"r2","bbox":[20,20,30,30],"area":100,"source":"box"},{"name":"r3","bbox":[0,0,9,9],'

# a picture, and a mask, of one pixel
pgm "$dir/one.pgm" 1 1
dot "$dir/one.pgm"
run describe "$dir/one.pgm" --mask "$dir/one.pgm" --model "$m" -n 2 --json
exits 0
out_has '"size":[1,1],"regions":[{"name":"r0","bbox":[0,0,1,1],"area":1,'
pgm "$dir/last.pgm" 640 480
dot "$dir/last.pgm"
run describe "$picture" --mask "$dir/last.pgm" --model "$m" -n 2 --max-tiles 1 --json
exits 0
out_has '"bbox":[639,479,640,480],"area":1,'

# --- pictures that are none
# no FILE PARTS...: both as the picture and as a mask
no() {
    file=$1
    shift
    run describe "$file" --mask "$mask" --model "$m"
    exits 3
    out_is ""
    err_has "grasp describe: error: $file: "
    for part; do err_has "$part"; done
    run ask "$picture" 'What is <Prompt0>?' --mask "$file" --model "$m"
    exits 3
    out_is ""
    err_has "grasp ask: error: region 0: $file: "
    for part; do err_has "$part"; done
}
no "$dir/nothing.png" "No such file"
no "$dir" ""
: >"$dir/empty.png"
no "$dir/empty.png" "0 bytes"
echo "no picture at all" >"$dir/text.png"
no "$dir/text.png"
run version --json
cp "$dir/out" "$dir/version"
if grep -q libjpeg "$dir/version"; then
    head -c 9000 examples/toys.jpg >"$dir/cut.jpg"
    no "$dir/cut.jpg" "JPEG data end early" "of 480 rows are there"
    head -c 300 examples/toys.jpg >"$dir/head.jpg"
    no "$dir/head.jpg" "JPEG data end early"
else
    no examples/toys.jpg "JPEG"
fi
if grep -q spng "$dir/version"; then
    head -c 300 examples/toys-ball.png >"$dir/cut.png"
    no "$dir/cut.png" "PNG data end early"
else
    no examples/toys-ball.png "PNG"
fi
printf 'P5 640 480 255\nxyz' >"$dir/cut.pgm"
no "$dir/cut.pgm"
printf 'P6 99999 99999 255\n' >"$dir/huge.ppm"
run describe "$dir/huge.ppm" --mask "$mask" --model "$m"
exits 5
err_has "$dir/huge.ppm: "
err_has 99999

# --- regions that cannot be used
# unusable SENTENCE REGION...: after a good region, so that the number is 1
unusable() {
    sentence=$1
    shift
    run describe "$picture" --mask "$mask" "$@" --model "$m"
    exits 3
    out_is ""
    err_has "grasp describe: error: region 1: $sentence"
}
pgm "$dir/black.pgm" 640 480
unusable "empty_region: " --mask "$dir/black.pgm"
pgm "$dir/turned.pgm" 480 640
dot "$dir/turned.pgm"
unusable "mask_size_mismatch: the mask is 480 x 640 pixels, the picture 640 x 480" --mask "$dir/turned.pgm"
unusable "mask_size_mismatch: the mask is 1 x 1 pixels" --mask "$dir/one.pgm"
unusable "empty_region: " --rle '{"size":[480,640],"counts":[307200]}'
unusable "mask_size_mismatch: " --rle '{"size":[640,480],"counts":[0,9,307191]}'
unusable "invalid_region: " --rle '{"size":[480,640],"counts":[1,2,3]}'
unusable "invalid_region: " --rle '{"size":[480,640],"counts":"ab~"}'
unusable "invalid_region: " --rle '{"size":[480'
unusable "invalid_region: " --box 10,10,10,50
unusable "invalid_region: " --box 1,2,3
unusable "invalid_region: " --box nan,0,1,1
unusable "region_out_of_image: box [640, 0, 700, 9]" --box 640,0,700,9
unusable "invalid_region: " --polygon 1,1,5
unusable "invalid_region: " --region ellipse:1,2,3,4
unusable "not_built: points need a segmentation model" --point 5,5
unusable "not_built: scribbles need a segmentation model" --scribble '1,1;5,5'

unusable 'unknown_region: none of the 1 regions before it has the name "dog"' --region '{"ref":"dog"}'

# a region that stands before may be repeated
run describe "$picture" --region '{"name":"dog","box":[1,2,30,40]}' --mask "$mask" --region '{"ref":"dog"}' --region '{"name":"it","ref":"r1"}' \
    --model "$m" -n 1 --max-tiles 1 --json
exits 0
out_has '{"name":"r2","bbox":[1,2,30,40],"area":1102,"source":"box"},{"name":"it","bbox":[392,139,522,264],"area":16250,"source":"mask"}]'

# of the same shape: resized, and said
pgm "$dir/half.pgm" 320 240
dot "$dir/half.pgm"
run describe "$picture" --mask "$dir/half.pgm" --model "$m" -n 1 --max-tiles 1
exits 0
err_has "warning: region 0: the mask of 320 x 240 pixels was resized to the picture's 640 x 480"

# --- what is asked for
run describe "$picture" --model "$m"
exits 2
err_has "no region: point at something with --region"
run describe "$picture" --mask "$mask" --model "$dir/none"
exits 4
err_has "$dir/none/config.json: cannot open: No such file"
set --
for i in 0 1 2 3 4 5; do set -- "$@" --box $i,0,9,9; done
run ask "$picture" "What are these?" "$@" --model "$m"
exits 5
err_has "too_many_regions: 6 regions in one dialog, the model takes at most 5"
run ask "$picture" "What are these?" "$@" --model "$m" --switch extra_prompts=released -n 1 --max-tiles 1
exits 0
run ask "$picture" 'Is <region:dog> red?' --mask "$mask" --model "$m"
exits 2
err_has "<region:dog>"
run ask "$picture" 'Is <region:dog> red?' --region '{"name":"dog","box":[1,2,30,40]}' --model "$m" -n 1 --max-tiles 1 --json
exits 0
out_has '"name":"dog"'
run describe "$picture" --mask "$mask" --model "$m" --switch roi_mode=twice
exits 2
err_has "roi_mode"

# --- files that are written: whole, or not at all
run describe "$picture" --mask "$mask" --model "$m" -n 1 --max-tiles 1 --dump "$dir/values.safetensors" --overlay "$dir/seen.ppm"
exits 0
for name in pixel_values mask_values vision_features image_features replay_0 input_ids inputs_embeds logits; do
    head -c 4000 "$dir/values.safetensors" | LC_ALL=C grep -qaF "\"$name\"" || fail "$what: the dump has no $name"
done
[ "$(head -n 2 "$dir/seen.ppm" | tr '\n' ' ' | cut -c 1-10)" = "P6 640 480" ] || fail "$what: $(head -n 2 "$dir/seen.ppm")"
run describe "$picture" --mask "$mask" --model "$m" -n 1 --max-tiles 1 --dump "$dir/no/values.safetensors"
exits 3
err_has "$dir/no/values.safetensors"
run describe "$picture" --mask "$mask" --box 1,1,9,9 --model "$m" --dump "$dir/two.safetensors"
exits 2
[ ! -e "$dir/two.safetensors" ] || fail "$what: wrote a file"

finish
