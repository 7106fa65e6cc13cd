# report.awk - the table, or with json=1 the JSON object, of what `run` measured.
#   awk -v threads=N -v rounds=N -v json=0|1 -f report.awk PEERS PAIRS
# PEERS: peer, "measured", "missing" or "failed", sentence. PAIRS, a line for each pair of slices: peer, name, rows, inputs, outputs, our
# weights, unit, rate, seconds of the median call and of the fastest, and the same of the peer. Tabs between; the fastest may be "-".
BEGIN { FS = OFS = "\t" }

FILENAME == ARGV[1] {
    peer_name[++peers] = $1
    peer_state[peers] = $2
    peer_says[peers] = $3
    next
}

{
    $6 = tolower($6)
    $11 = tolower($11)
    id = $1 FS $2 FS $11
    if (!(id in pairs)) {
        if (!(($2, 1) in of_case))
            name[++cases] = $2
        of_case[$2, ++in_case[$2]] = id
        first[id] = $0
    }
    n = ++pairs[id]
    our_rate[id, n] = $8
    peer_rate[id, n] = $13
    ratio[id, n] = $14 / $9
    fastest(ours, id, $10 == "-" ? $9 : $10)
    fastest(theirs, id, $15 == "-" ? $14 : $15)
}

function fastest(a, id, seconds) {
    if (!(id in a) || seconds < a[id])
        a[id] = seconds
}

# Measured peer by peer, shown case by case.
function order_rows(i, j) {
    for (i = 1; i <= cases; i++)
        for (j = 1; j <= in_case[name[i]]; j++)
            row[++rows] = of_case[name[i], j]
}

# The sorted values of a[id, 1..n] in sorted[1..n].
function sort(a, id, n, i, j, x) {
    for (i = 1; i <= n; i++) {
        x = a[id, i] + 0
        for (j = i; j > 1 && sorted[j - 1] > x; j--)
            sorted[j] = sorted[j - 1]
        sorted[j] = x
    }
}

function median(a, id, n) {
    sort(a, id, n)
    return n % 2 ? sorted[(n + 1) / 2] : (sorted[n / 2] + sorted[n / 2 + 1]) / 2
}

function shape(f) {
    return f[3] == "-" || f[4] == "-" || f[5] == "-" ? "" : f[3] " x " f[4] " x " f[5]
}

function rate(weights, value, unit) {
    return sprintf("%s%.4g %s", weights == "-" ? "" : weights " ", value, unit)
}

function quoted(text) {
    gsub(/\\/, "\\\\", text)
    gsub(/"/, "\\\"", text)
    gsub(/[\001-\037]/, " ", text)
    return "\"" text "\""
}

function comma(i) { return i > 1 ? "," : "" }

function member(name, value) { return quoted(name) ":" value }

function number_or_null(value) { return value == "-" ? "null" : value }

function text_or_null(value) { return value == "-" ? "null" : quoted(value) }

function put_table(i, id, n, f) {
    for (i = 1; i <= peers; i++)
        printf "%s: %s%s\n", peer_name[i], peer_state[i] == "measured" ? "" : peer_state[i] ": ", peer_says[i]
    if (!rows)
        return
    printf "\n%-34s %-20s %-22s %-12s %-22s %s\n", "case", "shape", "grasp", "peer", "", "times as fast       fastest"
    for (i = 1; i <= rows; i++) {
        id = row[i]
        n = pairs[id]
        split(first[id], f, FS)
        printf "%-34s %-20s %-22s %-12s %-22s %-19s %.2f\n", f[2], shape(f),
               rate(f[6], median(our_rate, id, n), f[7]), f[1], rate(f[11], median(peer_rate, id, n), f[12]),
               spread(id, n), theirs[id] / ours[id]
    }
}

function spread(id, n, middle) {
    middle = median(ratio, id, n) # and sorted
    return sprintf("%.2f [%.2f..%.2f]", middle, sorted[1], sorted[n])
}

function smallest(id, n) {
    sort(ratio, id, n)
    return sorted[1]
}

function put_json(i, id, n, f) {
    printf "{\"threads\":%d,\"rounds\":%d,\"peers\":[", threads, rounds
    for (i = 1; i <= peers; i++)
        printf "%s{%s,%s,%s}", comma(i), member("name", quoted(peer_name[i])),
               member("state", quoted(peer_state[i])), member("says", quoted(peer_says[i]))
    printf "],\"rows\":["
    for (i = 1; i <= rows; i++) {
        id = row[i]
        n = pairs[id]
        split(first[id], f, FS)
        printf "%s{%s,%s,%s,%s,", comma(i), member("name", quoted(f[2])),
               member("rows", number_or_null(f[3])), member("inputs", number_or_null(f[4])),
               member("outputs", number_or_null(f[5]))
        printf "%s,%s,%s,", member("weights", text_or_null(f[6])), member("unit", quoted(f[7])),
               member("median", sprintf("%.6g", median(our_rate, id, n)))
        printf "%s,%s,%s,%s,", member("peer", quoted(f[1])), member("peer_weights", text_or_null(f[11])),
               member("peer_unit", quoted(f[12])), member("peer_median", sprintf("%.6g", median(peer_rate, id, n)))
        printf "%s,%s,", member("pairs", n), member("ratio_median", sprintf("%.4f", median(ratio, id, n)))
        printf "%s,%s,%s}", member("ratio_min", sprintf("%.4f", smallest(id, n))), member("ratio_max", sprintf("%.4f", sorted[n])),
               member("ratio_fastest", sprintf("%.4f", theirs[id] / ours[id]))
    }
    print "]}"
}

END {
    order_rows()
    if (json)
        put_json()
    else
        put_table()
}
