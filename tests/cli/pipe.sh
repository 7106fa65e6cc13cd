# Where the results cannot be written: a reader that went away is no error, a full disk is one.
. tests/support/cli.sh

{ sleep 1; "$grasp" help 2>"$dir/err"; echo $? >"$dir/code"; } | : # the reader is long gone when the writer begins
code=$(cat "$dir/code")
what="grasp help | :"
exits 0
err_is ""

if [ -w /dev/full ]; then
    code=0
    "$grasp" help >/dev/full 2>"$dir/err" || code=$?
    what="grasp help >/dev/full"
    exits 1
    err_has "cannot write the results: No space left on device"
fi

finish
