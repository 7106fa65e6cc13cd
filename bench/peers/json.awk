# json.awk - prints the objects of a JSON text that have a member named as the first of `keys`, one a line: the values of all `keys`
# with tabs between, "-" for what is missing or null. Nested objects are looked at on their own, inner ones first.
#   awk -v keys="name rows" -f json.awk FILE
{ text = text $0 "\n" }

function emit(d, i, line) {
    if (!((d, key[1]) in value))
        return
    for (i = 1; i <= keys_n; i++)
        line = line (i > 1 ? "\t" : "") (((d, key[i]) in value) ? value[d, key[i]] : "-")
    print line
}

function forget(d, i) {
    for (i = 1; i <= keys_n; i++)
        delete value[d, key[i]]
    member[d] = ""
}

function unquoted(token) {
    token = substr(token, 2, length(token) - 2)
    gsub(/\\[nrt]/, " ", token)
    gsub(/\\\\/, "\001", token)
    gsub(/\\/, "", token)
    gsub(/\001/, "\\", token)
    return token
}

# A value, or, with a colon behind it, the name of a member. Values of arrays have no name of their own and are passed over.
function scalar(token) {
    if (token == "null")
        token = "-"
    if (kind[depth] != "{")
        return
    if (member[depth] == "")
        member[depth] = token
    else {
        value[depth, member[depth]] = token
        member[depth] = ""
    }
}

function closed(what) {
    if (kind[depth] != what)
        broken("a bracket does not match")
    if (what == "{")
        emit(depth)
    depth--
    if (kind[depth] == "{")
        member[depth] = ""
}

function broken(why) {
    printf "json.awk: this is not JSON, %s: %.60s\n", why, text | "cat >&2"
    failed = 1
    exit 1
}

END {
    if (failed)
        exit 1
    keys_n = split(keys, key, " ")
    for (;;) {
        sub(/^[ \t\r\n,:]+/, "", text)
        if (text == "")
            break
        if (match(text, /^"([^"\\]|\\.)*"/)) {
            length_now = RLENGTH
            scalar(unquoted(substr(text, 1, RLENGTH)))
        } else if (match(text, /^-?[0-9][-+0-9.eE]*|^true|^false|^null/)) {
            length_now = RLENGTH
            scalar(substr(text, 1, RLENGTH))
        } else {
            token = substr(text, 1, 1)
            length_now = 1
            if (token == "{" || token == "[") {
                kind[++depth] = token
                forget(depth)
            } else if (token == "}")
                closed("{")
            else if (token == "]")
                closed("[")
            else
                broken("a value was expected")
        }
        text = substr(text, length_now + 1)
    }
    if (depth)
        broken("it ends too early")
}
