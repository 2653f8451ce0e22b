#!/bin/sh
# Verifies a git-tracevault ledger without git-tracevault: git, sha256sum (or shasum), jq, and minisign or openssl 3 (for seals openssl 3).
#   verify.sh [-C REPOSITORY] [--ledger ID]
# Prints findings (code, chain, number, text) and the verdict. Exit: 0 pass, 1 fail, 2 could not tell, 3 no ledger to
# trust: give its id, or git config tracevault.ledger. docs/format.md says what is checked, and what is left out here.
set -u
die() { printf 'verify.sh: %s\n' "$*" >&2; exit 2; }
dir=. pinned=
while [ $# -gt 0 ]; do case $1 in
    -C) [ $# -gt 1 ] || die "-C needs a folder"; dir=$2; shift 2 ;;
    --ledger) [ $# -gt 1 ] || die "--ledger needs an id"; pinned=$2; shift 2 ;;
    *) die "usage: verify.sh [-C REPOSITORY] [--ledger ID]" ;;
esac; done
# Objects as their ids name them: no replacement, graft, shallow border, commit graph, nor a network.
export LC_ALL=C GIT_NO_REPLACE_OBJECTS=1 GIT_GRAFT_FILE=/nonexistent GIT_SHALLOW_FILE='' GIT_NO_LAZY_FETCH=1
cd -- "$dir" && git rev-parse --git-dir >/dev/null || die "no repository at $dir"
g() { git -c core.commitGraph=false -c core.quotePath=true "$@" 2>/dev/null; }
have() { command -v "$1" >/dev/null 2>&1; }
sha='shasum -a 256'; have sha256sum && sha=sha256sum
sum() { sum=$($sha <"$1"); sum=${sum%% *}; }
have jq || die "jq is missing"; tool=${VERIFY_SIGNATURES:-minisign}; have "$tool" || tool=openssl
have "$tool" || die "minisign or openssl is missing"
umask 077; t=$(mktemp -d) || exit 2; trap 'rm -rf "$t"' EXIT; trap 'exit 2' HUP INT TERM
mkdir "$t/odb" "$t/tips" "$t/node"; : >"$t/pieces"; : >"$t/keys"; : >"$t/enrolled"; : >"$t/members"; : >"$t/closed"
: >"$t/whose"; : >"$t/pruned"; : >"$t/rules"; : >"$t/amendable"; : >"$t/amends"; : >"$t/replacing"; : >"$t/lacking"; : >"$t/said"; : >"$t/draws"
: >"$t/witnesses"; : >"$t/seals"; : >"$t/covers"; : >"$t/ids"; : >"$t/lengths"
prefix=$(git config tracevault.prefix || echo refs/tracevault); zero=$(printf %064d 0)
ones=$(printf %s "$zero" | tr 0 f) verdict=pass findings=0 good=0 total=0 lost= ledger= known=" " refused= missing= seals_lost= untold_records=
last="-1 null" policies=/ nl='
'
[ -n "$pinned" ] || pinned=$(git config tracevault.ledger)

found() { # code, text: about record $seq of chain $chain; of a chain that was refused nothing is said
    [ -z "$refused" ] || return 0
    findings=$((findings + 1)); printf '%s %s %s %s\n' "$1" "$chain" "$seq" "$2" | tr -cd '[:print:]\n'
    case $1 in W-*) ;; E-MISSING | E-PENDING) [ "$1" = E-PENDING ] || missing=1; [ $verdict = fail ] || verdict=inconclusive ;; *) verdict=fail ;; esac
}
# jq: a record's fields, a line each, if it has those its type must have and no other; then its text, written anew.
cat >"$t/record.jq" <<'JQ'
def is($t): if ($t | type) == "array" then type == "array" and all(.[]; is($t[0])) and (. != [] or $t[1] == null) # [form, 1]: not empty
  elif ($t | type) == "object" then . as $v | type == "object"
    and all($t | keys[]; . as $k | rtrimstr("?") as $n | if $v | has($n) then $v[$n] | is($t[$k]) else $k != $n end)
    and (keys - [$t | keys[] | rtrimstr("?")]) == []
  elif $t == "n" then type == "number" and . >= 0 elif $t == "prompt" then . as $n | any((0, 100000, 200000, 272000); . == $n)
  elif $t == "u" then is("n") and . < 4294967296
  elif $t == "texts" then type == "array" and . != [] and is(["s"])
  elif $t == "some" then type == "array" and . != [] and is([{list: "s", count: "n"}])
  elif $t == "s" then type == "string" elif $t == "o" then type == "object"
  else type == "string" and test("\\A(" + $t + ")\\z") end;
def time: "[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}Z"; def real: try (fromdateiso8601 | todate) catch "";
def id: "[0-9a-f]{64}"; def git: "[0-9a-f]{40}([0-9a-f]{24})?"; def key: "RW[QRST][A-Za-z0-9+/]{53}";
def chain: "policy|[0-9a-f]{32}"; def session: "[A-Za-z0-9_][A-Za-z0-9_-]{0,63}"; def month: "[0-9]{4}-(0[1-9]|1[0-2])"; def cite: {n: "n", id: id};
def verdict: "pass|inconclusive|fail"; def shelf: {chain: chain, class: "transcript|events|edits", month: month};
def payload: {class: shelf.class, source: "s", month: month, lines: "n", pieces: [{sha256: id, size: "n"}], "encryption?": "gzip-age"};
def lines: {added: "n", agent: "n", human: "n", unattributed: "n"};
def opened: {session: session, records: [id, 1]}; def recipient: "age1[02-9ac-hj-np-z]{58}";
def members: [{id: "s", name: "s", keys: [{public_key: key, from_seq: "n", "recipient?": recipient}],
  roles: ["owner|admin|policy-admin|developer|auditor|ci|witness"]}];
