//! Policies as text: what is read, what is refused and where.

use super::*;

const RULE: &str = "[[rule]]\nname = \"r\"\nlevel = \"block\"\n";

/// The one error of a text, as `line:column message; allowed`.
#[track_caller]
fn error(text: &str) -> String {
    let errors = Policy::parse(text).expect_err(text);
    assert_eq!(errors.len(), 1, "{errors:#?}");
    format!("{}:{} {}; {}", errors[0].line, errors[0].column, errors[0].message, errors[0].allowed)
}

#[test]
fn errors_say_where_what_and_what_is_allowed() {
    let conditions = "\"trace-completeness\", \"ai-percentage\", \"model-allowlist\", \"sensitive-paths\", \
        \"required-tool\", \"conditional-tool\", \"token-budget\"";
    for (keys, expected) in [
        ("condition = \"x\"", format!("4:13 unknown condition \"x\"; {conditions}")),
        ("", format!("1:1 the rule has no `condition`; {conditions}")),
        ("condition = 7", "4:13 `condition` is a integer; a text in quotes".into()),
        (
            "condition = \"trace-completeness\"\n  max = 3",
            "5:3 trace-completeness has no key `max`; name, level, message, condition, min_link_level".into(),
        ),
        (
            "condition = \"trace-completeness\"\nmin_link_level = 4",
            "5:18 `min_link_level` is 4; a whole number from 1 to 3".into(),
        ),
        (
            "condition = \"trace-completeness\"\nmin_link_level = -1",
            "5:18 `min_link_level` is -1; a whole number from 1 to 3".into(),
        ),
        (
            "condition = \"trace-completeness\"\nmin_link_level = \"2\"",
            "5:18 `min_link_level` is a string; a whole number from 1 to 3".into(),
        ),
        ("condition = \"ai-percentage\"", "1:1 the rule has no `max_percent`; a whole number from 0 to 100".into()),
        (
            "condition = \"ai-percentage\"\nmax_percent = 0.5",
            "5:15 `max_percent` is a float; a whole number from 0 to 100".into(),
        ),
        (
            "condition = \"ai-percentage\"\nmax_percent = 1\nper = \"file\"",
            "6:7 `per` is \"file\"; \"push\", \"commit\", \"path\"".into(),
        ),
        (
            "condition = \"ai-percentage\"\nmax_percent = 1\npaths = \"src\"",
            "6:9 `paths` is a string; a list of 1 to 100 texts, such as [\"…\"]".into(),
        ),
        (
            "condition = \"ai-percentage\"\nmax_percent = 1\npaths = []",
            "6:9 `paths` has 0 entries; a list of 1 to 100 texts, such as [\"…\"]".into(),
        ),
        (
            "condition = \"sensitive-paths\"\npaths = [\n  \"ü\", \"src/**.rs\"]",
            "6:8 \"src/**.rs\": `**` stands alone between slashes, as in src/**/*.rs; patterns such as \"src/**\", \
             \"*.pem\", \"!docs/**\""
                .into(),
        ),
        (
            "condition = \"sensitive-paths\"\npaths = [\"a\"]\nreviewer = \"boss\"",
            "6:12 `reviewer` is \"boss\"; \"owner\", \"admin\", \"policy-admin\", \"developer\", \"auditor\"".into(),
        ),
        (
            "condition = \"model-allowlist\"\nallow = [\"claude-*\"]",
            "5:10 \"claude-*\" is not of the form provider/model; patterns of the form provider/model, such as \
             \"anthropic/*\", \"*/claude-opus-*\""
                .into(),
        ),
        (
            "condition = \"required-tool\"",
            "1:1 the rule names nothing to call; one or more of tools, skills, mcp_tools, programs".into(),
        ),
        (
            "condition = \"required-tool\"\ntools = [\"\"]",
            "5:10 an entry of `tools` is no such text; a list of 1 to 100 texts, such as [\"…\"]".into(),
        ),
        (
            "condition = \"required-tool\"\ntools = [\"a\"]\nmin_calls = 2",
            "6:1 required-tool has no key `min_calls`; name, level, message, condition, tools, skills, mcp_tools, \
             programs, after_last_edit"
                .into(),
        ),
        (
            "condition = \"conditional-tool\"\ntools = [\"a\"]\npaths = [\"b\"]\nafter_last_edit = 1",
            "7:19 `after_last_edit` is a integer; true or false".into(),
        ),
        (
            "condition = \"token-budget\"\nper = \"day\"\nmax_tokens = 1",
            "5:7 `per` is \"day\"; \"session\", \"commit\", \"push\", \"author-day\"".into(),
        ),
        (
            "condition = \"token-budget\"\nper = \"push\"",
            "1:1 the rule has no limit; max_tokens, max_usd, or both".into(),
        ),
        (
            "condition = \"trace-completeness\"\nmessage = \"\"",
            "5:11 `message` is no such text; one line of 1 to 1000 characters".into(),
        ),
    ] {
        assert_eq!(error(&format!("{RULE}{keys}\n")), expected);
    }
}

