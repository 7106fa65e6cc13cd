# What is said about the command line itself: help, version, mistakes. Results go to stdout, the rest to stderr.
. tests/support/cli.sh

run
exits 2
out_is ""
err_has "Usage: grasp COMMAND"

run help
exits 0
out_has "Usage: grasp COMMAND"
err_is ""
for name in $(sed -n '/^Commands:/,/^$/s/^  \([a-z]*\) .*/\1/p' "$dir/out"); do
    for spelling in "help $name" "$name --help" "$name -h" "$name --help --no-such-option"; do
        run $spelling
        exits 0
        err_is ""
        out_has "Usage: grasp $name"
        out_has "GRASP_PROGRESS"
        out_has "130  interrupted"
        [ "$(awk 'length > 100' "$dir/out")" = "" ] || fail "$what: a line is longer than 100 columns"
    done
done

# the same as data, of one command and of all
run help version --json
exits 0
err_is ""
out_has '"commands":[{"name":"version","usage":"","summary":"which grasp this is and how it was built"'
out_has '{"name":"quiet","letter":"q","group":"Output options","type":"flag","value":null,"default":null,"env":"GRASP_QUIET","help":'
out_has '"type":"choice","words":["auto","always","never"],"default":"auto","env":"GRASP_COLOR"'
out_has '"examples":["grasp version --json"]'
out_has '{"code":130,"meaning":"interrupted (SIGINT)"}'
run help --json
exits 0
for name in describe ask help version; do out_has "{\"name\":\"$name\",\"usage\""; done
out_has '"arguments":[{"name":"IMAGE","required":true},{"name":"QUESTION","required":true}]'
out_has '"letter":"n","group":"Answer","type":"integer","value":"N","default":"1024","env":"GRASP_MAX_TOKENS","min":1,"max":1000000'
run verify model -n 3 # -n is --max-tokens where there is one
exits 2
err_has "there is no option -n"

version=$(sed -n 's/^#define GR_VERSION_[A-Z]* *//p' include/grasp/version.h | paste -sd.)
for spelling in --version version "version --json=no"; do
    run $spelling
    exits 0
    out_is "grasp $version"
    err_is ""
done
run --version --json
exits 0
out_has "\"version\":\"$version\",\"build\":{"

run versoin
exits 2
out_is ""
err_is "grasp: error: there is no command 'versoin'; did you mean 'version'?"
run help versoin
exits 2
err_is "grasp help: error: there is no command 'versoin'; did you mean 'version'?"
run zzz
exits 2
err_is "grasp: error: there is no command 'zzz'; 'grasp help' lists them"
run --json version
exits 2
err_has "a command comes before its options"
run version --jsno
exits 2
err_is "grasp version: error: there is no option --jsno; did you mean --json?; see 'grasp help version'"
run version --js
exits 2
err_has "there is no option --js; did you mean --json?"
run version one
exits 2
err_is "grasp version: error: 'one' is one argument too many; usage: grasp version"

# flag > environment > default
GRASP_JSON=yes run version
out_has '{"name":"grasp"'
GRASP_JSON=1 run version --json=no
out_is "grasp $version"
GRASP_JSON=maybe run version
exits 2
err_has "GRASP_JSON: 'maybe' is neither yes nor no"

run version --color always --nonsense
err_has "error: there is no option --nonsense"
CLICOLOR_FORCE=1 run --nonsense
err_has "$(printf '\033[1;31merror:\033[0m')"

finish