def body: {genesis: {threshold: "u", members: members, nonce: "s"}, roster: {set: members, "remove?": "texts", "threshold?": "u", "witnesses?": "u"},
  "close-chain": {chain: chain, "last?": {seq: "n", id: id}, reason: "lost|stolen|rotated|left"}, policy: {toml: "s"},
  close: {"successor?": key}, open: {public_key: key, member: {id: "s", name: "s"}, device: "s", tool: "s", "recipient?": recipient},
  session: {session: session, segment: "n", agent: {name: "s", version: "s"}, started: time, ended: time,
    active_seconds: "n", prompts: "n", turns: "n", plans: "n", compactions: "n", subagents: "n", models: [{model: "s", prompt_over: "prompt",
    requests: "n", input: "n", output: "n", cache_read: "n", cache_write_5m: "n", cache_write_1h: "n"}],
    tools: [{name: "s", calls: "n", failed: "n"}], mcp_servers: ["s"], skills: ["s"], programs: [{name: "s", runs: "n"}],
    files: [{path: "s", edits: "n", added: "n", removed: "n"}], redactions: [{rule: "s", count: "n"}],
    gaps: [{kind: "s", count: "n"}], payloads: [payload], "rules?": id, "cut?": "some"},
  commit: {commit: git, sha256: id, tree: git, parents: [git], "patch_id?": git, "patch_id_u0?": git,
    sessions: [{session: session, record: id}], files: [lines + {path: "s"}], total: lines, trace: id, "cut?": "some"},
  seal: {heads: [{chain: chain, seq: "n", id: id}], size: "n", root: id, findings: "n"},
  link: {old: git, new: git, found_by: "s", level: "u"},
  check: {range: {first: git, last: git, commits: "n", sha256: id}, rules: cite, verdict: verdict, "cut?": "some",
    findings: [{rule: "s", level: "warn|block", outcome: "inconclusive|violated", "commit?": git, "path?": "s"}]},
  approve: {commits: [{commit: git, sha256: id}, 1]},
  amend: {record: id, reason: "wrong|incomplete|duplicate|secret", correction: {"record?": id, "payloads?": [payload, 1]}},
  compliance: {frameworks: [{framework: "sox|pci-dss|sr-11-7|custom", months: "u"}, 1]},
  hold: {case: session, shelves: [shelf, 1], "records?": [id, 1], "commits?": [git, 1], "sessions?": [session, 1]},
  release: {case: session}, prune: {shelves: [shelf + {pieces: "n", root: id}, 1]},
  audit: {verdict: verdict, records: "n", findings: [{code: "s", count: "n"}], heads: [{chain: chain, seq: "n", id: id}], "cut?": "some"},
  adjudicate: {code: "s", chain: chain, "seq?": "n", decision: "accepted|rejected", "record?": id}, access: opened, export: opened};
. as $raw | try fromjson catch 0 | tojson as $text | if type != "object" or ([.. | objects | keys == keys_unsorted] | all | not)
  or ([.. | objects | keys[] | is("[a-z0-9_]+")] | all | not) or (.v | is("n") | not) or (.type | is("s") | not)
  or ($text != $raw and $text != ($raw | split("\u007f") | join("\\u007f"))) # jq may escape what needs none
then "E-CANON" elif .v != 1 or (.type as $type | body | has($type) | not) then "E-VERSION"
elif is({v: "n", type: "s", ledger: id, chain: chain, seq: "n", prev: id, time: time, "policy?": cite,
  "seal?": cite, body: body[.type], "ext?": "o"}) | not then "E-CANON"
elif [.time, (.body | if .started then .started, .ended else empty end)] | map(. == real) | all | not then "E-CANON"
else (if $raw | contains("\ufffd") then "bytes" else "ok" end), "type \(.type)", "ledger \(.ledger)", "short \(.ledger[:12])", "chain \(.chain)", "seq \(.seq)", "prev \(.prev)",
  "time \(.time | fromdateiso8601)", "policy \(.policy.n // -1) \(.policy.id)", "seal \(.seal.n // -1) \(.seal.id)",
  (.body | .. | objects | .public_key, .successor | values | "key \(.)"),
  (if .type == "session" then "subject session \(.body.session) segment \(.body.segment)", "session \(.body.session)",
    (.body.payloads[] | . as $p | .pieces[] | "piece \(.sha256) \(.size) \($p.class) \($p.month)")
  elif .type == "seal" then "subject seal \(.body.size): \(.body.root[:12])", "sealed \(.body.size) \(.body.root)",
    (.body.heads[] | "head \(.chain) \(.seq) \(.id)")
  elif .type == "link" then "subject link \(.body.old[:12]) to \(.body.new[:12])"
  elif .type == "commit" then (.body.sessions[] | "drawn \(.record) \(.session)"), "code \(.body.commit) \(.body.sha256)", "trace \(.body.trace)",
    "heads \(([.body.tree] + .body.parents) | join(" "))", (.body.total as $n | "subject commit \(.body.commit[:12]): " +
    "\($n.agent) agent, \($n.human) human, \($n.unattributed) unattributed")
  else "subject \(.type) \(if .type == "check" then .body | "\(.range.last[:12]): \(.verdict), commits \(.range.commits)"
    elif .type == "amend" then .body.record[:12] elif .type == "hold" or .type == "release" then .body.case else .seq end)", (if .type == "amend" then "about \(.body | .record, (.correction.record | values))",
      (select(.body.reason == "secret" and .body.correction.payloads) | "replaces 1"),
      (.body.correction.payloads // [] | .[] | . as $p | .pieces[] | "piece \(.sha256) \(.size) \($p.class) \($p.month)")
    elif .type == "approve" then .body.commits[] | "approved \(.commit) \(.sha256)"
    elif .type == "check" then .body.rules | "rules \(.n) \(.id)" else empty end) end), "text \($text)" end
JQ
# awk: numbers, escapes, words and depth of a text: what jq reads otherwise, or writes otherwise, than it must be.
cat >"$t/form.awk" <<'AWK'
{ s = $0; gsub(/\\\\/, "", s); gsub(/\\["bfnrt]/, "", s); gsub(/\\u00(0[0-7bef]|1[0-9a-f])/, "", s); if (s ~ /\\/) bad = 1
  gsub(/"[^"]*"/, "S", s); gsub(/true|false/, "T", s); if (NR > 1 || s ~ /[^][{}:,ST0-9-]/ || s !~ /^\{/) bad = 1
  n = split(s, number, /[^0-9-]+/)
  for (i = 1; i <= n; i++) { text = number[i]; if (text == "") continue
    if (text !~ /^(0|-?[1-9][0-9]*)$/) bad = 1
    sub(/^-/, "", text); if (length(text) > 16 || text + 0 > 9007199254740991) bad = 1 }
  gsub(/S:/, "", s); gsub(/[0-9-]+/, "N", s)
  for (i = 1; i <= length(s); i++) { c = substr(s, i, 1)
    if (c ~ /[[{]/) { if (++depth > 16) deep = 1 } else if (c ~ /[]}]/) depth--
    else if (c ~ /[STN]/ && depth >= 16) deep = 1 } }
END { print (deep ? "E-LIMIT" : bad ? "E-CANON" : "ok") }
AWK

learn() { # key: its chain and number into $t/keys; fails for a key that would verify what nobody signed
    case $known in *" $1 "*) return ;; esac
    hex=$(printf %s "$1" | base64 -d 2>/dev/null | od -An -v -tx1 | tr -d ' \n')
    case ${hex#????????????????????} in
        0[01]${zero%????}[08]0 | e[cde]${ones%????}[7f]f) return 1 ;;
        26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc[08]5) return 1 ;;
        c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac03[7f]a) return 1 ;;
    esac
    number=$(printf %s "$hex" | sed 's/^....\(..\)\(..\)\(..\)\(..\)\(..\)\(..\)\(..\)\(..\).*/\8\7\6\5\4\3\2\1/' | tr a-f A-F)
    printf %s "$1" | base64 -d | tail -c 32 >"$t/point"; sum "$t/point"; known="$known$1 "
    echo "$1 ${sum%????????????????????????????????} $number" >>"$t/keys"
}
octal() { awk 'BEGIN { d = "0123456789abcdef" } { for (i = 1; i < length; i += 2)
    printf "\\%03o", 16 * (index(d, substr($0, i, 1)) - 1) + index(d, substr($0, i + 1, 1)) - 1 }'; }
