//! What looks like a secret, stands beside one or is a piece of one, and stays.

use super::redact;

#[test]
fn what_only_looks_named_stays() {
    for text in [
        "--- PASS: TestOAuth2 (0.00s)",
        "fix auth 3f786850e387550fdab836ed7e6dc881de23001b",
        "the token 550e8400-e29b-41d4-a716-446655440000",
        "Fix password (3f786850e387550fdab836ed7e6dc881de23001b)",
        "github.com/x/go-auth v0.0.0-20200714003250-2b9c44734f2b h1:x",
        "'password' => 'required|string|min:8'",
        "\"password\": \"Mindestens 8 Zeichen\"",
        "const int LED_PIN=1013;",
        "pin = 115200",
        "use token TestTokenRefresh2Flow",
        "with token OAuth2TokenResponse",
        "7z e archive-part1.7z",
        "echo \"hello-1\" | kubectl apply -f -",
        "ldapsearch -x -s subtree2 -b dc=x",
        "create_user(\"ada\", email=\"a@b.c\")",
        "/login/password\nPasswordController2",
        "private_key: ~/.ssh/id_ed25519",
        "except ValueError:\n    pass\n    output.append(12)\n",
        "{\"id\":\"password\",\"text\":\"Step 3 of 4\"}",
        "3f786850e387550fdab836ed7e6dc881de23001b\n-----END PRIVATE KEY-----",
    ] {
        assert_eq!(redact(text), text);
    }
}

#[test]
fn a_value_ends_where_the_next_line_is_another_thing() {
    for (text, rest) in [
        ("password = \"Gr4n1te77Swift\"\n\"\"\"Doc\"\"\"\nx=1", "\"\n\"\"\"Doc\"\"\"\nx=1"),
        ("password: \"Gr4n1te77Swift\"\n\"next_key\": 1", "\"\n\"next_key\": 1"),
        ("- password: \"Gr4n1te77Swift\"\n- \"next item\"", "\"\n- \"next item\""),
        ("let password = \"Gr4n1te77Swift\"\n\"use strict\"", "\"\n\"use strict\""),
        ("token=Ab3dEf6hIj9kLmNo\n550e8400-e29b-41d4-a716-446655440000\n", "\n550e8400-e29b-41d4-a716-446655440000\n"),
    ] {
        let out = redact(text);
        assert!(out.ends_with(rest) && out.contains("[REDACTED:"), "{text} -> {out}");
    }
}

#[test]
fn a_piece_of_a_secret_that_may_stand_anywhere_is_none() {
    for (secret, other) in [
        ("username1!", "{\"username\":\"ada\"}"),
        ("Abc123-assistant", "{\"role\":\"assistant\"}"),
        ("sessionId2!x", "{\"sessionId\":1}"),
    ] {
        let line = format!("{{\"password\":\"{secret}\"}}\n{other}\n");
        assert!(redact(&line).ends_with(&format!("\n{other}\n")), "{secret}");
    }
}
