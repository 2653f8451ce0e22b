//! An identity provider of OpenID Connect, scripted: it says what a test wants, in tokens that openssl signs.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::path::PathBuf;
use std::sync::{Arc, Mutex};

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Value, json};

use crate::support::World;

/// What the provider answers next.
#[derive(Debug, Clone, Default)]
pub struct Script {
    /// The claims of the ID token, over those that are always there.
    pub claims: Value,
    /// Sign with a key that the provider does not publish.
    pub forged: bool,
}

/// A provider that runs as long as the test.
pub struct Provider {
    pub issuer: String,
    pub script: Arc<Mutex<Script>>,
    /// What the token endpoint was sent last.
    pub asked: Arc<Mutex<String>>,
}

impl Provider {
    pub fn start(world: &World) -> Provider {
        let dir = world.path("provider");
        std::fs::create_dir_all(&dir).unwrap();
        for key in ["known.pem", "other.pem"] {
            let args = ["genpkey", "-quiet", "-algorithm", "RSA", "-pkeyopt", "rsa_keygen_bits:2048", "-out", key];
            assert!(world.command("openssl", &dir).args(args).output().unwrap().status.success());
        }
        let modulus = world.command("openssl", &dir).args(["rsa", "-in", "known.pem", "-noout", "-modulus"]).output();
        let modulus = String::from_utf8(modulus.unwrap().stdout).unwrap();
        let modulus = hex::decode(modulus.trim().trim_start_matches("Modulus=")).unwrap();
        let jwk = json!({ "kty": "RSA", "use": "sig", "alg": "RS256", "kid": "1", "e": "AQAB", "n": URL_SAFE_NO_PAD.encode(modulus) });
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let issuer = format!("http://{}", listener.local_addr().unwrap());
        let (script, asked) = (Arc::new(Mutex::new(Script::default())), Arc::new(Mutex::new(String::new())));
        let provider = Provider { issuer: issuer.clone(), script: script.clone(), asked: asked.clone() };
        let sign = signer(dir);
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let (path, body) = request(&stream);
                let answer = match path.as_str() {
                    "/.well-known/openid-configuration" => metadata(&issuer),
                    "/keys" => json!({ "keys": [jwk] }),
                    _ => {
                        *asked.lock().unwrap() = body;
                        token(&issuer, &script.lock().unwrap(), &sign)
                    }
                };
                answered(stream, &answer);
            }
        });
        provider
    }
}

fn metadata(issuer: &str) -> Value {
    json!({
        "issuer": issuer, "authorization_endpoint": format!("{issuer}/authorize"), "token_endpoint": format!("{issuer}/token"),
        "jwks_uri": format!("{issuer}/keys"), "response_types_supported": ["code"], "subject_types_supported": ["public"],
        "id_token_signing_alg_values_supported": ["RS256"],
    })
}

fn token(issuer: &str, script: &Script, sign: &dyn Fn(&str, bool) -> Vec<u8>) -> Value {
    let mut claims = json!({ "iss": issuer, "aud": "audit", "sub": "1", "iat": now(), "exp": now() + 600 });
    for (name, value) in script.claims.as_object().unwrap() {
        claims[name] = value.clone();
    }
    let part = |value: &Value| URL_SAFE_NO_PAD.encode(value.to_string());
    let text = format!("{}.{}", part(&json!({ "alg": "RS256", "kid": "1", "typ": "JWT" })), part(&claims));
    let signature = URL_SAFE_NO_PAD.encode(sign(&text, script.forged));
    json!({ "access_token": "a", "token_type": "Bearer", "expires_in": 600, "id_token": format!("{text}.{signature}") })
}

/// The library that reads the tokens goes by the machine's clock.
fn now() -> u64 {
    std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap().as_secs()
}

fn signer(dir: PathBuf) -> impl Fn(&str, bool) -> Vec<u8> + Send + 'static {
    move |text, forged| {
        std::fs::write(dir.join("text"), text).unwrap();
        let key = if forged { "other.pem" } else { "known.pem" };
        let args = ["dgst", "-sha256", "-sign", key, "text"];
        let output = std::process::Command::new("openssl").current_dir(&dir).args(args).output().unwrap();
        assert!(output.status.success(), "{output:?}");
        output.stdout
    }
}

fn request(stream: &TcpStream) -> (String, String) {
    let mut stream = BufReader::new(stream);
    let mut line = String::new();
    stream.read_line(&mut line).unwrap();
    let path = line.split(' ').nth(1).unwrap_or_default().to_owned();
    let mut length = 0;
    loop {
        let mut line = String::new();
        stream.read_line(&mut line).unwrap();
        if let Some(value) = line.to_lowercase().strip_prefix("content-length:") {
            length = value.trim().parse().unwrap();
        }
        if line.trim().is_empty() {
            break;
        }
    }
    let mut body = vec![0; length];
    stream.read_exact(&mut body).unwrap();
    (path, String::from_utf8(body).unwrap())
}

fn answered(mut stream: TcpStream, answer: &Value) {
    let body = answer.to_string();
    let head = "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nConnection: close\r\n";
    drop(write!(stream, "{head}Content-Length: {}\r\n\r\n{body}", body.len()));
}
