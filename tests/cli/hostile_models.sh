# Models whose files lie: about sizes, places, numbers. Every lie is a sentence before memory of its order is taken.
# What is plainly broken, cut or missing has broken_models.sh.
. tests/support/cli.sh
. tests/support/safetensors.sh

export LC_ALL=C
run new "$dir/good" --preset gar-test
exits 0
weights=model.safetensors
printf 'P6 64 48 255\n' >"$dir/p.ppm"
seq -w 9999 | head -c 9216 >>"$dir/p.ppm"

fresh() {
    rm -rf "$dir/m"
    cp -r "$dir/good" "$dir/m"
}
# refused CODE PARTS...: by inspect, in one line
refused() {
    run inspect "$dir/m"
    exits "$1"
    shift
    out_is ""
    err_has "grasp inspect: error: $dir/m"
    [ "$(wc -l <"$dir/err")" -eq 1 ] || fail "$what: more than one line: $(cat "$dir/err")"
    for part; do err_has "$part"; done
}

# --- headers of safetensors
header=$(st_header "$dir/good/$weights")
st_data "$dir/good/$weights" >"$dir/data"
name=mllm.model.language_model.norm.weight
honest="\"$name\":{\"dtype\":\"F32\",\"shape\":[96],\"data_offsets\":[1114368,1114752]}"
before=${header%%"$honest"*} after=${header#*"$honest"}
[ "$before" != "$header" ] || fail "the header has no $honest"

# lie SHAPE OFFSETS CODE PARTS...: of one tensor
lie() {
    fresh
    st_write "$dir/m/$weights" "$before\"$name\":{\"dtype\":\"F32\",\"shape\":[$1],\"data_offsets\":[$2]}$after" <"$dir/data"
    code_wanted=$3
    shift 3
    refused "$code_wanted" "/$weights: " "$name" "$@"
}
lie 96 1114368,1114752000000 4 "expected 384 bytes"
lie 96 1114752,1114368 4 "expected 384 bytes"
lie 96 -384,0 4 -384
lie 96 18446744073709551612,1114752 4 18446744073709551612
lie -96 1114368,1114752 4 -96
lie 9223372036854775807 1114368,1114752 4 overflows
lie 9223372036854775808 1114368,1114752 4 9223372036854775808
lie 18446744073709551712 1114368,1114752 4 18446744073709551712
lie 4294967296,4294967296 1114368,1114368 4 overflows
lie 0 1114368,1114368 4 "there is a hole behind"
lie 1,1,1,1,1,1,1,1,96 1114368,1114752 5 "more than 8 dimensions"
lie 96 1114368 4 "1 numbers, expected 2"
fresh
st_write "$dir/m/$weights" "$before$honest,$honest$after" <"$dir/data"
refused 4 "it overlaps '$name'"

# --- its length
size=$(wc -c <"$dir/good/$weights")
for length in 8 $((size - 8)) $((size - 7)) 99999999; do
    { le64 $length && tail -c +9 "$dir/good/$weights"; } >"$dir/m/$weights"
    refused 4 "/$weights: "
done
err_has "a header of 99999999 bytes in a file of $size"
{ le64 100000001 && tail -c +9 "$dir/good/$weights"; } >"$dir/m/$weights"
refused 5 "a header of 100000001 bytes, the limit is 100000000"

# --- numbers of the configuration
# claims KEY VALUE: in place of its number
claims() {
    fresh
    sed "s/\"$1\": [0-9.]*/\"$1\": $2/" "$dir/good/config.json" >"$dir/m/config.json"
    ! cmp -s "$dir/good/config.json" "$dir/m/config.json" || fail "config.json has no $1"
    refused 4 /config.json "$1" "expected a whole number in"
}
claims num_hidden_layers 2000000000
claims num_hidden_layers 9999999999999999999
claims num_attention_heads 1000000000
claims head_dim 16000000
claims hidden_size 2147483647
claims intermediate_size 1000000000
claims vocab_size 2000000000
claims max_position_embeddings 2147483647
claims embed_dim 1000000000
claims depth 1000000000
claims prompt_numbers 100000000
claims replay_grid 100000
claims max_num_tiles 1000000
fresh
sed 's/"rope_theta": 500000.0/"rope_theta": 1e999/' "$dir/good/config.json" >"$dir/m/config.json"
refused 4 rope_theta "beyond the range of double"

# A model of terabytes, every size within its limit and every byte of the file in its place: what it takes is said, and not taken.
hidden=65536 vocab=16777216
st_header "$dir/good/$weights" | tr '{' '\n' | sed -n 's/.*"shape":\[\([0-9,]*\)\].*/\1/p' >"$dir/shapes"
st_header "$dir/good/$weights" | grep -o '"[A-Za-z_0-9.]*":{"dtype"' | sed 's/"\([^"]*\)".*/\1/' >"$dir/names"
paste -d ' ' "$dir/names" "$dir/shapes" | awk -v h=$hidden -v v=$vocab '
    $1 ~ /language_model|projector/ {
        sub(/^296,/, v ",", $2)
        if ($1 ~ /o_proj/) sub(/^96,/, h ",", $2)
        else if ($1 ~ /q_proj/) sub(/,96$/, "," h, $2)
        else gsub(/96/, h, $2)
    }
    {
        n = split($2, d, ","); bytes = 4
        for (i = 1; i <= n; i++) bytes *= d[i]
        printf "%s\"%s\":{\"dtype\":\"F32\",\"shape\":[%s],\"data_offsets\":[%.0f,%.0f]}", (NR > 1 ? "," : "{"), $1, $2, at, at + bytes
        at += bytes
    }
    END { printf "}\n%.0f\n", at }' >"$dir/giant"
fresh
sed "s/\"hidden_size\": 96/\"hidden_size\": $hidden/; s/\"vocab_size\": 296/\"vocab_size\": $vocab/" "$dir/good/config.json" >"$dir/m/config.json"
st_write "$dir/m/$weights" "$(head -n 1 "$dir/giant")" </dev/null
if truncate -s "+$(tail -n 1 "$dir/giant")" "$dir/m/$weights" 2>/dev/null; then
    run inspect "$dir/m"
    exits 0
    run describe "$dir/p.ppm" --box 1,1,9,9 --model "$dir/m" -n 2
    exits 5
    out_is ""
    err_has "this needs "
    err_has " bytes ("
else
    echo "SKIP: no file of terabytes here"
fi
rm -rf "$dir/m"

# --- the tokenizer
# ids OLD NEW PARTS...
ids() {
    fresh
    sed "s/$1/$2/" "$dir/good/tokenizer.json" >"$dir/m/tokenizer.json"
    ! cmp -s "$dir/good/tokenizer.json" "$dir/m/tokenizer.json" || fail "tokenizer.json has no $1"
    shift 2
    refused 4 "/tokenizer.json: " "$@"
}
ids '"id": 256,' '"id": 2000000000,' "2000000000, expected a whole number in 0..1048575"
ids '"id": 256,' '"id": 4294967552,' "4294967552, expected"
ids '"id": 256,' '"id": -1,' "-1, expected"
ids '"id": 256,' '"id": 97,' "token '<|begin_of_text|>' has id 97, which is the id of 'a'"
ids '"!": 33' '"!": 3300000000' "3300000000, expected"
ids '"!": 33' '"!": 34' "has id 34, which is the id of '!'"
fresh
{ printf '{"a":' && head -c 200000 /dev/zero | tr '\0' '['; } >"$dir/m/tokenizer.json"
refused 5 "/tokenizer.json: line 1" "nested deeper than 64"
cp "$dir/m/tokenizer.json" "$dir/m/config.json"
refused 5 "/config.json: line 1" "nested deeper than 64"

# --- files of no size, and of too much
for file in tokenizer.json config.json; do
    fresh
    truncate -s 20G "$dir/m/$file"
    refused 5 "/$file: 21474836480 bytes, the limit for"
done
fresh
truncate -s 20G "$dir/m/$weights"
refused 4 "/$weights: " "bytes after the last tensor"
fresh
rm "$dir/m/config.json"
ln -s config.json "$dir/m/config.json"
refused 4 "/config.json: cannot open: Too many levels of symbolic links"
rm "$dir/m/config.json"
mkdir "$dir/m/config.json"
refused 4 "/config.json: not a regular file"

# --- weights that are no numbers
# poisoned DIR SENTENCE: describe stops before a word is said, and verify names it
poisoned() {
    run describe "$dir/p.ppm" --box 1,1,30,30 --model "$1" -n 2
    exits 4
    [ "$(tr -d '\n' <"$dir/out")" = "" ] || fail "$what: said '$(cat "$dir/out")'"
    err_has "grasp describe: error: "
    err_has "$2"
    [ "$(wc -l <"$dir/err")" -eq 1 ] || fail "$what: more than one line: $(cat "$dir/err")"
}
for type in f32 bf16 f16; do
    rm -rf "$dir/good"
    run new "$dir/good" --preset gar-test --dtype $type
    case $type in
    f32) nan='\000\000\300\177' inf='\000\000\200\377' ;;
    bf16) nan='\300\177' inf='\200\377' ;;
    f16) nan='\000\176' inf='\000\374' ;;
    esac
    for tensor in language_model.layers.1.mlp.up_proj.weight language_model.layers.2.input_layernorm.weight multi_modal_projector.linear_1.bias \
        vision_tower.timm_model.pos_embed vision_tower.timm_model.blocks.0.gamma_1 language_model.embed_tokens.weight; do
        for value in "$nan" "$inf"; do
            fresh
            printf "$value" | st_put "$dir/m/$weights" "mllm.model.$tensor" 0
            poisoned "$dir/m" "$dir/m/$weights: tensor 'mllm.model.$tensor': the value at row 0, column 0 is "
        done
    done
    run verify "$dir/m"
    exits 7
    err_has "tensor 'mllm.model.$tensor': element 0 is not a finite number"