#[test]
fn rules_have_names_of_their_own_and_a_level() {
    let rest = "condition = \"trace-completeness\"\n";
    let name = "a name of its own of 1 to 64 letters a-z, digits and -";
    let rule = |name: &str, level: &str| format!("[[rule]]\nname = {name}\nlevel = {level}\n{rest}");
    for bad in ["", "A", "a b", "a_b", "ü", &"a".repeat(65)] {
        let shown: String = bad.chars().take(60).collect();
        let expected = format!("2:8 \"{shown}\" is no name; {name}");
        assert_eq!(error(&rule(&format!("\"{bad}\""), "\"block\"")), expected);
    }
    let two = rule("\"a\"", "\"block\"") + &rule("\"a\"", "\"warn\"");
    assert_eq!(error(&two), format!("6:8 another rule is called \"a\"; {name}"));
    assert_eq!(error(&rule("\"a\"", "\"error\"")), "3:9 `level` is \"error\"; \"block\", \"warn\"");
    assert_eq!(error(&format!("[[rule]]\nlevel = \"warn\"\n{rest}")), format!("1:1 the rule has no `name`; {name}"));
    assert_eq!(error(&format!("[[rule]]\nname = \"a\"\n{rest}")), "1:1 the rule has no `level`; \"block\" or \"warn\"");
    // All errors at once, in the order of the text.
    let many = "[[rule]]\nname = \"A\"\nlevel = \"x\"\ncondition = \"y\"\n[other]\nz = 1\n";
    let places: Vec<usize> = Policy::parse(many).unwrap_err().iter().map(|error| error.line).collect();
    assert_eq!(places, [2, 3, 4, 5]);
}

#[test]
fn what_is_no_list_of_rules_is_refused() {
    assert_eq!(error("version = 2"), "1:1 unknown key `version`; [[rule]] tables, [branches] and [payloads]");
    assert_eq!(error("rule = 3"), "1:1 `rule` is a integer; [[rule]] tables, with two brackets");
    assert_eq!(error("[rule]\nname = \"a\""), "1:2 `rule` is a table; [[rule]] tables, with two brackets");
    assert_eq!(error("rule = [3]"), "1:9 a rule is a integer; [[rule]] tables");
    assert!(error("[[rule]]\nname = \"a").starts_with("2:"));
    assert!(error("\r\n\r\n  = 3").starts_with("3:3 "), "{}", error("\r\n\r\n  = 3"));
    assert_eq!(error(&" ".repeat(MAX_BYTES + 1)), "1:1 the policy has 65537 bytes; at most 65536 bytes");
    let rule = |n: usize| format!("[[rule]]\nname=\"r{n}\"\nlevel=\"warn\"\ncondition=\"trace-completeness\"\n");
    let rules = |n: usize| (0..n).map(rule).collect::<String>();
    assert_eq!(Policy::parse(&rules(MAX_RULES)).unwrap().rules.len(), MAX_RULES);
    assert_eq!(error(&rules(MAX_RULES + 1)), "1025:1 257 rules; at most 256 rules");
    assert!(Policy::parse("").unwrap().rules.is_empty());
    for deep in ["[".repeat(60_000), format!("a = {}", "[".repeat(60_000)), "a.".repeat(30_000), "{a=".repeat(20_000)] {
        assert!(Policy::parse(&deep).is_err());
    }
}