pem() { # key
    printf %s "$1" | base64 -d >"$t/pk"; { printf '\060\052\060\005\006\003\053\145\160\003\041\000'; tail -c 32 "$t/pk"; } >"$t/der"
    openssl pkey -pubin -inform DER -in "$t/der" -out "$t/pem" 2>/dev/null
}
ed25519() { openssl pkeyutl -verify -pubin -inkey "$t/pem" -rawin -in "$1" -sigfile "$2" >/dev/null 2>&1; }
signed() { # signature file, key: whether it is the key's signature of record.json; why not, in $code
    code=E-FORMAT; { IFS= read -r l1 && IFS= read -r l2 && IFS= read -r l3 && IFS= read -r l4; } <"$1" || return 1
    printf '%s\n%s\n%s\n%s\n' "$l1" "$l2" "$l3" "$l4" | cmp -s - "$1" || return 1
    [ "$l1" = 'untrusted comment: tracevault' ] || return 1
    case $l3 in 'trusted comment: '*) ;; *) return 1 ;; esac
    # Base64 of 74 bytes, beginning with ED, and of 64 bytes; no bit is set that says nothing.
    case ${l2%=}${l4%==} in *[!A-Za-z0-9+/]*) return 1 ;; esac
    case ${#l2}$l2/${#l4}$l4 in 100RU[QRST]*[AEIMQUYcgkosw048]=/88*[AQgw]==) ;; *) return 1 ;; esac
    code=E-SIG; [ "${l3#trusted comment: }" = "$comment" ] || return 1
    if [ "$tool" = minisign ]; then minisign -V -q -H -P "$2" -m "$t/record.json" -x "$1" >/dev/null 2>&1; return; fi
    pem "$2" || return 1; printf %s "$l2" | base64 -d >"$t/s1"; printf %s "$l4" | base64 -d >"$t/s2"
    head -c 10 "$t/pk" | tail -c 8 >"$t/n1"; head -c 10 "$t/s1" | tail -c 8 | cmp -s - "$t/n1" || return 1
    tail -c 64 "$t/s1" >"$t/sig"; openssl dgst -blake2b512 -binary "$t/record.json" >"$t/hash"
    { cat "$t/sig"; printf %s "$comment"; } >"$t/both"; ed25519 "$t/hash" "$t/sig" && ed25519 "$t/both" "$t/s2"
}