done

# numbers that are finite and too large: the sums are not
rm -rf "$dir/good"
run new "$dir/good" --preset gar-test
fresh
awk 'BEGIN { for (i = 0; i < 96; i++) printf "\\377\\377\\177\\177" }' >"$dir/large"
printf "$(cat "$dir/large")" | st_put "$dir/m/$weights" "$name" 0
poisoned "$dir/m" "the model's numbers overflow: the logits of position "

# A row of an embedding that is no head (not tied) is looked at when its token comes.
fresh
sed 's/"tie_word_embeddings": true/"tie_word_embeddings": false/' "$dir/good/config.json" >"$dir/m/config.json"
end=$(wc -c <"$dir/data")
{ cat "$dir/data" && head -c 264192 "$dir/data" | tail -c 113664; } |
    st_write "$dir/m/$weights" "${header%\}*},\"mllm.lm_head.weight\":{\"dtype\":\"F32\",\"shape\":[296,96],\"data_offsets\":[$end,$((end + 113664))]}}"
run describe "$dir/p.ppm" --box 1,1,30,30 --model "$dir/m" -n 2
exits 0
printf '\000\000\300\177' | st_put "$dir/m/$weights" mllm.model.language_model.embed_tokens.weight $((256 * 384)) # <|begin_of_text|>
poisoned "$dir/m" ""
run verify "$dir/m"
exits 7
err_has "embed_tokens.weight': element 24576 is not a finite number"

finish
