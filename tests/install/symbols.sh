# What the libraries export: symbols.sh LIBGRASP.so LIBGRASP.a
set -eu
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT

# Every name begins with gr_.
{ nm -D --defined-only "$1"; nm -g --defined-only "$2"; } |
    awk 'NF == 3 { n++ } NF == 3 && $3 !~ /^gr_/ { print "exported without the prefix gr_: " $3; bad = 1 }
         END { print n + 0 " names"; exit bad || !n }'

# Every function that a public header declares is in the shared library; its name is the last word before the parenthesis.
nm -D --defined-only "$1" | awk '{ print $3 }' | sort >"$dir/exported"
cat include/grasp/*.h |
    awk '/^GR_API/ { text = ""; on = 1 }
         on { text = text " " $0 }
         on && /\(/ { on = 0; sub(/\(.*/, "", text); n = split(text, word, /[ *]+/); print word[n] }' |
    sort -u >"$dir/declared"
[ -s "$dir/declared" ]
comm -23 "$dir/declared" "$dir/exported" >"$dir/missing"
sed 's/^/declared in a public header, but not exported: /' "$dir/missing"
[ ! -s "$dir/missing" ]

# Every struct that grows, which says so beside its first field, is in the tables of load_by_name.c.
grep -ohE 'sizeof\(gr_[a-z_]+\), set by [a-z]+' include/grasp/*.h >"$dir/growing"
[ -s "$dir/growing" ]
sed -n 's/^sizeof(\(.*\)), set by.*/SIZE(\1),/p; s/^sizeof(\(.*\)), set by init/"\1_init"/p' "$dir/growing" |
    while read -r row; do
        grep -qF "$row" tests/install/load_by_name.c || echo "tests/install/load_by_name.c lacks a row $row"
    done >"$dir/rows"
cat "$dir/rows"
[ ! -s "$dir/rows" ]