read_record() { # commit, tree, parents: its fields; $state: good, wrapped (its wrapping is wrong), unread, missing
    commit=$1 tree=$2 parent=${3-} replaces=0 rec='' trace='' check='' stamp='' odd='' before='' state=unread seq=- sigs='' oids=''; set --
    : >"$t/want"; : >"$t/approved"; : >"$t/about"; : >"$t/rkeys"; : >"$t/entries"; : >"$t/head"; : >"$t/drawn"; g ls-tree -l "$tree" | head -c 65536 >"$t/files"
    if [ ! -s "$t/files" ] && ! g cat-file -e "$tree"; then state=missing; found E-MISSING "tree $tree is not here"; return; fi
    while read -r mode _ oid size name; do
        [ "$name" != "$before" ] || { found E-ENVELOPE "a name stands twice in the tree of $commit"; return; }
        before=$name limit=1024
        case $name in *[!A-Za-z0-9.-]*) odd=1; continue ;; esac
        case $mode/$name in
            100644/record.json) rec=$oid limit=65536 ;;
            100644/agent-trace.json) trace=$oid limit=67108864 ;;
            100644/checkpoint) check=$oid limit=65536 ;;
            100644/timestamp.tsr) stamp=$oid limit=65536 ;;
            100644/record.json.minisig | 100644/record.json.????????????????.minisig) sigs="$sigs $name" ;;
            *) odd=1; continue ;;
        esac
        case $size in *[!0-9]*) state=missing; found E-MISSING "$name ($oid) is not here"; return ;; esac
        [ ${#size} -lt 10 ] && [ "$size" -le $limit ] || { found E-LIMIT "$name has $size bytes"; return; }
        g cat-file blob "$oid" >"$t/$name"; set -- "$@" "$t/$name"; oids="$oids$oid$nl"
        printf '100644 blob %s\t%s\n' "$oid" "$name" >>"$t/entries"
    done <"$t/files"
    [ -n "$rec" ] || { found E-ENVELOPE "there is no record.json at $commit"; return; }
    [ "$(g hash-object --no-filters -- "$@")$nl" = "$oids" ] || { found E-OBJECT "an object at $commit has not the bytes of its id"; return; }
    code=$(awk -f "$t/form.awk" "$t/record.json" 2>/dev/null)
    [ "$code" != ok ] || jq -rRs -f "$t/record.jq" "$t/record.json" >"$t/fields" 2>/dev/null || code=E-CANON
    [ "$code" != ok ] || read -r code <"$t/fields" || code=E-CANON
    if [ "$code" = bytes ]; then # jq has read U+FFFD, or what is not UTF-8
        sed -n '$s/^text //p' "$t/fields" | tr -d '\n' | cmp -s - "$t/record.json" && code=ok || code=E-CANON
    fi
    [ "$code" = ok ] || { found "${code:-E-CANON}" "record.json at $commit"; return; }
    while read -r name value; do case $name in
        type) type=$value ;; ledger) its_ledger=$value ;; short) short=$value ;; chain) its_chain=$value ;;
        seq) its_seq=$value ;; prev) prev=$value ;; time) time=$value ;; policy) cited=$value ;; seal) seal=${value% *} seal_id=${value#* } ;;
        session) session=$value ;; drawn) echo "$value" >>"$t/drawn" ;; sealed) sealed=$value ;; head) echo "$value" >>"$t/head" ;;
        subject) subject=$value ;; code) named=$value ;; heads) heads=$value ;; trace) its_trace=$value ;;
        piece) echo "$value" >>"$t/want" ;; approved) echo "$value" >>"$t/approved" ;; about) echo "$value" >>"$t/about" ;;
        rules) rules=$value ;; replaces) replaces=$value ;;
        key) learn "$value" || { found E-CANON "a weak key at $commit"; return; }; echo "$value" >>"$t/rkeys" ;;
    esac; done <"$t/fields"
    sum "$t/record.json"; id=$sum state=wrapped seq=$its_seq; [ "$type" != genesis ] || its_ledger=$id
    who="tracevault <$its_chain@tracevault> $time +0000" comment="tracevault/v1 type=$type ledger=$short chain=$its_chain seq=$seq id=$id"
    made=$(printf 'tree %s\n%sauthor %s\ncommitter %s\n\n%s\n\nrecord %s\n' "$tree" "${parent:+parent $parent$nl}" "$who" "$who" \
        "$subject" "$id" | g hash-object --literally -t commit --stdin)
    [ -z "$trace" ] || sum "$t/agent-trace.json"
    if [ -n "$odd" ]; then found E-ENVELOPE "there is a file that is no part of a record"
    elif [ "$(GIT_OBJECT_DIRECTORY=$t/odb git mktree --missing <"$t/entries" 2>/dev/null)" != "$tree" ]; then found E-ENVELOPE "the tree is another"
    elif [ "$made" != "$commit" ]; then found E-ENVELOPE "the commit is not the one its record makes"
    elif [ -n "$check$stamp" ] && [ "$type" != seal ]; then found E-ENVELOPE "only a seal has a checkpoint and a time stamp"
    elif [ "$type" = commit ] && [ -z "$trace" ]; then found E-MISSING "agent-trace.json is not there"
    elif [ "$type" != commit ] && [ -n "$trace" ]; then found E-ENVELOPE "only a commit record has a trace"
    elif [ -n "$trace" ] && [ "$sum" != "$its_trace" ]; then found E-PAYLOAD-HASH "agent-trace.json"
    else state=good; fi
}
follow() { # judges the place of the record that was read, after the head of its chain; it is the head then
    [ "$its_ledger" = "$ledger" ] || found E-LEDGER "it belongs to ledger $its_ledger"
    [ "$its_chain" = "$chain" ] || found E-CHAIN-KEY "it says it belongs to chain $its_chain"
    [ "$seq" = $((head_seq + 1)) ] || found E-SEQ "it stands where $((head_seq + 1)) should be"
    [ "$head_id" = missing ] || [ "$prev" = "$head_id" ] || found E-CHAIN "its predecessor is $prev, not $head_id"
    if [ "$head_seq" -ge 0 ]; then
        [ $((time + 300)) -ge "$head_time" ] || found E-TIME "it is dated before its predecessor"
        [ "${cited% *}" -ge "$head_policy" ] || found E-POLICY "it cites an older policy than its predecessor"
        [ "$seal" -ge "$head_seal" ] || found E-POLICY "it cites an older seal than its predecessor"
    fi
    [ $kind = log ] || [ "$seal" = -1 ] || found E-SEAL "only a writer's records cite a seal"
    [ -z "$ended" ] || found E-UNAUTH "its writer had closed the chain"; [ "$type" != close ] || ended=1
    case $kind/$head_seq/$type in
        policy/-1/genesis | policy/[0-9]*/roster | policy/[0-9]*/close-chain | policy/[0-9]*/policy | [ls]*/-1/open) ;;
        policy/[0-9]*/compliance | policy/[0-9]*/hold | policy/[0-9]*/release | policy/[0-9]*/prune) ;;
        policy/[0-9]*/audit | policy/[0-9]*/adjudicate | log/[0-9]*/check | log/[0-9]*/approve | log/[0-9]*/amend) ;;
        log/[0-9]*/session | log/[0-9]*/commit | log/[0-9]*/link | [ls]*/[0-9]*/close | seal/[0-9]*/seal) ;;
        log/[0-9]*/access | log/[0-9]*/export) ;;
        *) found E-UNAUTH "a $type record may not stand here" ;;
    esac
    head_seq=$seq head_id=$id head_time=$time head_policy=${cited% *} head_seal=$seal
}
start() { kind=$3 at=0 chain=$1 seq=- head_seq=-1 head_id=$2 head_time=0 head_policy=-1 head_seal=-1 key='' pending='' asked='' ended=''; }
# jq: the roster after a policy record that $signers have signed, or why it does not count.
cat >"$t/roster.jq" <<'JQ'
($keys | split("\n") | map(split(" ") | select(length == 3) | {(.[0]): .[1]}) | add) as $chain
| ($signers | split("\n") | map(select(. != ""))) as $by | $record[0] as $r | $r.body as $b | ($roster[0] // null) as $old
| def owner: .roles | index("owner") != null;
  def open($closed): [.keys[] | select($chain[.public_key] as $c | $closed | has($c) | not)];
  def signed($closed): any(open($closed)[]; .public_key as $k | any($by[]; . == $k));
  def enough: .closed as $c | ([.members[] | select(owner and signed($c))] | length) >= .threshold;
  def one($role): .closed as $c | any(.members[]; signed($c) and any(.roles[]; . == "owner" or . == $role));
  def admin: one("admin");
  def usable: .closed as $c | .threshold > 0 and (.witnesses // 1) > 0 and .threshold <= ([.members[] | select(owner and open($c) != [])] | length)
    and ([.members[].keys[] | $chain[.public_key]] | length == (unique | length));
  def enrolled: [.members[] | .id as $m | .keys[] | {key: $chain[.public_key], value: [$m, .from_seq]}] | from_entries;
  def keeps: . as $new | ($old | enrolled) as $was | enrolled as $is
    | all($was | keys[]; . as $c | if $is | has($c) then $is[$c] == $was[$c] else $old.closed | has($c) end)
    and all($is | keys[]; . as $c | ($was | has($c)) or ($new.closed | has($c) | not));
  def upto: if . == null then 0 else .seq + 1 end;
  # How long payloads are kept, what is held and what was pruned.
  def least($none): {sox: 84, "pci-dss": 12, "sr-11-7": 36, custom: $none}[.framework];
  def ascends: . as $list | all(range(1; length); $list[. - 1] < $list[.]);
  def rank: {transcript: 0, events: 1, edits: 2, sox: 0, "pci-dss": 1, "sr-11-7": 2, custom: 3}[.];
  def month: (.[:4] | tonumber) * 12 + (.[5:7] | tonumber);
  def keep: .keep as $k | ($b.frameworks // [] | [.[].months] | max) as $months
    | if $r.type == "compliance" then
        if ([$b.frameworks[].framework | rank] | ascends | not) or any($b.frameworks[]; .months < least(1)) or $months < $k.floor then "E-POLICY"
        else .keep.months = $months | .keep.floor = ([$k.floor, ($b.frameworks[] | least(0))] | max) end
      elif $r.type == "hold" then .keep.holds[$b.case] += $b.shelves
      elif $r.type == "release" then if $k.holds | has($b.case) then del(.keep.holds[$b.case]) else "E-POLICY" end
      elif $r.type == "prune" then
        if $k.months == null or ([$b.shelves[] | [.chain, (.class | rank), .month]] | ascends | not)
          or any($b.shelves[]; {chain, class, month} as $s | .pieces == 0 or .chain == "policy"
            or ($r.time | month) <= (.month | month) + $k.months or any($k.holds[][]; . == $s)) then "E-POLICY"
        else .keep.pruned += $b.shelves end
      else . end;
  if $old == null then reduce $b.members[] as $m ({threshold: $b.threshold, members: {}, closed: {}, keep: {months: null, floor: 0, holds: {}, pruned: []}}; .members[$m.id] = $m)
    | if usable | not then "E-POLICY" elif enough | not then "E-POLICY-THRESHOLD" else . end
  elif $r.type == "hold" or $r.type == "audit" then if $old | admin or one("auditor") then $old | keep else "E-UNAUTH" end
  elif any("compliance", "release", "prune", "adjudicate"; . == $r.type) then if $old | admin then $old | keep else "E-UNAUTH" end
  elif $r.type == "policy" then if $old | one("policy-admin") then $old else "E-UNAUTH" end
  elif $r.type == "close-chain" then ($old | enrolled[$b.chain]) as $whose | ($old | .closed[$b.chain] = $b.last)
    | if $whose and ($old.members[$whose[0]] | owner) then (if $old | enough then . else "E-POLICY-THRESHOLD" end)
      elif $old | admin | not then "E-UNAUTH" else . end
    | if type == "string" then . elif $b.chain == "policy" or usable == false
      or (($old.closed | has($b.chain)) and ($old.closed[$b.chain] | upto) <= ($b.last | upto)) then "E-POLICY" else . end
  else ($b.remove // []) as $gone | reduce $b.set[] as $m ($old; .members[$m.id] = $m) | reduce $gone[] as $m (.; del(.members[$m]))
    | .threshold = ($b.threshold // .threshold) | .witnesses = ($b.witnesses // .witnesses // 1)
    | if ($gone | length != (unique | length)) or any($gone[]; . as $m | ($old.members | has($m) | not) or any($b.set[]; .id == $m))
      then "E-POLICY"
      elif $b.threshold or $b.witnesses or any($b.set[]; owner or ($old.members[.id] // {roles: []} | owner)) or any($gone[]; $old.members[.] | owner)
      then (if $old | enough | not then "E-POLICY-THRESHOLD" elif usable | not then "E-POLICY" elif enough | not then "E-POLICY-THRESHOLD" else . end)
      elif $old | admin | not then "E-UNAUTH" elif usable | not then "E-POLICY" else . end
    | if type == "string" or keeps then . else "E-POLICY" end end
JQ
policy_record() { # commit, tree, parents: takes in the next policy record, or fails: nothing after it counts then
    read_record "$@"; [ $state != missing ] || lost=1; [ $state = good ] || return
    ledger=${ledger:-$its_ledger}
    before=$findings; follow; [ $findings = "$before" ] || return
    [ "$cited" = "$last" ] || { found E-POLICY "it does not cite the policy record before it"; return 1; }
    : >"$t/signers"; cat "$t/members" "$t/rkeys" >"$t/may"
    for name in $sigs; do
        n=${name#record.json}; n=${n%.minisig} why=E-SIG
        [ -n "$n" ] || { found E-ENVELOPE "there is a signature that names no key"; return 1; }
        for key in $(awk -v n=".$n" -v m="$t/may" 'BEGIN { while ((getline k <m) > 0) is[k] = 1 } ("." "." $3) == n && $1 in is { print $1 }' "$t/keys"); do
            if signed "$t/$name" "$key"; then echo "$key" >>"$t/signers"; why=''; elif [ -n "$why" ]; then why=$code; fi
        done
        [ -z "$why" ] || { found "$why" "$name is no member's signature"; return 1; }
    done
    [ -s "$t/signers" ] || { found E-SIG "it has no signature"; return 1; }
    jq -nr --rawfile keys "$t/keys" --rawfile signers "$t/signers" --slurpfile record "$t/record.json" --slurpfile roster "$t/roster" \
        -f "$t/roster.jq" >"$t/next" 2>/dev/null || echo E-POLICY >"$t/next"
    read -r why <"$t/next"; case $why in E-*) found "$why" "the roster may not be changed so"; return 1 ;; esac
    mv "$t/next" "$t/roster"; jq -r --arg n $good --rawfile keys "$t/keys" '($keys | split("\n") | map(split(" ") | select(length == 3) | {(.[0]): .[1]}) | add) as $c
        | (.members[] | .id as $m | .keys[] | "whose \($c[.public_key]) \($m | @base64)"),
        (.keep.pruned[] | "pruned \(.chain) \(.class) \(.month) \(.pieces) \(.root)"),
        (.closed as $closed | (.members[] | .roles as $r | .keys[] | $c[.public_key] as $chain
        | "enrolled \($n) \($chain) \(.from_seq) ,\($r | join(",")),", (select($closed | has($chain) | not) | "member \(.public_key)")),
        ($closed | to_entries[] | "closed \(.key) \(.value.seq // -1) \(.value.id // "-")"))' "$t/roster" >"$t/told"
    sed -n 's/^whose //p' "$t/told" >>"$t/whose"; sed -n 's/^pruned //p' "$t/told" >"$t/pruned"; [ "$type" != policy ] || echo "$seq $id" >>"$t/rules"
    sed -n 's/^enrolled //p' "$t/told" >>"$t/enrolled"; sed -n 's/^member //p' "$t/told" >"$t/members"; sed -n 's/^closed //p' "$t/told" >"$t/closed"
    echo "policy $seq $id" >>"$t/ids"; last="$seq $id" policies="$policies$seq $id/"; good=$((good + 1))
}
standing() { # judges whether the writer, whose key makes the chain $own, may write the record
    n=${cited% *}; [ "$n" != -1 ] || { found E-POLICY "it cites no policy record"; return; }
    case $policies in *"/$cited/"*)
        if [ -n "$last_seq" ]; then
            [ "$seq" -le "$last_seq" ] || { found E-UNAUTH "its chain was closed after record $last_seq"; return; }
            [ "$seq" -lt "$last_seq" ] || [ "$id" = "$last_id" ] || { found E-FORK "another record was the last"; found E-UNAUTH "it is not the last of its chain"; return; }
        fi
        [ "$asked" = "$cited" ] || role=$(awk -v n="$n" -v c="$own" '$1 >= n + 0 && $2 == c { print $3, $4; exit }' "$t/enrolled")
        asked=$cited
        case $type${role#* } in
            "$type") [ "$own" != "$chain" ] || pending=1; return ;;
            seal*,witness,*) ;; seal*) found E-UNAUTH "its writer is no witness" ;;
            open* | close* | amend* | access* | export* | approve*,owner,* | approve*,admin,* | approve*,policy-admin,* | approve*,developer,* | approve*,auditor,*) ;;
            [!a]*,developer,* | [!a]*,ci,*) ;;
            *) found E-UNAUTH "its writer's roles are ${role#* }"; return ;;
        esac
        [ "$seq" -ge "${role%% *}" ] || { found E-UNAUTH "records of this chain count from ${role%% *} on"; return; }
        [ "$type" != check ] || [ "$rules" = "$(awk -v n="$n" '$1 <= n + 0 { r = $0 } END { print r }' "$t/rules")" ] || found E-POLICY "it was checked by other rules than those in force"
        return ;;
    esac
    if [ "$n" -lt $good ]; then found E-POLICY "policy record $n is another"
    elif [ $total -eq 0 ] || [ -n "$lost" ]; then :
    elif [ "$n" -lt $total ]; then found E-POLICY "policy record $n does not hold"
    else found E-ROLLBACK "it cites policy record $n; now the policy chain has $total records"; fi
}
cites() { # judges the seal that the record cites
    [ "$seal" != -1 ] || return; is=$(awk -v i="$seal_id" -v n="$seal" '$3 == i && $4 == n { print $4, $6, $7; exit }' "$t/seals")
    case $is in
        '') [ -n "$seals_lost" ] || found E-ROLLBACK "it cites a seal that is not here" ;;
        "$seal 1 "*) [ "${cited% *}" -ge "${is##* }" ] || found E-POLICY "it cites an older policy than its seal" ;;
        *) found E-SEAL "it cites a seal that does not hold" ;;
    esac
}
checkpoint() { # judges the note beside a seal: its text is what the seal says, and the witness's key has signed it
    [ -n "$check" ] || { found E-SEAL "it has no checkpoint"; return; }
    have openssl || { found E-MISSING "openssl is missing: the checkpoint is not checked"; return; }
    origin=tracevault/$its_ledger/$chain; printf '%s\n%s\n%s\n' "$origin" "${sealed% *}" \
        "$(printf "$(printf %s "${sealed#* }" | octal)" | base64)" >"$t/text"; n=$(wc -c <"$t/text"); pem "$key"
    { printf '%s\n\001' "$origin"; tail -c 32 "$t/pk"; } >"$t/whose_key"; sum "$t/whose_key"; ours=''
    { cat "$t/text"; echo; } >"$t/both"; head -c $((n + 1)) "$t/checkpoint" | cmp -s - "$t/both" || { found E-SEAL "its checkpoint says something else"; return; }
    tail -c +$((n + 2)) "$t/checkpoint" >"$t/signatures"
    [ -s "$t/signatures" ] && [ -z "$(tail -c 1 "$t/signatures" | tr -d '\n')" ] || { found E-SEAL "its checkpoint does not end"; return; }
    while IFS= read -r line; do
        line=${line#'— '}; name=${line%% *} text=${line#* }
        [ "— $name $text" = "— $line" ] && [ -n "$name" ] && case $name in *+*) false ;; esac && case $text in *[!A-Za-z0-9+/=]* | '') false ;; esac \
            && printf %s "$text" | base64 -d >"$t/s1" 2>/dev/null && [ "$(wc -c <"$t/s1")" -gt 4 ] && [ "$(base64 <"$t/s1" | tr -d '\n')" = "$text" ] \
            || { found E-SEAL "a line of its checkpoint is no signature"; return; }
        [ "$name" = "$origin" ] && [ "$(head -c 4 "$t/s1" | od -An -v -tx1 | tr -d ' \n')" = "$(printf %.8s "$sum")" ] || continue
        tail -c +5 "$t/s1" >"$t/sig"; ours=1; ed25519 "$t/text" "$t/sig" || { found E-SEAL "its checkpoint is not signed by its key"; return; }
    done <"$t/signatures"; [ -n "$ours" ] || found E-SEAL "its checkpoint is not signed"
}
timestamp() { # judges the token beside a seal: it is granted, for the SHA-256 of the record
    have openssl || { found E-MISSING "openssl is missing: the time stamp is not checked"; return; }
    openssl ts -reply -in "$t/timestamp.tsr" -text >"$t/token" 2>/dev/null || { found E-TIME "its time stamp is none"; return; }
    is=$(sed -n '/^Message data:/,/^Serial/s/^ *[0-9a-f]* - \(\([0-9a-f][0-9a-f][ -]\)*\) .*/\1/p' "$t/token" | tr -cd 0-9a-f)
    grep -q '^Hash Algorithm: sha256' "$t/token" && grep -q '^Status: Granted' "$t/token" && [ "$is" = "$id" ] || found E-TIME "its time stamp is for something else"
}
root() { # the RFC 6962 root over the ids in $t/leaves
    sed 's/^/0 /' "$t/leaves" >"$t/level"
    while :; do
        rm -f "$t"/node/*; awk -v dir="$t/node" 'BEGIN { d = "0123456789abcdef" } { s = ""; for (i = 3; i < length; i += 2)
            s = s sprintf("\\%03o", 16 * (index(d, substr($0, i, 1)) - 1) + index(d, substr($0, i + 1, 1)) - 1)
            printf "printf %c\\00%s%s%c >%c%s/%08d%c\n", 39, $1, s, 39, 39, dir, NR, 39 }' "$t/level" >"$t/make"; . "$t/make"
        (cd "$t/node" && find . -type f | sort | xargs $sha) | cut -c1-64 >"$t/hashes"; [ ! -f "$t/odd" ] || { cat "$t/odd" >>"$t/hashes"; rm "$t/odd"; }
        [ "$(wc -l <"$t/hashes")" -gt 1 ] || break
        awk -v odd="$t/odd" 'NR % 2 { left = $0; next } { print 1, left $0 } END { if (NR % 2) print left >odd }' "$t/hashes" >"$t/level"
    done; read -r root <"$t/hashes"
}
seals() { # judges what a witness has sealed against the records that are here
    chain=$1 seq=-; awk -v w="$1" '$1 == w && $6 == 1' "$t/seals" >"$t/good"; awk -v w="$1" -v g="$t/good" 'BEGIN { while ((getline l <g) > 0) { split(l, f, " "); is[f[2]] = 1 } }
        $1 == w && $2 in is' "$t/covers" >"$t/named"
    before=$findings untold=''; while read -r _ seq of n named; do
        is=$(awk -v c="$of" -v n="$n" '$1 == c && $2 == n { print $3; exit }' "$t/ids"); long=$(awk -v c="$of" '$1 == c { print $2; exit }' "$t/lengths")
        if [ ! -e "$t/tips/$of" ] || { [ -n "$long" ] && [ "$n" -ge "$long" ]; }; then found E-ROLLBACK "record $n of $of was sealed and is not there"
        elif [ "${is:--}" = - ]; then untold=1; elif [ "$is" != "$named" ]; then found E-FORK "record $n of $of is $is, and $named was sealed"; fi
    done <"$t/named"
    [ $findings = "$before" ] && [ -z "$untold" ] || return
    : >"$t/leaves"; : >"$t/covered"; while read -r _ seq _ size of_all _; do
        awk -v s="$seq" '$2 == s { print $3, $4 }' "$t/named" >"$t/now"
        why=$(awk -v w="$t/witnesses" -v c="$t/covered" 'BEGIN { while ((getline l <w) > 0) is[l] = 1; while ((getline l <c) > 0) { split(l, f, " "); was[f[1]] = f[2] } }
            { k = ($1 == "policy" ? "" : "-" $1); if ((NR > 1 && k <= last) || ($1 in is) || (($1 in was) && $2 <= was[$1])) bad = 1; last = k } END { if (bad || !NR) print "bad" }' "$t/now")
        [ -z "$why" ] || { found E-SEAL "its heads are not in their order, or go back"; return; }
        while read -r of n; do
            from=$(awk -v c="$of" '$1 == c { f = $2 + 1 } END { print f + 0 }' "$t/covered")
            awk -v c="$of" -v f="$from" -v n="$n" '$1 == c && $2 >= f && $2 <= n { print $3 }' "$t/ids" >>"$t/leaves"; echo "$of $n" >>"$t/covered"
        done <"$t/now"
        ! grep -q '^-' "$t/leaves" || return; root
        [ "$root" = "$of_all" ] && [ $(($(wc -l <"$t/leaves"))) = "$size" ] || { found E-SEAL "its size and root are not those of the records that it covers"; return; }
    done <"$t/good"
}
is_piece() { # whether $blob has the bytes of $piece
    n=$(g cat-file -s "$blob") && [ "$n" = "$size" ] && [ "$n" -le 1048576 ] && g cat-file blob "$blob" >"$t/piece" && sum "$t/piece" && [ "$sum" = "$piece" ]
}
expired() { # judges what is not here of the chain that was read
    [ -s "$t/gone" ] || return; : >"$t/covered"; grep "^$chain " "$t/pruned" >"$t/these"
    while read -r _ class month count its_root; do
        awk -v c="$class" -v m="$month" '$1 == c && $2 == m { print $3 }' "$t/shelved" | head -n "$count" >"$t/leaves"
        [ $(($(wc -l <"$t/leaves"))) = "$count" ] || continue
        root; [ "$root" != "$its_root" ] || cat "$t/leaves" >>"$t/covered"
    done <"$t/these"
    awk -v f="$t/covered" 'BEGIN { while ((getline p <f) > 0) ok[p] = 1 } !($4 in ok) { bad[$1 " " $5] = 1 } { print } END { for (s in bad) print "bad", s }' "$t/gone" >"$t/judged"
    [ -n "$refused" ] || sed -n "s/^bad /$chain /p" "$t/judged" >>"$t/lacking"
    seq=-; awk -v f="$t/covered" 'BEGIN { while ((getline p <f) > 0) ok[p] = 1 } $4 in ok { print $2, $3 }' "$t/gone" | sort -u >"$t/these"
    while read -r class month; do found W-PRUNED "$class payloads of $month expired and were pruned"; done <"$t/these"
}
amended() { # judges the amendments, when all chains have been read
    while read -r chain seq time id replaces roles about right; do
        of=$about had=$findings
        for about in "$about" $right; do
            its=$(awk -v i="$about" '$1 == i { print $2; exit }' "$t/amendable")
            [ -n "$its" ] || { found E-REF "there is no record $about"; roles=,owner,; continue; }
            [ "$its" = "$chain" ] || case $roles in *,owner,* | *,admin,*) ;; *)
                who=$(awk -v c="$chain" '$1 == c { w = $2 } END { print w }' "$t/whose"); whose=$(awk -v c="$its" '$1 == c { w = $2 } END { print w }' "$t/whose")
                [ -n "$who" ] && [ "$who" = "$whose" ] || found E-UNAUTH "it amends a record of another" ;;
            esac
            roles=,owner, # what says it right may be anybody's
        done
        [ $findings != "$had" ] || [ "$replaces" = 0 ] || echo "$of $time $chain $seq $id" >>"$t/replacing"
    done <"$t/amends"
}
lacking() { # judges what is not here, when all amendments have been: of several that replace payloads the last one counts
    sort -k1,1 -k2,2n -k3,3 -k4,4n "$t/replacing" | awk '{ if ($1 == of) print by; of = $1; by = $5; print of }' >"$t/replaced"
    while read -r chain seq id; do
        if grep -qx "$id" "$t/replaced"; then found W-REPLACED "pieces of its payloads were replaced"
        else found E-MISSING "pieces of its payloads are not here"; fi
    done <"$t/lacking"
}
drawn_on() { # judges the session records that commits name, when all chains have been read; one that is not here or unread may be theirs
    [ -z "$untold_records" ] || return
    awk -v s="$t/said" 'BEGIN { while ((getline l <s) > 0) is[l] = 1 } !(($3 " " $4) in is)' "$t/draws" >"$t/these"
    while read -r chain seq about _; do found E-REF "there is no record $about of a session that it draws on"; done <"$t/these"
}
named_bytes() { # judges the payloads, the commits and the checkpoint that the record names
    while read -r piece size class month; do
        echo "$class $month $piece" >>"$t/shelved"
        here=0; for blob in $(awk -v c="$chain" -v s="$piece" '$1 == c && $2 == s { print $3 }' "$t/pieces" | sort -u); do
            g cat-file -e "$blob" || continue
            here=1; is_piece || found E-PAYLOAD-HASH "piece $piece"
        done
        [ $here = 1 ] || for blob in $(awk -v s="$piece" '$1 == "hold" && $2 == s { print $3 }' "$t/pieces" | sort -u); do ! is_piece || here=1; done
        [ $here = 1 ] || echo "$seq $class $month $piece $id" >>"$t/gone"
    done <"$t/want"
    while read -r code its_sum; do
        case $(g cat-file -t "$code") in '') continue ;; commit) ;; *) found E-COMMIT "$code is no commit"; continue ;; esac
        g cat-file commit "$code" >"$t/code"; sum "$t/code"; [ "$sum" = "$its_sum" ] || found E-COMMIT "commit $code is not what was approved"
    done <"$t/approved"
    [ "$type" != seal ] || { checkpoint; [ -z "$stamp" ] || timestamp; }
    [ "$type" = commit ] || return
    code=${named% *}; case $(g cat-file -t "$code") in '') return ;; commit) ;; *) found E-COMMIT "$code is no commit"; return ;; esac
    g cat-file commit "$code" >"$t/code"
    is=$(awk 'NR == 1 || /^parent / { printf "%s%s", (NR > 1 ? " " : ""), $2; next } { exit }' "$t/code")
    sum "$t/code"; [ "$sum" = "${named#* }" ] && [ "$is" = "$heads" ] || found E-COMMIT "commit $code is not as the record describes it"
}
noted() { # the record that was judged, for seals: its place, and whether nothing was found wrong with it
    echo "$chain $at $1" >>"$t/ids"; at=$((at + 1)); [ "$type" = seal ] && [ "$1" != - ] || return
    ok=0; [ "$findings" != "$2" ] || ok=1
    echo "$chain $seq $id $sealed $ok ${cited% *}" >>"$t/mine"; sed "s/^/$chain $seq /" "$t/head" >>"$t/covers"
}
not_told() { [ -n "$refused" ] || untold_records=1; } # there are records of which nothing is known
refusal() { refused=; ! grep -q "^$1 " "$t/closed" || grep -q " $1 " "$t/enrolled" || refused=1; } # whether the chain was closed and never enrolled
writer() { # chain, kind: its commits are in $t/list
    start "$1" "$ledger" "$2"; : >"$t/mine"; : >"$t/shelved"; : >"$t/gone"; echo "$1 $(($(wc -l <"$t/list")))" >>"$t/lengths"
    while read -r commit tree parents; do
        had=$findings; read_record "$commit" "$tree" $parents
        case $state in unread | missing) not_told; [ $head_seq -ge 0 ] || return; head_seq=$((head_seq + 1)) head_id=$state; noted - -1; continue ;; esac
        if [ -z "$key" ]; then
            [ "$type" = open ] || { not_told; found E-UNAUTH "a chain begins with an open record"; return; }
            read -r key <"$t/rkeys"; own=$(awk -v k="$key" '$1 == k { print $2 }' "$t/keys")
            read -r last_seq last_id <<END
$(awk -v c="$own" '$1 == c { print $2, $3 }' "$t/closed")
END
            [ "$own" = "$chain" ] || { found E-CHAIN-KEY "its key makes the chain $own"; found E-UNAUTH "that key may not write here"; }
        fi
        follow; [ "$type" != session ] || echo "$id $session" >>"$t/said"; [ $state = good ] || { noted "$id" "$had"; continue; }
        case $type in session | commit | link | check | approve) echo "$id $chain" >>"$t/amendable" ;; esac
        case $sigs in '' | ' record.json.minisig') ;; *) found E-ENVELOPE "there is a signature that is no writer's" ;; esac
        case "$sigs " in *' record.json.minisig '*) ;; *) found E-SIG "it has no signature"; named_bytes; noted "$id" "$had"; continue ;; esac
        if signed "$t/record.json.minisig" "$key"; then standing; [ $kind != log ] || cites; else found $code "the signature does not hold"; fi
        named_bytes; noted "$id" "$had"
        [ "$type" != commit ] || [ -n "$refused" ] || [ $findings != "$had" ] || sed "s/^/$chain $seq /" "$t/drawn" >>"$t/draws"
        [ "$type" != amend ] || [ -n "$refused" ] || [ $findings != "$had" ] || echo "$chain $seq $time $id $replaces -${role#* } $(tr '\n' ' ' <"$t/about")" >>"$t/amends"
    done <"$t/list"
    if [ -n "$pending$refused" ]; then sed 's/ 1 \([-0-9]*\)$/ 0 \1/' "$t/mine"; else cat "$t/mine"; fi >>"$t/seals"
    expired; seq=-; [ -z "$pending" ] || found E-PENDING "nobody has enrolled its key"
}
# The refs of this clone, and those seen at remotes.
g for-each-ref --format='%(refname) %(objectname) %(symref)' "$prefix/" refs/tracevault-local/ >"$t/refs"
hex32=$(printf %032d 0 | sed 's/0/[0-9a-f]/g') month='[0-9][0-9][0-9][0-9]-[01][0-9]' chain=- seq=-
while read -r name oid link; do
    rest=${name#"$prefix/"}; case $name in refs/tracevault-local/*/*) rest=${name#refs/tracevault-local/*/} ;; esac
    case ${name%"/$rest"} in refs/tracevault-local/*[!A-Za-z0-9_-]*) rest=- ;; esac; [ -z "$link" ] || rest=-
    case $rest in
        policy | log/$hex32) echo "$oid $name" >>"$t/tips/${rest#log/}" ;;
        seal/$hex32) echo "$oid $name" >>"$t/tips/${rest#seal/}"; echo "${rest#seal/}" >>"$t/witnesses" ;;
        payload/transcript/$month/$hex32 | payload/events/$month/$hex32 | payload/edits/$month/$hex32)
            chain=${rest##*/}; g ls-tree -r -t "$oid" >"$t/shelf"
            awk -v c="$chain" '$1 == "040000" && $4 ~ /^[0-9a-f][0-9a-f]$/ && NF == 4 { next } { p = $4; sub("/", "", p) }
                $1 == "100644" && NF == 4 && length(p) == 64 && index($4, "/") == 3 && p !~ /[^0-9a-f]/ { print c, p, $3; next }
                { bad = 1 } END { exit bad }' "$t/shelf" >>"$t/pieces" || found E-ENVELOPE "$name holds something else than pieces"
            chain=- ;;
        hold/*[!A-Za-z0-9_-]* | hold/-* | hold/ | hold/?????????????????????????????????????????????????????????????????*) found W-REF "$name holds nothing that is known" ;;
        hold/*) g ls-tree -r "$oid" | awk 'NF == 4 { p = $4; sub("/", "", p); print "hold", p, $3 }' >>"$t/pieces" ;;
        *) found W-REF "$name holds nothing that is known" ;;
    esac
done <"$t/refs"
# A chain's copies must be one line; the longest is taken.
lines() {
    chain=$1 seq=-; : >"$t/list"; sort -u -k1,1 "$t/tips/$chain" >"$t/heads"
    while read -r oid name; do
        [ "$(g cat-file -t "$oid")" = commit ] || { not_told; found E-OBJECT "$name is at no commit"; continue; }
        g log --first-parent --reverse --format='%H %T %P' "$oid" >"$t/line" || { not_told; found E-MISSING "$name: commits are not here"; continue; }
        if [ "$(wc -l <"$t/line")" -gt "$(wc -l <"$t/list")" ]; then mv "$t/list" "$t/short"; mv "$t/line" "$t/list"; else mv "$t/line" "$t/short"; fi
        head -n "$(wc -l <"$t/short")" "$t/list" | cmp -s - "$t/short" || found E-FORK "$name has other records than another copy"
    done <"$t/heads"
}
set -- "$t"/tips/*; [ -e "$1" ] || set --; : >"$t/roster"; : >"$t/list"; [ ! -e "$t/tips/policy" ] || lines policy
start policy "$zero" policy; total=$(($(wc -l <"$t/list")))
if [ $total = 0 ]; then { [ -z "$pinned" ] && [ $# = 0 ]; } || found E-MISSING "the policy chain is not here"; fi
while read -r commit tree parents; do policy_record "$commit" "$tree" $parents || break; done <"$t/list"; untold_records=
seq=-; [ -z "$pinned" ] || [ -z "$ledger" ] || [ "$pinned" = "$ledger" ] || found E-LEDGER "the ledger here is $ledger, not $pinned"
ledger=${pinned:-$ledger}
echo "policy $total" >>"$t/lengths"
if [ -n "$ledger" ]; then # seals first: records cite them
    missing=; for tips in $(sort -u "$t/witnesses"); do refusal "$tips"; lines "$tips"; [ ! -s "$t/list" ] || writer "$tips" seal; done; seals_lost=$missing
    for tips in "$@"; do
        tips=${tips##*/}; [ "$tips" = policy ] || grep -qx "$tips" "$t/witnesses" || { refusal "$tips"; lines "$tips"; [ ! -s "$t/list" ] || writer "$tips" log; }
    done; refused=
    amended; lacking; drawn_on; for tips in $(sort -u "$t/witnesses"); do seals "$tips"; done; chain=- seq=-
fi
printf 'ledger %s: %s findings, %s\n' "${ledger:-none}" $findings $verdict
[ -n "$pinned" ] || { echo "no ledger is trusted here: give its id with --ledger"; exit 3; }
case $verdict in pass) exit 0 ;; fail) exit 1 ;; *) exit 2 ;; esac
