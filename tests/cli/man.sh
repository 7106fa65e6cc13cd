# The manual page: made from the tables, whole, and such that every reader of man pages takes it without a warning.
. tests/support/cli.sh

run help --man
exits 0
err_is ""
cp "$dir/out" "$dir/grasp.1"
for section in NAME SYNOPSIS DESCRIPTION COMMANDS OPTIONS ENVIRONMENT FILES '"EXIT STATUS"' EXAMPLES; do
    grep -qxF ".SH $section" "$dir/grasp.1" || fail "$what: no section $section"
done
[ "$(grep -c '^\.\|^[^.]' "$dir/grasp.1")" -eq "$(wc -l <"$dir/grasp.1")" ] || fail "$what: an empty line"
[ "$(awk 'length > 150' "$dir/grasp.1")" = "" ] || fail "$what: a line is longer than 150 characters"
tail -c 4 "$dir/grasp.1" | grep -q EE || fail "$what: it does not end where it should"

# plain: the page as one reads it, with one space between words
plain() { sed 's/\\f[BIR]//g; s/\\-/-/g; s/\\(aq/'"'"'/g; s/\\(dq/"/g; s/\\e/\\/g' "$dir/grasp.1"; }
plain >"$dir/plain"
run help
# lacks WHAT LIST: nothing of the list is missing in the page
lacks() {
    missing=$(sort -u "$2" | comm -23 - "$dir/there")
    [ -s "$2" ] && [ "$missing" = "" ] || fail "the page lacks $1: $missing"
}
for name in $(sed -n '/^Commands:/,/^$/s/^  \([a-z]*\) .*/\1/p' "$dir/out"); do
    echo "$name" >>"$dir/names"
    "$grasp" help "$name" >>"$dir/helps"
done
sed -n 's/^\.SS "grasp \([a-z]*\)[ "].*/\1/p' "$dir/plain" | sort -u >"$dir/there"
lacks commands "$dir/names"
sed -n 's/^\(-., \)*\(--[a-z-]*\).*/\2/p' "$dir/plain" | sort -u >"$dir/there"
sed -n 's/^  \(-.,\|   \) \(--[a-z-]*\).*/\2/p' "$dir/helps" >"$dir/options"
lacks options "$dir/options"
sed -n 's/^\.I \(GRASP_[A-Z_]*\)$/\1/p' "$dir/plain" | sort -u >"$dir/there"
grep -o 'GRASP_[A-Z_]*' "$dir/helps" >"$dir/variables"
lacks variables "$dir/variables"
for code in 0 1 2 3 4 5 6 7 130 143; do grep -qx "\.B $code" "$dir/plain" || fail "the page has no exit status $code"; done
grep -qxF "grasp ask photo.jpg --mask a.png --mask b.png 'What is <Prompt0> doing to <Prompt1>?' -m GAR-8B" "$dir/plain" ||
    fail "an example is not as it is to be typed"

run help --man describe
exits 2
out_is ""
err_has "--man is one page of all commands"
run help --man --json
exits 2
err_has "it takes no --json"

if command -v mandoc >/dev/null; then
    said=$(mandoc -Tlint "$dir/grasp.1") || true
    [ "$said" = "" ] || fail "mandoc -Tlint: $said"
else
    echo "SKIP: no mandoc"
fi
if command -v groff >/dev/null; then
    said=$(groff -man -ww -z "$dir/grasp.1" 2>&1) || true
    [ "$said" = "" ] || fail "groff: $said"
else
    echo "SKIP: no groff"
fi

finish
