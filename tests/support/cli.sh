# cli.sh - sourced by the scripts in tests/cli: runs the command and checks what it says. $1 of the script is the command.
# A script ends with `finish`; it fails when one check failed.

grasp=$1
failures=0
dir=$(mktemp -d) || exit 1
trap 'rm -rf "$dir"' EXIT
for name in $(env | sed -n 's/^\(GRASP_[A-Z_]*\)=.*/\1/p'); do unset "$name"; done
unset NO_COLOR CLICOLOR_FORCE
# A slow machine shows progress every 10 s; what is said on stderr must not depend on that. --progress overrides it.
export GRASP_PROGRESS=none

fail() {
    echo "FAILED: $*" >&2
    failures=$((failures + 1))
}

# run ARGUMENTS: leaves $code, $dir/out and $dir/err
run() {
    what="grasp $*"
    code=0
    "$grasp" "$@" >"$dir/out" 2>"$dir/err" </dev/null || code=$?
}

exits() { [ "$code" -eq "$1" ] || fail "$what: exit code $code, expected $1; stderr: $(cat "$dir/err")"; }
out_is() { [ "$(cat "$dir/out")" = "$1" ] || fail "$what: stdout '$(cat "$dir/out")', expected '$1'"; }
err_is() { [ "$(cat "$dir/err")" = "$1" ] || fail "$what: stderr '$(cat "$dir/err")', expected '$1'"; }
out_has() { grep -qF -e "$1" "$dir/out" || fail "$what: stdout lacks '$1'; it is '$(cat "$dir/out")'"; }
err_has() { grep -qF -e "$1" "$dir/err" || fail "$what: stderr lacks '$1'; it is '$(cat "$dir/err")'"; }

finish() {
    [ "$failures" -eq 0 ] || exit 1
    echo "every check passed"
}
