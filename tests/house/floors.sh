# Which folder may include which: the house of docs/architecture.md. Every folder may use itself, base and the public headers;
# what else, its row says. Arrows point down only, so a new row is a decision, not a repair.
set -eu

floors='
base:
io:
media:    io
region:   io media
text:     io
dataset:  io media region text
backend:
graph:    backend op
op:       backend graph
nn:       backend graph op
model:    io media region text backend graph op nn
engine:   io media region text backend graph op nn model
eval:     io media region text backend graph op nn model engine synth
synth:    io media region text dataset
train:    io media region text backend graph op nn model engine dataset synth
bench:    io media region text backend graph op nn model engine train
'

bad=0
for path in src/*/; do
    folder=$(basename "$path")
    row=$(echo "$floors" | sed -n "s/^$folder:\(.*\)/allowed \1/p")
    if [ -z "$row" ]; then
        echo "src/$folder has no row in tests/house/floors.sh"
        bad=1
        continue
    fi
    for used in $(grep -rhoE '^#include "[a-z_]+/' "$path" | sed 's/^#include "//; s/\/$//' | sort -u); do
        case " $row $folder base grasp " in
        *" $used "*) ;;
        *)
            echo "src/$folder may not use src/$used:"
            grep -rnE "^#include \"$used/" "$path"
            bad=1
            ;;
        esac
    done
done
if grep -nE '^#include "[a-z_]+/' tools/*.c tools/*.h; then
    echo "tools/ uses public headers only: #include <grasp/...>"
    bad=1
fi
exit $bad
