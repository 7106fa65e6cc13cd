#!/bin/sh
# real_sizes.sh GRASP DIR - a random GAR-1B describes a region at 1 and at 16 tiles, and the peak resident memory stays within what was announced
# (+ 3 % + 64 MB). DIR keeps the checkpoint (3.1 GB) between runs. Takes a quarter of an hour on two cores.
set -eu
grasp=$1
model=$2/gar-1b
picture=../shared/data/demo/demo_image_1.png # 1024 x 770: all of 16 tiles
mask=../shared/data/demo/demo_mask_1.png
if [ ! -e "$picture" ]; then
    echo "real sizes: $picture is not here; a picture of examples/ takes 12 tiles of 16" >&2
    picture=examples/kitchen.jpg
    mask=examples/kitchen-mug.png
fi

[ -d "$model" ] || "$grasp" new "$model" --preset gar-1b --seed 1
number() { sed -n "s/.*\"$1\":\([0-9.]*\).*/\1/p" "$2" | cut -d. -f1; }

for tiles in 1 16; do
    answer=$2/describe-$tiles.json
    echo "real sizes: $tiles tiles at most" >&2
    "$grasp" describe "$picture" --mask "$mask" --model "$model" --max-tiles "$tiles" -n 8 --json >"$answer"
    announced=$(number total "$answer")
    peak=$(number peak_resident "$answer")
    most=$((announced + announced * 3 / 100 + 64000000))
    echo "real sizes: $tiles tiles: announced $announced bytes, peak $peak, allowed $most" >&2
    [ "$peak" -le "$most" ] || { echo "FAILED: more memory than announced"; exit 1; }
done
