//! What redaction promises, held by examples of every rule and by random documents.

use proptest::prelude::*;
use serde_json::Value;

use super::*;

mod spared;

/// Makes a text from a template: `{x36}` is 36 letters and digits, and so on. Deterministic.
fn expand(template: &str) -> String {
    let mut state = 0x9E37_79B9_u32;
    let mut draw = |set: &[u8]| {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        set[(state >> 8) as usize % set.len()] as char
    };
    let alnum: Vec<u8> = (b'0'..=b'9').chain(b'A'..=b'Z').chain(b'a'..=b'z').collect();
    let mut out = String::new();
    let mut rest = template;
    while let Some(open) = rest.find('{') {
        let Some(len) = rest[open..].find('}') else { break };
        let (kind, count) = rest[open + 1..open + len].split_at(1);
        let count: Option<usize> = if kind == "u" && count.is_empty() { Some(36) } else { count.parse().ok() };
        let Some(count) = count.filter(|_| "uhHdxwbAlay".contains(kind)) else {
            out.push_str(&rest[..open + len + 1]);
            rest = &rest[open + len + 1..];
            continue;
        };
        out.push_str(&rest[..open]);
        for i in 0..count {
            out.push(match kind {
                "u" if matches!(i, 8 | 13 | 18 | 23) => '-',
                "u" | "h" => draw(b"0123456789abcdef"),
                "H" => draw(b"0123456789ABCDEF"),
                "d" => draw(b"123456789"),
                "x" => draw(&alnum),
                "a" => draw(b"abcdefghijklmnopqrstuvwxyz234567"),
                "y" => draw(b"123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz"),
                "w" if i > 0 && i + 1 < count && i % 11 == 5 => draw(b"_-"),
                "b" if i % 13 == 7 => draw(b"+/"),
                "w" | "b" => draw(&alnum),
                "A" => draw(b"ABCDEFGHIJKLMNOPQRSTUVWXYZ234567"),
                _ => draw(b"abcdefghijklmnopqrstuvwxyz0123456789"),
            });
        }
        rest = &rest[open + len + 1..];
    }
    out + rest
}

fn redact(text: &str) -> String {
    let marked = Redactor::default().text(text).into_inner().into_owned();
    // The marks depend on the key.
    let mark = regex::Regex::new(r"(\[REDACTED:[a-z0-9-]+):[0-9a-f]{8}\]").unwrap();
    mark.replace_all(&marked, "$1]").into_owned()
}