#[test]
fn rules_are_for_the_branches_that_the_policy_names() {
    let branches = |text: &str| Policy::parse(text).map(|policy| policy.branches);
    let all = branches("").unwrap();
    assert!(["refs/heads/main", "refs/tags/v1", "refs/for/x"].iter().all(|name| all.have(name)));
    let some = branches("[branches]\nprotect = [\"main\", \"release/*\", \"refs/tags/v*\"]\n").unwrap();
    let cases = [
        ("refs/heads/main", true),
        ("refs/heads/release/1", true),
        ("refs/tags/v1.2", true),
        ("refs/heads/main2", false),
        ("refs/heads/x/main", false),
        ("refs/heads/release/1/2", false),
        ("refs/heads/release", false),
        ("refs/tags/main", false),
    ];
    for (name, protected) in cases {
        assert_eq!(some.have(name), protected, "{name}");
    }
    let allowed = "branches such as \"main\", \"release/*\", or \"refs/tags/v*\"";
    for (text, expected) in [
        ("[branches]\nprotect = [\"!main\"]\n", format!("2:12 \"!main\" matches no branch; {allowed}")),
        ("[branches]\nprotect = [\"a//b\"]\n", format!("2:12 \"a//b\" matches no branch; {allowed}")),
        ("[branches]\nkeep = 1\n", "2:1 [branches] has no key `keep`; protect".to_owned()),
        ("branches = 3\n", "1:12 `branches` is a integer; a table: [branches]".to_owned()),
    ] {
        assert_eq!(error(text), expected);
        let policy = Policy::read(text);
        assert!(policy.branches.have("refs/heads/any"), "{text}");
        assert_eq!(evaluate(&policy, &Range::new().commit().0).verdict, Verdict::Inconclusive, "{text}");
    }
}

#[test]
fn payloads_are_encrypted_where_the_policy_says_so() {
    let encrypt = |text: &str| Policy::parse(text).map(|policy| policy.encrypt);
    let on = "[payloads]\nencrypt = [\"transcript\"]\n";
    assert_eq!(encrypt(on).unwrap(), Encrypt::Transcripts);
    assert_eq!(encrypt(&format!("{RULE}condition = \"trace-completeness\"\n{on}")).unwrap(), Encrypt::Transcripts);
    assert_eq!(encrypt("[payloads]\n").unwrap(), Encrypt::No);
    assert_eq!(encrypt("").unwrap(), Encrypt::No);
    let list = "a list of 1 to 100 texts, such as [\"…\"]";
    for (text, expected) in [
        ("[payloads]\nencrypt = [\"events\"]\n", "2:12 `encrypt` has \"events\"; \"transcript\"".to_owned()),
        (
            "[payloads]\nencrypt = [\"transcript\", \"transcript\"]\n",
            "2:26 `encrypt` has \"transcript\" twice; each once".to_owned(),
        ),
        ("[payloads]\nencrypt = []\n", format!("2:11 `encrypt` has 0 entries; {list}")),
        ("[payloads]\nencrypt = true\n", format!("2:11 `encrypt` is a boolean; {list}")),
        ("[payloads]\nkeep = 3\n", "2:1 [payloads] has no key `keep`; encrypt".to_owned()),
        ("payloads = 3\n", "1:12 `payloads` is a integer; a table: [payloads]".to_owned()),
    ] {
        assert_eq!(error(text), expected);
        // Signed all the same: what it asks for cannot be told, and that is no pass.
        let policy = Policy::read(text);
        assert!(matches!(policy.encrypt, Encrypt::Unknown(_)), "{text}");
        assert_eq!(evaluate(&policy, &Range::new().commit().0).verdict, Verdict::Inconclusive, "{text}");
    }
    assert!(matches!(Policy::read("no toml").encrypt, Encrypt::Unknown(_)));
    let newer = Policy::read(&format!("{RULE}condition = \"new\"\n{on}"));
    assert_eq!(newer.encrypt, Encrypt::Transcripts, "a rule that is not understood changes nothing about it");
}

