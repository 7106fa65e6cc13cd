# Completion: the scripts are read by their shells, and bash's does what it should when its function is called as readline does.
. tests/support/cli.sh

for shell in bash zsh fish; do
    run completion $shell
    exits 0
    err_is ""
    cp "$dir/out" "$dir/grasp.$shell"
    for word in describe max-tokens overlay; do out_has "$word"; done
    out_has "auto always never"
    if command -v $shell >/dev/null; then
        said=$($shell -n "$dir/grasp.$shell" 2>&1) || fail "$shell -n: $said"
    else
        echo "SKIP: no $shell"
    fi
done
run completion tcsh
exits 2
out_is ""
err_is "grasp completion: error: there is no completion for 'tcsh'; it is made for bash|zsh|fish"
run completion
exits 2
err_has "an argument is missing; usage: grasp completion bash|zsh|fish"

command -v bash >/dev/null || {
    echo "SKIP: no bash"
    finish
    exit 0
}
mkdir -p "$dir/here/a folder" "$dir/here/models"
touch "$dir/here/photo.jpg" "$dir/here/photo two.jpg"

cat >"$dir/check" <<'EOF'
. "$1"
cd "$2"
failed=0
# offers 'WORDS EXPECTED, ONE A LINE' COMMAND LINE: the last word is the one the cursor is in
offers() {
    local expected=$1 got
    shift
    COMP_WORDS=("$@") COMP_CWORD=$(($# - 1)) COMPREPLY=()
    _grasp
    got=$(printf '%s\n' "${COMPREPLY[@]}" | LC_ALL=C sort)
    [ "$got" = "$expected" ] || { echo "FAILED: '$*' offers '$got', expected '$expected'"; failed=1; }
}
lines() { printf '%s\n' "$@"; }

offers describe grasp desc
offers "$(lines verify version)" grasp ver
offers "$(lines --help --version)" grasp --
offers "$(lines verify version)" grasp help ver
offers "$(lines --max-tiles --max-tokens)" grasp describe photo.jpg --max-
offers "" grasp tokenize --max-            # an option of others
offers "$(lines always auto never)" grasp describe --color ""
offers always grasp version --color al
offers "$(lines always auto never)" grasp version --color =
offers always grasp version --color = al   # as readline parts --color=al
offers --color=always grasp version --color=al
offers "$(lines bash fish zsh)" grasp completion ""

offers "$(lines 'a folder' models 'photo two.jpg' photo.jpg)" grasp describe ""
offers "$(lines 'photo two.jpg' photo.jpg)" grasp describe --json --max-tokens 3 ph
offers "$(lines 'photo two.jpg' photo.jpg)" grasp describe --box = 1,2,3,4 -m models ph
offers "" grasp describe photo.jpg ""      # one picture
offers "" grasp describe -- --json ph      # what follows -- is an argument
offers "" grasp ask photo.jpg ph           # the question is in no file
offers "$(lines 'photo two.jpg' photo.jpg)" grasp ask --mask ph
offers "$(lines 'photo two.jpg' photo.jpg)" grasp ask --overlay = ph
offers "$(lines 'a folder' models)" grasp describe -m ""
offers "$(lines models)" grasp inspect mo
offers "" grasp inspect ph
offers "$(lines 'photo two.jpg' photo.jpg)" grasp tokenize --model ph # a folder or a file
offers "" grasp ask --max-tokens ph
exit $failed
EOF
said=$(bash "$dir/check" "$dir/grasp.bash" "$dir/here" 2>&1) || fail "$said"
[ "$said" = "" ] || fail "bash: $said"

finish