#[test]
fn rules_are_complete() {
    let mut seen = std::collections::HashSet::new();
    for rule in rules::all() {
        assert!(rule.id.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-'), "{}", rule.id);
        assert!(!rule.keywords.is_empty() && !rule.source.is_empty(), "{}", rule.id);
        assert!(!rule.yes.is_empty() && !rule.no.is_empty(), "{} has no examples", rule.id);
        assert!(seen.insert(rule.pattern), "{} is there twice", rule.id);
        assert!(rule.keywords.iter().all(|k| k.len() >= 3), "{}", rule.id);
    }
}

#[test]
fn the_lines_behind_a_secret_stay() {
    let tails = [
        "PORT=80\nEND",
        "X=12\nY=3",
        "DEBUG=1",
        "DB=x\nNODE_ENV=x",
        "kind: Secret\n",
        "type: Opaque\n",
        "name: x\n",
        "PORT=5432\nrest",
        "done\n",
        "OK\n",
        "HOST=db\n",
    ];
    for secret in [
        "GITHUB_TOKEN=ghp_{x36}",
        "SECRET={h64}",
        "password: {b80}",
        "tls.key: {b76}",
        "  token: {b76}",
        "SVC=sk-ant-api03-{w93}AA",
    ] {
        for tail in tails {
            let text = format!("{}\n{tail}", expand(secret));
            let told = redact(&text);
            assert!(told.ends_with(&format!("]\n{tail}")), "{text:?} gives {told:?}");
        }
    }
}

#[test]
fn rules_find_their_examples() {
    for rule in rules::all() {
        for yes in rule.yes {
            let text = expand(yes);
            for place in [text.clone(), format!("see\n{text}\n"), format!("a: 1\n+{text}\n b"), format!("   12→{text}")]
            {
                let redactor = Redactor::default();
                let hits = redactor.hits(place.as_bytes(), 1);
                assert!(hits.iter().any(|h| h.rule == rule.id), "{}: {place:?} gives {hits:?}", rule.id);
            }
        }
    }
}

#[test]
fn rules_leave_their_counterexamples() {
    for rule in rules::all() {
        for no in rule.no {
            let text = expand(no);
            let hits = Redactor::default().hits(text.as_bytes(), 1);
            assert!(hits.iter().all(|h| h.rule != rule.id), "{}: {text:?} gives {hits:?}", rule.id);
        }
    }
}

#[test]
fn examples_survive_no_wrapping() {
    for rule in rules::all() {
        for yes in rule.yes {
            let text = expand(yes);
            let once = redact(&text);
            for nested in [
                serde_json::json!({"type": "user", "content": [{"text": &text}]}).to_string(),
                serde_json::json!({"x": serde_json::json!({"y": format!("a\n{text}\n")}).to_string()}).to_string(),
                format!("\x1b[36m{text}\x1b[0m"),
            ] {
                let out = redact(&nested);
                assert_ne!(out, nested, "{}", rule.id);
                if nested.starts_with('{') {
                    serde_json::from_str::<Value>(&out).unwrap();
                }
            }
            assert_eq!(redact(&once), once, "{}", rule.id);
        }
    }
}

#[test]
fn named_values_go_wherever_they_stand() {
    let token = expand("{x32}");
    let word = "Gr4nite-harbour71";
    for template in [
        "API_TOKEN=@T",
        "export API_TOKEN='@T' && run",
        "api_token: @T",
        "\"apiToken\": \"@T\",",
        "{\\\"apiToken\\\": \\\"@T\\\"}",
        "const API_TOKEN: &str = \"@T\";",
        "private static final String API_TOKEN = \"@T\";",
        "client = Client(api_token=\"@T\", timeout=3)",
        "| `API_TOKEN` | `@T` |",
        "The API_TOKEN is @T. Keep it.",
        "<add key=\"API_TOKEN\" value=\"@T\" />",
        "<apiToken>@T</apiToken>",
        "name = \"api_token\"\n  type = \"x\"\n  value = \"@T\"",
        "- name: API_TOKEN\n  value: @T",
        "GET /x?api_token=@T&fmt=json 200",
        "$env:API_TOKEN = \"@T\"; run",
        "run --api-token @T --verbose",
        "{'api_token': '@T', 'n': 1}",
        "os.environ[\"API_TOKEN\"] = \"@T\"",
        "setApiToken(\"@T\")",
        "add_argument(\"--api-token\", default=\"@T\")",
        "process.env.API_TOKEN || '@T'",
        "process.env.API_TOKEN ?? '@T'",
        "os.environ.get(\"API_TOKEN\") or \"@T\"",
        "env::var(\"API_TOKEN\").unwrap_or_else(|_| \"@T\".into())",
        "Dim apiToken As String = \"@T\"",
        "var apiToken string = \"@T\"",
        "api_token VARCHAR2(40) := '@T';",
        "public string ApiToken { get; set; } = \"@T\";",
        "char api_token[40] = \"@T\";",
        "api_token <- \"@T\"",
        "{api_token, <<\"@T\">>}",
        ":api-token \"@T\"",
        "proxy_set_header X-Api-Token \"@T\";",
        "API_TOKEN            @T\nHOST    x",
        "    ApiToken    REG_SZ    @T",
        "[\"api_token\"]=>\n  string(32) \"@T\"",
        "npm config set //npm.x.example/:_authToken @T",
        "/config/app/api_token\n@T\n",
        "use the API token @T from the portal",
        "the API token for the box: @T",
        "your API token (it is not shown again):\n\n    @T\n",
        "Here is the API token:\n\n@T\n",
        "**API token:** `@T`",
        "fill_in 'Password', with: '@P'",
        "getByLabel('Password').fill('@P')",
        "<input type=\"password\" name=\"pw\" value=\"@P\">",
        "contraseña: @P",
        "La contraseña es @P",
        "la password è @P",
        "lösenord: @P",
        "Пароль от базы: @P",
        "password's @P btw",
        "use password @P for it",
        "user mia, pw @P",
        "user ci\npassword @P\nhost x",
        "pw: @P",
        "java -Djavax.net.ssl.keyStorePassword=@P -jar x",
        "Authorization: token @T",
        "X-Api-Key: @T",
        "password=@P",
        "Server=db;User ID=x;Password=@P;Encrypt=True",
        "jdbc:postgresql://db/x?user=a&password=@P&ssl=true",
        "spring.datasource.password=@P",
        "admin password: @P",
        "\x1b[36mDB_PASSWORD\x1b[0m=\x1b[1m@P\x1b[0m",
    ] {
        let text = template.replace("@T", &token).replace("@P", word);
        let out = redact(&text);
        assert!(!out.contains(&token) && !out.contains(word), "{text} -> {out}");
        assert_eq!(out.matches("[REDACTED:").count(), 1, "{text} -> {out}");
        let around: Vec<&str> = template.split('@').collect();
        assert!(around[0].contains('\x1b') || out.starts_with(around[0]), "{text} -> {out}");
        assert!(around[1].len() < 2 || out.ends_with(&around[1][1..]), "{text} -> {out}");
    }
}

#[test]
fn values_in_pieces_go_whole() {
    let (a, b) = (expand("{x20}"), expand("{d3}{x20}"));
    for text in [
        format!("token = \"{a}\" + \"{b}\"\n"),
        format!("token = '{a}' .\n    '{b}'\n"),
        format!("export TOKEN={a}\\\n{b}\nok"),
        format!("TOKEN={a}\n{b}\n"),
        format!("   7→TOKEN={a}\n   8→{b}\n"),
    ] {
        let out = redact(&text);
        assert!(!out.contains(&a) && !out.contains(&b), "{text} -> {out}");
    }
}

#[test]
fn json_is_kept_but_for_the_secret() {
    let token = expand("ghp_{x36}");
    let line = format!(
        r#"{{ "uuid":"c17149d4-3953-4b32-b6fd-aeeb975729fa", "n":1.50e2,"a\u0062":"x\/y \u00e9 {token}\n","sig\"":[null,"é"], "k":{{"{token}":true}} }}"#
    );
    let expected = line.replace(&token, "[REDACTED:github-token]");
    assert_eq!(redact(&line), expected);
    let escaped = line.replace("ghp_", r"\u0067hp\u005f");
    assert_eq!(redact(&escaped), expected);
}

#[test]
fn names_in_json_tell_of_their_values() {
    let token = expand("{x32}");
    for line in [
        format!(r#"{{"apiToken":"{token}"}}"#),
        format!(r#"{{"tokens":["a"],"api_tokens":0,"secrets":["{token}"]}}"#),
        format!(r#"{{"env":[{{"name":"API_TOKEN","value":"{token}"}}]}}"#),
        format!(r#"{{"headers":{{"Authorization":"Bearer {token}"}}}}"#),
        format!(r#"{{"cookie":"a=b; JSESSIONID={token}; theme=dark"}}"#),
        format!(r#"{{"body":"{{\"apiToken\": \"{token}\"}}"}}"#),
    ] {
        let out = redact(&line);
        assert!(!out.contains(&token), "{line} -> {out}");
        serde_json::from_str::<Value>(&out).unwrap();
    }
}

#[test]
fn what_is_no_secret_stays() {
    for text in [
        "a uuid 1144127e-73b0-45b6-ba37-dd80bb077862, msg_01gS8lDOEKjZji2qJy4rmPeT, toolu_01PMd2a5EPg2Kq9Y5XUzD4dM",
        r#"{"usage":{"input_tokens":12,"output_tokens":34},"stop_reason":null,"key":"a"}"#,
        "sha256:9b43f4bb818db6f117db9ee6a9a550fc176e47d76fa8bb4dd75838ba45013194",
        r#""integrity": "sha512-1C/uiXlW3Ij2HL24JZ51/gmm+mCrLBO4699NY3oPj9yRUGlV/ERCoXpm7v9Bhsbta76cZqIeJ0MWatIvBF7wdA==""#,
        "fn token(&self) -> Token { self.tokens[self.pos + 1].clone() }",
        "let password = get_password(&user1)?;",
        "password: z.string().min(8),",
        "pub secret: [u8; 32],",
        "token: string; apiKey?: string",
        "if token == Token::Ident2 { return }",
        "DB_PASSWORD=${DB_PASSWORD:-changeme}",
        "password = os.environ['DB_PASSWORD_2']",
        "api_key: {{ .Values.apiKey2 }}",
        "PWD=/home/dev/ledger-svc2",
        "token=abc123 password=12345",
        "the secret to good ledgers: double entry",
        "-----BEGIN (?:RSA |EC )?PRIVATE KEY-----",
        "-----BEGIN PUBLIC KEY-----\nMIIBIjANBgkqhkiG9w0BAQEFAAOCAQ8AMIIBCgKCAQEAu1SU1LfVLPHCozMxH2Mo4lgO\n-----END PUBLIC KEY-----",
        "https://npm.bank.example:8443/@scope/pkg",
        "data:image/png;base64,iVBORw0KGgoAAAANSUhEUgAAAAYAAAAYCAIAAABWchv0AAAB00lEQVR4nAHIATf",
        "API_KEY=[REDACTED:api-key:5f3add59d768]",
        "postgres://svc:[REDACTED:password:75b4e297d701]@db/ledger",
        "https://[REDACTED:github-token]@host and https://[REDACTED:token]:x@host",
        "password = password.encode('latin1')",
        "Credentials:\n```\nlet space = [Uninit::x(); space!(Credentials(1))];\nlet y3 = z9::w();\n```",
        "UNRESERVED_PAT = \"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._~-\"",
        "cache_key = \"v2:users:8f14e45fceea167a5a36dedd4bea2543\"",
    ] {
        assert_eq!(redact(text), text);
        let line = serde_json::json!({ "content": text }).to_string();
        assert_eq!(redact(&line), line);
    }
}

#[test]
fn private_keys_go_in_every_dress() {
    let lines: Vec<String> = (0..6).map(|i| expand(&format!("{{b{}}}", 64 - 20 * (i / 5)))).collect();
    let head = "-----BEGIN RSA PRIVATE KEY-----";
    let tail = "-----END RSA PRIVATE KEY-----";
    let plain = format!("{head}\n{}\n{tail}", lines.join("\n"));
    let numbered: String = plain.lines().enumerate().map(|(i, l)| format!("  {}→{l}\n", i + 1)).collect();
    let diff: String = plain.lines().map(|l| format!("+{l}\n")).collect();
    for text in [
        plain.clone(),
        numbered,
        diff,
        plain.replace('\n', "\\n"),
        plain.replace('\n', "\\\\n"),
        plain.replace('\n', "\r\n    "),
        plain.replace(head, &format!("{head}\nProc-Type: 4,ENCRYPTED\nDEK-Info: AES-128-CBC,{}\n", expand("{H32}"))),
        plain.replace(tail, ""),
        serde_json::to_string(&plain).unwrap(),
    ] {
        let out = redact(&text);
        assert!(lines.iter().all(|l| !out.contains(&l[..12])), "{text} -> {out}");
        assert!(!out.contains("-----"), "{text} -> {out}");
    }
}

#[test]
fn private_keys_go_whose_lines_are_members_of_an_array() {
    let lines: Vec<String> = (0..6).map(|i| expand(&format!("{{b{}}}", 64 - 20 * (i / 5)))).collect();
    let mut key = lines.clone();
    key.insert(0, "-----BEGIN RSA PRIVATE KEY-----".to_owned());
    key.push("-----END RSA PRIVATE KEY-----".to_owned());
    for prefix in ["", "+", "-", " ", "+\t\u{e9}\" "] {
        let mut members: Vec<String> = key.iter().map(|line| format!("{prefix}{line}")).collect();
        members.insert(0, " first".to_owned());
        members.push(" \"last\"\t".to_owned());
        let patch =
            serde_json::json!({ "structuredPatch": [{ "lines": &members, "newStart": 1 }, { "lines": ["a"] }] });
        for line in [patch.to_string(), serde_json::json!({ "x": patch.to_string() }).to_string()] {
            let out = redact(&line);
            assert!(lines.iter().all(|l| !out.contains(&l[..12])), "{line} -> {out}");
            assert!(!out.contains("PRIVATE KEY"), "{line} -> {out}");
            assert_eq!(redact(&out), out);
            let value: Value = serde_json::from_str(&out).unwrap();
            let value = value["x"].as_str().map_or(value.clone(), |inner| serde_json::from_str(inner).unwrap());
            let left = value["structuredPatch"][0]["lines"].as_array().unwrap();
            assert_eq!(left.len(), members.len());
            assert_eq!(left[0], members[0].as_str());
            assert_eq!(left[1], format!("{prefix}[REDACTED:private-key]"));
            assert_eq!(left[left.len() - 1], members[members.len() - 1].as_str());
        }
    }
}

#[test]
fn strings_that_are_no_lines_of_one_text_stay() {
    let head = "-----BEGIN PRIVATE KEY-----";
    let line = expand("{b64}");
    for document in [
        serde_json::json!({ "a": head, "b": &line }),
        serde_json::json!([head, { "b": 1 }, &line]),
        serde_json::json!(["token", "password", "usr", "cargo test --lib", "{\"a\":1}"]),
    ] {
        assert_eq!(redact(&document.to_string()), document.to_string());
    }
}

#[test]
fn repeated_heads_of_keys_each_lose_their_lines() {
    // Without tails, so that a head could be followed to the end of the longest block.
    let line = "A".repeat(44);
    for head in ["---- BEGIN SSH2 PRIVATE KEY ----", "-----BEGIN PRIVATE KEY-----", "Private-Lines: 9"] {
        let text = format!("{head}\n{line}\n").repeat(2000);
        let spans = Redactor::default().spans(text.as_bytes());
        let left = span::splice(text.as_bytes(), &spans);
        assert!(!String::from_utf8_lossy(&left).contains(&line), "{head}");
    }
}

#[test]
fn secrets_are_found_in_what_is_encoded() {
    use base64::Engine as _;
    let secret = expand("TOKEN=ghp_{x36}\n");
    let base64 = base64::engine::general_purpose::STANDARD.encode(&secret);
    for text in [format!("$ base64 x\n{base64}\n"), format!("data:\n  x: {base64}"), hex::encode(&secret)] {
        let out = redact(&text);
        assert!(out.contains("[REDACTED:github-token]"), "{text} -> {out}");
        assert!(!out.contains(&base64[8..]), "{text} -> {out}");
    }
}

#[test]
fn hits_tell_where_but_not_what() {
    let token = expand("ghp_{x36}");
    let text = format!("a\nbc {token} d\n{token}");
    let hits = Redactor::default().hits(text.as_bytes(), 7);
    let at: Vec<_> = hits.iter().map(|h| (h.rule, h.line, h.start, h.end)).collect();
    assert_eq!(at, [("github-token", 8, 3, 43), ("github-token", 9, 0, 40)]);
    assert!(!serde_json::to_string(&hits).unwrap().contains(&token));
    let key = format!("x\n-----BEGIN PRIVATE KEY-----\n{}\n-----END PRIVATE KEY-----", expand("{b64}"));
    let hits = Redactor::default().hits(key.as_bytes(), 1);
    assert_eq!(hits.iter().map(|h| (h.line, h.start, h.end)).collect::<Vec<_>>(), [(2, 0, 27), (3, 0, 64), (4, 0, 25)]);
}

#[test]
fn an_organisation_has_rules_and_exceptions_of_its_own() {
    let rules = "[[rule]]\nid = \"acme-key\"\npattern = 'acme_[a-z0-9]{8}'\n[[allow]]\npattern = 'Demo-password-1'\n";
    let settings = Settings { custom: Custom::parse(rules).unwrap(), ..Settings::default() };
    let mut redactor = Redactor::new(settings);
    let out =
        redactor.text("acme_abcd1234 password=Demo-password-1 password=Gr4nite-harbour71").into_inner().into_owned();
    assert!(out.starts_with("[REDACTED:acme-key:"), "{out}");
    assert!(out.contains("Demo-password-1") && !out.contains("harbour"), "{out}");
}

#[test]
fn counts_go_by_rule() {
    let mut redactor = Redactor::default();
    let text = expand("ghp_{x36} and npm_{x36}");
    let _ = redactor.text(&text);
    let _ = redactor.line(b"\xff\xfe nothing");
    let _ = redactor.text(&text);
    assert_eq!(
        redactor.counts().iter().map(|(k, v)| (*k, *v)).collect::<Vec<_>>(),
        [("github-token", 2), ("npm-token", 2)]
    );
}

#[test]
fn bytes_that_are_no_text_are_searched() {
    let mut line = b"\xff\xfe key \xe9 ".to_vec();
    line.extend_from_slice(expand("ghp_{x36}").as_bytes());
    line.push(0xE9);
    let out = Redactor::default().line(&line).into_inner().into_owned();
    assert!(out.starts_with(b"\xff\xfe key \xe9 [REDACTED:github-token:"));
}

/// Pieces that documents are made of, so that random ones are near secrets.
#[test]
fn what_is_known_in_part_cuts_no_escape() {
    let token = expand("ghp_{x36}");
    let members = [format!("Bearer ={token}\\é\\n{token}\\A"), format!("value{token}")];
    let out = redact(&serde_json::json!(members).to_string());
    let left: Vec<String> = serde_json::from_str(&out).unwrap();
    assert!(left.len() == 2 && !out.contains(&token), "{out}");
}

fn pieces() -> impl Strategy<Value = String> {
    let token = expand("ghp_{x36}");
    let word = prop::sample::select(vec![
        "password",
        "token",
        "=",
        ":",
        "\"",
        "'",
        "\\",
        "\n",
        " ",
        "-----BEGIN PRIVATE KEY-----",
        "MIIB",
        "://",
        "@",
        "a:b@c",
        "Bearer ",
        "eyJ",
        ".",
        "{",
        "}",
        "[",
        "]",
        ",",
        "\x1b[1m",
        "é",
        "日",
        "Zm9vYmFyYmF6cXV4cXV1eA==",
        "Gr4nite7!",
        "&",
        ";",
        "[REDACTED:x]",
        "value",
        "name",
        "\\n",
        "secret_key",
        "| ",
        "curl -u ",
        "<",
        ">",
        "12→",
        "+",
        "\u{0}",
        "Cookie: sid=",
    ]);
    prop::collection::vec(prop_oneof![8 => word.prop_map(str::to_owned), 1 => Just(token), 1 => "[ -~]{0,24}"], 0..24)
        .prop_map(|parts| parts.concat())
}

#[test]
fn the_rules_have_a_digest_that_tells_nothing_of_the_machine() {
    let privacy = |home: &str| Privacy { home: Some(home.into()), ..Privacy::default() };
    let custom = |text| Settings { custom: Custom::parse(text).unwrap(), ..Settings::default() };
    let all = [
        Settings::default(),
        Settings { cards: true, ..Settings::default() },
        Settings { privacy: privacy("/home/a"), ..Settings::default() },
        custom("[[rule]]\nid = \"acme\"\npattern = 'acme'\n"),
        custom("[[rule]]\nid = \"acme\"\npattern = 'acme_'\n"),
    ];
    let digests: std::collections::BTreeSet<Digest> = all.iter().map(Settings::digest).collect();
    assert_eq!(digests.len(), all.len());
    let elsewhere = Settings { key: MarkKey::new([7; 32]), privacy: privacy("/home/b"), ..Settings::default() };
    assert_eq!(elsewhere.digest(), all[2].digest());
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(512))]

    #[test]
    fn redacting_twice_changes_nothing_more(text in pieces()) {
        let once = redact(&text);
        prop_assert_eq!(redact(&once), once);
    }

    #[test]
    fn json_stays_json_of_the_same_shape(a in pieces(), b in pieces(), c in pieces()) {
        let inner = serde_json::json!({ "password": &b, &c: [&a, 1, null] }).to_string();
        let document = serde_json::json!({ "a": a, "b": { "token": b, "n": [1.5, true, inner] }, "c": c }).to_string();
        let out = redact(&document);
        let value: Value = serde_json::from_str(&out).unwrap();
        prop_assert_eq!(value.as_object().unwrap().len(), 3);
        prop_assert_eq!(&redact(&out), &out);
    }

    #[test]
    fn arrays_of_strings_keep_their_shape(members in prop::collection::vec(pieces(), 0..6)) {
        let out = redact(&serde_json::json!(members).to_string());
        let left: Vec<String> = serde_json::from_str(&out).unwrap();
        prop_assert_eq!(left.len(), members.len());
        prop_assert_eq!(&redact(&out), &out);
    }

    #[test]
    fn a_token_never_gets_through(before in "[ -~\n]{0,40}", after in "[ -~\n]{0,40}") {
        let token = expand("glpat-{x20}");
        let text = format!("{before} {token} {after}");
        prop_assert!(!redact(&text).contains(&token));
        let line = serde_json::json!({ "x": text }).to_string();
        prop_assert!(!redact(&line).contains(&token));
    }

    #[test]
    fn any_bytes_pass(bytes in prop::collection::vec(any::<u8>(), 0..400)) {
        let mut redactor = Redactor::default();
        let hits = redactor.hits(&bytes, 1);
        let out = redactor.line(&bytes).into_inner();
        prop_assert_eq!(hits.is_empty(), matches!(out, Cow::Borrowed(_)));
    }
}
