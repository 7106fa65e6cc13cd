# grasp inspect: what it shows, and that the memory it announces is what a run announces.
. tests/support/cli.sh

m=$dir/m
run new "$m" --preset gar-test --seed 1
run inspect "$m"
exits 0
err_is ""
for part in "family           gar" "licence          not stated in the files" "of the base      not stated in the files" \
    "F32, 1.95 MB in 81 tensors" "parameters       486560 (487 k)" "3 blocks of width 64, 4 heads, class token" \
    "the head is the embedding" "tokenizer        296 tokens" "mask                1          37632     151 kB" \
    "roi_mode       released" "unverified: no published file" "roi_mode (Q2)" "a picture of 4 tiles, the most there may be, 1 region" \
    "prompt of 224 tokens (picture 80, regions 16, text 128); context 1248 of 4096" "  total "; do
    out_has "$part"
done
run inspect --model "$m" --json
exits 0
out_has '"family":"gar","license":null,"base_license":null,"dtypes":"F32","tensors":81,"parameters":486560,"stored_bytes":1946240,'
out_has '"roi_mode":"released"'
out_has '"run":{"size":null,"canvas":null,"tiles":4,"regions":1,"image_tokens":80,'
out_has '"memory_bytes":{"weights":'

# The items of the memory make up its total.
sum=$(sed 's/.*"memory_bytes":{\([^}]*\)}.*/\1/; s/"[a-z]*"://g' "$dir/out" | awk -F, '{ print $1 + $2 + $3 + $4 + $5 + $6 - $7 }')
[ "$sum" = 0 ] || fail "$what: the items differ from the total by $sum bytes"

# stated licences
sed 's/"grasp": {/"grasp": { "license": "Apache-2.0", "base_license": "Llama 3.2",/' "$m/config.json" >"$dir/c" && cp "$dir/c" "$m/config.json"
run inspect "$m"
out_has "licence          Apache-2.0"
out_has "of the base      Llama 3.2"

# the picture: a size, or a file
run inspect "$m" --image 600x300 --regions 2 --max-tokens 10
out_has "a picture of 600 x 300 px (2 x 1 tiles), 2 regions, an answer of at most 10 tokens"
out_has "prompt of 208 tokens (picture 48, regions 32, text 128); context 218 of 4096"
run inspect "$m" --image 600x300 --max-tiles 1
out_has "(1 x 1 tiles)"
{
    printf 'P6 60 30 255\n'
    head -c 5400 /dev/zero
} >"$dir/picture.ppm"
run inspect "$m" --image "$dir/picture.ppm"
exits 0
out_has "a picture of 60 x 30 px (2 x 1 tiles)"
for wrong in 0x5 70000x5 99999999999999999999x1; do
    run inspect "$m" --image "$wrong"
    exits 2
    err_has "a picture of '$wrong' pixels"
done
run inspect "$m" --image 5x5x5
exits 3
err_has "5x5x5"

# The same run, announced by describe: the same bytes.
memory() { sed 's/.*"memory_bytes":{\(.*"total":[0-9]*\).*/\1/' "$dir/out"; }
field() { sed "s/.*\"$1\":\([0-9]*\).*/\1/" "$dir/out"; }
run describe "$dir/picture.ppm" --box 3,3,20,20 --model "$m" --json --max-tokens 5 --threads 2 --progress none
exits 0
announced=$(memory)
text=$(($(field prompt_tokens) - $(field image_tokens) - $(field region_tokens)))
run inspect "$m" --image 60x30 --text-tokens "$text" --max-tokens 5 --threads 2 --json
[ "$(memory)" = "$announced" ] || fail "$what: says $(memory), describe says $announced"

# a run that cannot be: all the rest is shown
run inspect "$m" --text-tokens 5000
exits 5
out_has "family           gar"
err_has "the model's context is 4096"
run inspect "$m" --text-tokens 5000 --json
exits 5
out_has '"context":4096,"error":"a prompt of 5096 tokens'
run inspect "$m" --regions 6
exits 0
err_has "warning: 6 regions, and the model has 5 prompts"

# a PerceptionLM base: the inner configuration, names without the wrapper, no mask embedding; no tokenizer
base=$dir/base
mkdir "$base"
cp "$m/preprocessor_config.json" "$m/processor_config.json" "$base/"
{
    echo "{"
    sed -n '/"mllm_config": {/,/^  },/p' "$m/config.json" | sed '1d;$d'
    echo "}"
} >"$base/config.json"
LC_ALL=C sed 's/"mllm\./     "/g' "$m/model.safetensors" >"$base/model.safetensors"
run inspect "$base" --quiet
exits 0
err_is ""
out_has "family           perception_lm, a base model: it knows no regions"
out_has "F32, 1.8 MB in 80 tensors"
out_has "tokenizer        none in the folder"
out_has "0 regions, an answer of at most 1024 tokens"
! grep -q unverified "$dir/out" || fail "$what: a base has nothing unverified"

run inspect
exits 2
err_has "usage: grasp inspect DIR"

finish