#[test]
fn amounts_are_exact_to_the_micro_dollar() {
    let budget = |usd: &str| format!("{RULE}condition = \"token-budget\"\nper = \"push\"\nmax_usd = {usd}\n");
    for (usd, micro) in [
        ("0", 0),
        ("12", 12_000_000),
        ("12.5", 12_500_000),
        ("0.000001", 1),
        ("0.1", 100_000),
        ("0.3", 300_000),
        ("1e3", 1_000_000_000),
        ("123456789.123457", 123_456_789_123_457),
        ("1_000", 1_000_000_000),
        ("0x10", 16_000_000),
        ("1000000000", 1_000_000_000_000_000),
    ] {
        let policy = Policy::parse(&budget(usd)).unwrap_or_else(|errors| panic!("{usd} {errors:?}"));
        let spent = |micro: u64| evaluate(&policy, &Range::new().commit().draw("s", "a/x", 1, Some(micro)).0).verdict;
        assert_eq!((spent(micro), spent(micro + 1)), (Verdict::Pass, Verdict::Fail), "{usd}");
    }
    for bad in ["-1", "0.0000001", "1.2345678", "nan", "inf", "-inf", "1e10", "\"5\"", "true", "1000000001"] {
        assert!(error(&budget(bad)).starts_with("6:11 `max_usd` is no amount"), "{bad}");
    }
}

#[test]
fn what_was_signed_and_is_not_understood_stands() {
    let pass = Range::new().commit();
    let known = "[[rule]]\nname = \"k\"\nlevel = \"block\"\ncondition = \"trace-completeness\"\n";
    let cases = [
        // text, names of rules, verdict
        (format!("{RULE}condition = \"new\"\nx = 1\n"), vec!["r"], Verdict::Inconclusive),
        (format!("{RULE}condition = \"trace-completeness\"\nnew = 1\n"), vec!["r"], Verdict::Inconclusive),
        ("[[rule]]\nname=\"w\"\nlevel=\"warn\"\ncondition=\"new\"\n".into(), vec!["w"], Verdict::Pass),
        // A level that is not known blocks.
        (
            "[[rule]]\nname=\"w\"\nlevel=\"new\"\ncondition=\"trace-completeness\"\n".into(),
            vec!["w"],
            Verdict::Inconclusive,
        ),
        ("[[rule]]\nlevel=\"block\"\ncondition=\"trace-completeness\"\n".into(), vec!["rule-1"], Verdict::Inconclusive),
        (format!("{known}[new]\nx = 1\n"), vec!["policy", "k"], Verdict::Inconclusive),
        ("rule = 3".into(), vec!["policy"], Verdict::Inconclusive),
        ("rule = [3]".into(), vec!["rule-1"], Verdict::Inconclusive),
        ("no toml".into(), vec!["policy"], Verdict::Inconclusive),
        (" ".repeat(MAX_BYTES + 1), vec!["policy"], Verdict::Inconclusive),
        (known.repeat(2), vec!["k", "k"], Verdict::Inconclusive),
        (known.to_owned(), vec!["k"], Verdict::Pass),
        (String::new(), vec![], Verdict::Pass),
    ];
    for (text, names, verdict) in cases {
        let policy = Policy::read(&text);
        let shown: String = text.chars().take(200).collect();
        let mut found: Vec<&str> = policy.rules.iter().map(|rule| rule.name.as_str()).collect();
        found.sort_by_key(|name| *name != "policy");
        assert_eq!(found, names, "{shown}");
        let report = evaluate(&policy, &pass.0);
        assert_eq!(report.verdict, verdict, "{shown}");
        assert_eq!(
            report.rules.iter().all(|rule| rule.outcome == Verdict::Pass),
            Policy::parse(&text).is_ok(),
            "{shown}"
        );
    }
    let policy = Policy::read(&format!("{RULE}condition = \"new\"\n"));
    let report = evaluate(&policy, &pass.0);
    assert_eq!(report.rules[0].condition, "new");
    assert_eq!(
        report.findings[0].message,
        "the range: this version does not understand the rule: line 4, column 13: unknown condition \"new\" (rule r)"
    );
}

#[test]
fn the_largest_policies_are_read_soon() {
    let list = (0..100).map(|n| format!("\"a{n}*/**/?{{b,c}}\"")).collect::<Vec<_>>().join(",");
    let rule =
        |n: usize| format!("[[rule]]\nname=\"r{n}\"\nlevel=\"warn\"\ncondition=\"sensitive-paths\"\npaths=[{list}]\n");
    let mut text = String::new();
    for n in 0.. {
        let rule = rule(n);
        if text.len() + rule.len() > MAX_BYTES {
            break;
        }
        text += &rule;
    }
    let took = time(|| assert!(Policy::parse(&text).unwrap().rules.len() > 30));
    assert!(took.as_secs() < 10, "{took:?}");
}
