//! Secrets on command lines, each as its program's manual says.

use crate::redaction::rule::{Check, Rule};

pub(super) const RULES: &[Rule] = &[
    Rule::context("command-password", &["curl", "wget", "http -a", "https -a", "http --auth", "https --auth"], r#"(?:curl|wget|https?)\b[^\n|;]{0,400}?\s(?:-u|--user|--proxy-user|-U|-a|--auth)[ =]?\\*['\x22]?[A-Za-z0-9_.@\\-]{1,64}:([^\s'\x22\\]{3,})"#, Check::Given)
        .from("curl(1), httpie: user:password")
        .yes(&["curl -s -u 'ci-robot:Winter{d4}#Swift' https://x", "curl --user ci:Gr4n1te{d3} https://x"])
        .no(&["curl -u ci-robot https://x", "curl -u $USER:$PASS https://x"]),
    Rule::context("command-password", &["curl"], r#"curl\b[^\n]{0,400}?\s(?:-b|--cookie)[ =]?\\*['\x22]?(?:[^'\x22\n]{0,200}?[; ])?[A-Za-z0-9_.-]{0,40}(?i:sess|sid|auth|token|jwt)[A-Za-z0-9_.-]{0,20}=([^\s;'\x22\\]{12,})"#, Check::Random)
        .from("curl(1): cookies")
        .yes(&["curl -b 'session={h64}; theme=dark' https://x"])
        .no(&["curl -b cookies.txt https://x", "curl -b 'session=$SID' https://x"]),
    Rule::context("command-password", &["mysql", "mariadb"], r#"(?:mysql(?:dump|admin|import|show|check|sh|pump)?|mariadb(?:-dump|-admin)?)\b[^\n|;]{0,200}?\s-p\\*['\x22]?([^\s'\x22\\]{4,})"#, Check::Given)
        .from("mysql(1): -ppassword")
        .yes(&["mysql -h db -u root -pGr4n1te{d3} ledger"])
        .no(&["mysql -u root -p ledger", "mysqldump -p$PASS x"]),
    Rule::context("command-password", &["sshpass"], flag!("sshpass", "-p"), Check::Given)
        .from("sshpass(1)")
        .yes(&["sshpass -p 'Gr4n1te{d3}' ssh x", "sshpass -pGr4n1te{d3} scp x y:"])
        .no(&["sshpass -e ssh x"]),
    Rule::context("command-password", &["redis-cli"], flag!("redis-cli|valkey-cli", "-a|--pass"), Check::Given)
        .from("redis-cli(1)")
        .yes(&["redis-cli -h x -p 6379 -a Gr4n1te{d3} PING"])
        .no(&["redis-cli -h cache -p 6379"]),
    Rule::context("command-password", &["docker login", "podman login", "helm registry", "oras login", "skopeo", "buildah", "crane", "nerdctl login"], flag!("(?:docker|podman|helm registry|oras|skopeo|buildah|crane auth|nerdctl)\\s+login", "-p|--password"), Check::Given)
        .from("docker-login(1)")
        .yes(&["docker login -u ci -p Gr4n1te{d3} reg.example"])
        .no(&["docker login -u ci --password-stdin"]),
    Rule::context("command-password", &["skopeo"], r#"skopeo\b[^\n|;]{0,200}?--(?:src-|dest-)?creds[ =]\\*['\x22]?[A-Za-z0-9_.-]{1,64}:([^\s'\x22\\]{4,})"#, Check::Given)
        .from("skopeo(1): --creds")
        .yes(&["skopeo copy --src-creds ci:Gr4n1te{d3} docker://x dir:y"])
        .no(&["skopeo copy docker://x dir:y"]),
    Rule::context("command-password", &["ldapsearch", "ldapmodify", "ldapadd", "ldapwhoami", "ldapdelete", "ldappasswd"], flag!("ldap\\w+", "-w"), Check::Password)
        .from("ldapsearch(1)")
        .yes(&["ldapsearch -x -D cn=svc -w Gr4n1te{d3} -b dc=x"])
        .no(&["ldapsearch -x -W -b dc=x"]),
    Rule::context("command-password", &["mongo"], flag!("mongo(?:sh|dump|restore|export|import)?", "-p|--password"), Check::Password)
        .from("mongosh")
        .yes(&["mongosh -u root -p Gr4n1te{d3} --authenticationDatabase admin"])
        .no(&["mongosh --host db --port 27017"]),
    Rule::context("command-password", &["sqlcmd", "osql", "bcp "], flag!("sqlcmd|osql|bcp", "-P"), Check::Given)
        .from("sqlcmd")
        .yes(&["sqlcmd -S db -U sa -P Gr4n1te{d3} -Q x"])
        .no(&["sqlcmd -S db -E -Q x"]),
    Rule::context("command-password", &["az login", "az acr", "az ad", "az sql"], flag!("az (?:login|acr login|ad|sql)", "-p|--password|--admin-password"), Check::Given)
        .from("az(1)")
        .yes(&["az login --service-principal -u {u} -p {x34} --tenant x"])
        .no(&["az login --use-device-code"]),
    Rule::context("command-password", &["smbclient", "rpcclient", "smbmap", "crackmapexec", "net rpc"], r#"(?:smbclient|rpcclient|smbget|net rpc)\b[^\n|;]{0,200}?\s(?:-U|--user)[ =]?\\*['\x22]?[^\s%'\x22]{1,80}%([^\s'\x22\\]{4,})"#, Check::Given)
        .from("smbclient(1): -U user%password")
        .yes(&["smbclient //srv/x -U svc%Gr4n1te{d3} -c ls"])
        .no(&["smbclient //srv/x -U svc"]),
    Rule::context("command-password", &["lftp", "sftp -u", "lftp -u"], r#"lftp\b[^\n|;]{0,100}?\s-u[ =]?\\*['\x22]?[A-Za-z0-9_.@-]{1,64},([^\s'\x22\\]{4,})"#, Check::Given)
        .from("lftp(1): -u user,password")
        .yes(&["lftp -u ci,Gr4n1te{d3} sftp://x"])
        .no(&["lftp -u ci sftp://x"]),
    Rule::context("command-password", &["zip "], flag!("(?:un)?zip", "-P"), Check::Given)
        .from("zip(1), unzip(1)")
        .yes(&["zip -P Gr4n1te{d3} -r x.zip conf", "unzip -P Gr4n1te{d3} x.zip"])
        .no(&["zip -r x.zip conf"]),
    Rule::context("command-password", &["7z ", "7za ", "7zz ", "rar ", "unrar"], r#"(?:7z[az]?|(?:un)?rar)\s[^\n|;]{0,200}?\s-h?p\\*['\x22]?([^\s'\x22\\]{4,})"#, Check::Given)
        .from("7z, rar: -ppassword")
        .yes(&["7z a -pGr4n1te{d3} x.7z conf"])
        .no(&["7z a x.7z conf-prod", "7z x -pass x"]),
    Rule::context("command-password", &["net user", "net use"], r#"(?i)net\s+(?:user\s+\S{1,40}|use\s[^\n|;]{0,120}?/user:\S{1,80})\s+\\*['\x22]?([^\s/'\x22\\*][^\s'\x22\\]{3,})"#, Check::Password)
        .from("Windows: net user, net use")
        .yes(&["net user svc Gr4n1te{d3} /add", r#"net use Z: \\srv\x /user:B\svc Gr4n1te{d3}"#])
        .no(&["net user svc /active:no", "net use Z: /delete"]),
    Rule::context("command-password", &["vault login", "vault token", "vault operator unseal"], r#"vault (?:login|token (?:lookup|revoke|renew)|operator unseal)\s+(?:-\S+\s+)*([A-Za-z0-9._+/=-]{20,})"#, Check::Random)
        .from("vault(1)")
        .yes(&["vault login s.{x24}", "vault token lookup s.{x24}"])
        .no(&["vault login -method=oidc", "vault login -method=userpass username=ci"]),
    Rule::context("command-password", &["gh secret", "gh variable", "glab variable", "gh auth"], r#"(?:gh secret set|glab variable set)\s+[A-Za-z0-9_]+\s[^\n|;]{0,80}?(?:--body|-b|--value|-v)[ =]?\\*['\x22]?([^\s'\x22\\]{6,})"#, Check::Given)
        .from("gh(1), glab(1)")
        .yes(&["gh secret set DEPLOY_TOKEN --body {x36}"])
        .no(&["gh secret set X < f", "gh secret list"]),
    Rule::context("command-password", &["put-parameter", "put-secret-value", "create-secret"], r#"(?:put-parameter|put-secret-value|create-secret)\b[^\n;]{0,200}?--(?:value|secret-string)[ =]\\*['\x22]?([^\s'\x22\\{]{4,})"#, Check::Password)
        .from("AWS CLI: ssm, secretsmanager")
        .yes(&["aws ssm put-parameter --name /db/x --type SecureString --value Gr4n1te{d3}"])
        .no(&["aws ssm put-parameter --name /a --value true", "aws secretsmanager create-secret --secret-string file://x"]),
    Rule::context("command-password", &["openssl enc", "openssl aes", "openssl des"], flag!("openssl (?:enc|aes|des)\\S*", "-k|-K|-pass pass:|-pass"), Check::Password)
        .from("openssl-enc(1)")
        .yes(&["openssl enc -aes-256-cbc -k Gr4n1te{d3} -in a"])
        .no(&["openssl enc -aes-256-cbc -in a"]),
    Rule::context("command-password", &["-passin", "-passout", "-storepass", "-keypass", "-srcstorepass", "-deststorepass"], r"-(?:passin|passout|(?:src|dest)?storepass|keypass)[ =]\\*['\x22]?(?:pass:)?([^\s'\x22\\]{4,})", Check::Given)
        .from("openssl(1), keytool(1)")
        .yes(&["openssl rsa -in k -passin pass:Gr4n1te{d3}", "keytool -list -storepass Gr4n1te{d3}"])
        .no(&["openssl rsa -passin env:KEYPASS", "openssl rsa -passin file:/x/y2"]),
    Rule::context("command-password", &["sqlplus", "rman", "expdp", "impdp", "jdbc:oracle"], r"(?:sqlplus|rman|expdp|impdp|jdbc:oracle)[^\n]{0,60}?[ :'\x22][A-Za-z0-9_.$#]{1,40}/([^\s'\x22\\/@]{4,})@", Check::Given)
        .from("Oracle: user/password@service")
        .yes(&["sqlplus scott/Gr4n1te{d3}@//db:1521/x", "jdbc:oracle:thin:scott/Gr4n1te{d3}@db:1521:x"])
        .no(&["sqlplus /nolog"]),
    Rule::context("command-password", &["echo", "printf"], r#"(?:echo|printf)\s+(?:-\w+\s+)?(?:\\*['\x22]?%s(?:\\\\n)?['\x22]?\s+)?\\*['\x22]?(?:[A-Za-z0-9_.-]{1,32}:)?([^\s'\x22\\|<>]{6,512})\\*['\x22]?\s*(?:>{1,2}\s*(?:/run/secrets/[\w.-]+|[\w./$~-]{0,80}(?:passwd|password|token|secret|credentials|\.key))(?:\.txt)?['\x22]?(?:\s|$)|\|\s*(?:sudo (?:-\w+ )*)?(?:chpasswd|passwd|(?:docker|podman|helm|oras)\s[^\n]{0,80}?(?:login|--password-stdin)|npx wrangler|wrangler|gh (?:auth|secret)|glab (?:auth|variable)|gcloud secrets|fly|vercel|netlify|vault|cryptsetup|openssl|kubectl create secret|az [^\n]{0,40}(?:secret|login)|heroku|sudo -S|su |pass |gpg|ansible-vault))"#, Check::Password)
        .from("piped where a program reads a secret")
        .yes(&["echo {x36} | docker login ghcr.io -u ci --password-stdin", "echo 'root:Gr4n1te{d3}' | chpasswd", "printf %s {x36} | wrangler secret put API_TOKEN"])
        .no(&["echo $TOKEN | docker login -u ci --password-stdin", "echo hello | sudo tee x", "echo done | gh issue create"]),
    Rule::context("command-password", &["auth default", "6379> auth"], r"(?i)(?:6379> )?auth\s+(?:default\s+)?([^\s'\x22\\]{8,})", Check::Random)
        .from("Redis: AUTH")
        .yes(&["cache:6379> AUTH default {x36}", "cache:6379> AUTH {x20}"])
        .no(&["the auth default is none"]),
    Rule::context("command-password", &["assword:"], r#"(?i)assword:(?:[^\n]{0,12}\n[ \t+>#]*|\\*['\x22]?[;}] ?)send(?:line|_user)?\s*\(?\\*['\x22]([^'\x22\\\s]{4,})"#, Check::Given)
        .from("expect(1)")
        .yes(&[r#"expect "assword:"
send "Gr4n1te{d3}\r""#])
        .no(&[r#"expect "assword:""#]),
    Rule::context("command-password", &["auth=(", "BasicAuth(", "auth_basic(", ".login(", "NetworkCredential(", "UsernamePasswordCredentials(", "PasswordAuthentication(", "basic_auth(", "setBasicAuth("], r#"(?:auth=|\w*[bB]asic_?[aA]uth|auth_basic|\.login|NetworkCredential|UsernamePasswordCredentials|PasswordAuthentication)\(\s*['\x22][^'\x22\n]{1,80}['\x22]\s*,\s*(?:Some\()?['\x22]([^'\x22\\\s]{4,})"#, Check::Given)
        .from("user and password as the arguments of a call")
        .yes(&["requests.get(url, auth=('ci', 'Gr4n1te{d3}'))", "server.login('a@b.example', 'Gr4n1te{d3}')", "new NetworkCredential('svc', 'Gr4n1te{d3}')"])
        .no(&["auth=('user', 'pass')", "server.login(user, password)"]),
    Rule::context("command-password", &["ConvertTo-SecureString"], r#"(?i)ConvertTo-SecureString\s+(?:-\w+\s+)*\\*['\x22]([^'\x22\\\s]{4,})"#, Check::Given)
        .from("PowerShell: ConvertTo-SecureString")
        .yes(&["ConvertTo-SecureString 'Gr4n1te{d3}' -AsPlainText -Force"])
        .no(&["ConvertTo-SecureString $p -AsPlainText"]),
    Rule::context("command-password", &["<auth-user-pass>"], r"<auth-user-pass>\s*\n[ \t+>#]*\S{1,80}\s*\n[ \t+>#]*(\S{4,})", Check::Given)
        .from("openvpn(8)")
        .yes(&[r#"<auth-user-pass>
ci
Gr4n1te{d3}
</auth-user-pass>"#])
        .no(&[r#"<auth-user-pass>
</auth-user-pass>"#]),
];
