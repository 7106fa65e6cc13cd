# Where --model is not given, the model in the box answers; it lies beside the program, built or installed.
. tests/support/cli.sh
case "$grasp" in *emulated) echo "SKIP: the program is called by its path, which an emulator's script hides" && exit 77 ;; esac

head -c 3600 /dev/zero | { printf 'P6 40 30 255\n'; cat; } >"$dir/p.ppm"
program=$grasp

mkdir -p "$dir/alone/bin"
cp "$program" "$dir/alone/bin/grasp"
grasp=$dir/alone/bin/grasp
run describe "$dir/p.ppm" --box 1,1,9,9
exits 4
err_is "grasp describe: error: no model: give --model DIR, a GAR folder as published or one made by 'grasp new'"

for place in models share/grasp/models; do
    mkdir -p "$dir/alone/$place"
    run new "$dir/alone/$place/grasp-tiny" --preset gar-test --seed 3 --quiet
    exits 0
    run describe "$dir/p.ppm" --box 1,1,9,9 -n 5 --model "$dir/alone/$place/grasp-tiny"
    exits 0
    err_is ""
    answer=$(cat "$dir/out")
    run describe "$dir/p.ppm" --box 1,1,9,9 -n 5
    exits 0
    out_is "$answer"
    err_has "no --model: the small one in the box answers"
    run describe "$dir/p.ppm" --box 1,1,9,9 -n 5 --quiet
    exits 0
    err_is ""
    run describe "$dir/p.ppm" --box 1,1,9,9 -n 5 --json --quiet
    exits 0
    out_has "\"model\":\"$dir/alone/bin/../$place/grasp-tiny\""
    GRASP_MODEL=$dir/none run describe "$dir/p.ppm" --box 1,1,9,9
    exits 4
    err_has "$dir/none/config.json: cannot open"
    rm -rf "$dir/alone/$place/grasp-tiny"
done

finish
