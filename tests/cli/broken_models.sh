# Folders that are no model: every one is refused with exit code 4 and a sentence that names the file, and the tensor or field.
. tests/support/cli.sh

export LC_ALL=C # sed works on bytes
run new "$dir/good" --preset gar-test
exits 0

# fresh: a copy to break; edit FILE SCRIPT: sed on it, which must change something
fresh() {
    rm -rf "$dir/m"
    cp -r "$dir/good" "$dir/m"
}
edit() {
    sed "$2" "$dir/m/$1" >"$dir/edited"
    ! cmp -s "$dir/edited" "$dir/m/$1" || fail "the edit $2 of $1 changes nothing"
    mv "$dir/edited" "$dir/m/$1"
}

# refused PARTS...: inspect says all of them, in one line, and nothing else. Paths are given within the folder.
refused() {
    run inspect "$dir/m" ${json:-}
    exits 4
    out_is ""
    err_has "grasp inspect: error: $dir/m"
    [ "$(wc -l <"$dir/err")" -eq 1 ] || fail "$what: more than one line: $(cat "$dir/err")"
    for part; do err_has "$part"; done
}

weights=model.safetensors
tensor=mllm.model.language_model.layers.0.mlp.down_proj.weight

rm -rf "$dir/m"
refused /config.json "No such file"
mkdir "$dir/m"
refused /config.json "No such file"
json=--json refused /config.json "No such file"
cp "$dir/good/config.json" "$dir/m/"
refused "holds neither model.safetensors nor model.safetensors.index.json"
cp "$dir/good/$weights" "$dir/m/"
run inspect "$dir/m" # nothing else is needed
exits 0
touch "$dir/m/x"
run inspect "$dir/m/x"
exits 4
err_has "$dir/m/x"

# --- configuration
fresh
echo '{ "model_type": ' >"$dir/m/config.json"
refused /config.json "line 2"
: >"$dir/m/config.json"
refused /config.json
head -c 1000 "$dir/good/config.json" >"$dir/m/config.json"
refused /config.json
fresh
edit config.json 's/"hidden_size": 96/"hidden_size": "many"/'
refused /config.json hidden_size
fresh
edit config.json 's/"hidden_size": 96/"hidden_size": -96/'
refused /config.json hidden_size
fresh
edit config.json 's/"model_type": "GAR"/"model_type": "llava"/'
refused /config.json model_type llava
fresh
edit config.json 's/"num_hidden_layers": 3/"num_hidden_layers": 2/'
refused "layers.2."
fresh
edit config.json 's/"num_hidden_layers": 3/"num_hidden_layers": 4/'
refused "layers.3."

# --- weights
fresh
head -c 1000000 "$dir/good/$weights" >"$dir/m/$weights"
refused "/$weights"
head -c 100 "$dir/good/$weights" >"$dir/m/$weights"
refused "/$weights"
head -c 5 "$dir/good/$weights" >"$dir/m/$weights"
refused "/$weights"
: >"$dir/m/$weights"
refused "/$weights"
printf '\377\377\377\377\377\377\377\177{}' >"$dir/m/$weights"
run inspect "$dir/m" # a number that only a limit can refuse
exits 5
err_has "$dir/m/$weights: a header of 9223372036854775807 bytes, the limit is"
printf '\100\0\0\0\0\0\0\0not JSON, but as long as the header says, which is sixty-four bytes.' >"$dir/m/$weights"
refused "/$weights"
fresh
edit "$weights" "s/\"$tensor\":{\"dtype\":\"F32\",\"shape\":\[96,160\]/\"$tensor\":{\"dtype\":\"F32\",\"shape\":[160,96]/"
refused "/$weights" "$tensor" "[160, 96]" "[96, 160]"
fresh
edit "$weights" "s/\"$tensor\":{\"dtype\":\"F32\",\"shape\":\[96,160\]/\"$tensor\":{\"dtype\":\"F32\",\"shape\":[97,160]/"
refused "/$weights" "$tensor"
fresh
edit "$weights" "s/\"$tensor\":{\"dtype\":\"F32\"/\"$tensor\":{\"dtype\":\"I32\"/"
refused "/$weights" "$tensor" I32
fresh
edit "$weights" "s/\"$tensor\":{\"dtype\":\"F32\"/\"$tensor\":{\"dtype\":\"X99\"/"
refused "/$weights" "$tensor" X99
fresh
edit "$weights" "s/\"$tensor\"/\"$(echo "$tensor" | tr a-z A-Z)\"/"
run inspect "$dir/m"
exits 4
err_has "warning: $dir/m/$weights: tensor '$(echo "$tensor" | tr a-z A-Z)' is unknown"
err_has "error: $dir/m/$weights: tensor '$tensor' is missing"

fresh
edit "$weights" 's/\[264192,264576\]/[264188,264572]/'
refused "/$weights" layers.0.input_layernorm.weight 264188
fresh
edit "$weights" 's/\[264192,264576\]/[264192,999999]/'
refused "/$weights" layers.0.input_layernorm.weight

# --- shards
fresh
rm "$dir/m/$weights"
echo '{"weight_map":{"a":"model-00001-of-00002.safetensors","b":"model-00002-of-00002.safetensors"}}' >"$dir/m/$weights.index.json"
cp "$dir/good/$weights" "$dir/m/model-00001-of-00002.safetensors"
refused "/$weights.index.json: names model-00002-of-00002.safetensors, which is missing"
echo '{"weight_map":{"no.such.tensor":"model-00001-of-00002.safetensors"}}' >"$dir/m/$weights.index.json"
refused no.such.tensor
echo '{"weight_map":{"a":"../good/model.safetensors"}}' >"$dir/m/$weights.index.json"
refused "/$weights.index.json"
echo '[' >"$dir/m/$weights.index.json"
refused "/$weights.index.json"

# --- tokenizer
fresh
head -c 2000 "$dir/good/tokenizer.json" >"$dir/m/tokenizer.json"
refused /tokenizer.json
run tokenize text --model "$dir/m"
exits 4
err_has "$dir/m/tokenizer.json"
fresh
edit tokenizer.json 's/<Prompt3>/<Promqt3>/'
refused ": tokenizer.json has no token '<Prompt3>'"
fresh
edit tokenizer.json 's/"type": *"BPE"/"type":"Unigram"/'
refused /tokenizer.json Unigram

for merges in '"a"' '"a b c"' '"zz q"' '["a"]' '["a","b","c"]' '7' '"a b","a b"'; do
    fresh
    edit tokenizer.json "s/\"merges\": \[\]/\"merges\": [$merges]/"
    refused /tokenizer.json
done
fresh
edit tokenizer.json 's/"merges": \[\]/"merges": ["zz q"]/'
refused "/tokenizer.json: " "zz"

# --- what is not a fault of the model
fresh
rm "$dir/m/tokenizer.json"
run inspect "$dir/m"
exits 0
out_has "none in the folder: it cannot be asked"
run inspect "$dir/m" --image "$dir/nothing.png"
exits 3
err_has "$dir/nothing.png"
run inspect "$dir/m" --image "$dir/m/config.json"
exits 3
err_has "$dir/m/config.json"

finish
