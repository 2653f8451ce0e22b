//! Secrets on command lines of further programs: databases, brokers, networks, archives, deployments.

use crate::redaction::rule::{Check, Rule};

#[rustfmt::skip]
pub(super) const RULES: &[Rule] = &[
    Rule::context("command-password", &["gpg "], given!("gpg2?", "--passphrase"), Check::Given)
        .from("gpg(1)")
        .yes(&["gpg --batch --passphrase 'blue llama dances' -d f.gpg", "gpg --passphrase Gr4n1te{d3} -c x"])
        .no(&["gpg --passphrase-file /run/pw -d f.gpg", "gpg --batch --passphrase $PASS -d x"]),
    Rule::context("command-password", &["snmpwalk", "snmpget", "snmpset", "snmpbulk", "snmptable", "snmpstatus"], given!(r"snmp\w+", "-c|-A|-X"), Check::Given)
        .from("snmpcmd(1): community, authentication and privacy pass phrases")
        .yes(&["snmpwalk -v2c -c bl0ckYard{d1} 10.0.0.1", "snmpget -v3 -u u -l authPriv -a SHA -A {x16} 10.0.0.1"])
        .no(&["snmpwalk -v3 -a SHA -x AES 10.0.0.1"]),
    Rule::context("command-password", &["nmcli "], after!(r"nmcli\b[^\n|;]{0,120}?\s(?:password|wifi-sec\.psk|802-11-wireless-security\.psk)"), Check::Given)
        .from("nmcli(1)")
        .yes(&["nmcli dev wifi connect home password Tr0ub4dor&{d3}"])
        .no(&["nmcli dev wifi list", "nmcli -f password dev wifi"]),
    Rule::context("command-password", &["wpa_passphrase "], after!(r"wpa_passphrase\s+\S{1,40}"), Check::Given)
        .from("wpa_passphrase(8)")
        .yes(&["wpa_passphrase home Tr0ub4dor&{d3}"])
        .no(&["wpa_passphrase home < f"]),
    Rule::context("command-password", &["ipmitool "], given!("ipmitool", "-P"), Check::Given)
        .from("ipmitool(1)")
        .yes(&["ipmitool -I lanplus -H bmc -U admin -P Gr4n1te{d3} power status"])
        .no(&["ipmitool -I lanplus -H bmc -U admin -E power status"]),
    Rule::context("command-password", &["rabbitmqctl "], after!(r"rabbitmqctl\b[^\n|;]{0,60}?\s(?:add_user|change_password|authenticate_user)\s+\S{1,60}"), Check::Given)
        .from("rabbitmqctl(8)")
        .yes(&["rabbitmqctl add_user ci Gr4n1te{d3}", "rabbitmqctl change_password ci 'granite meadow 9'"])
        .no(&["rabbitmqctl add_vhost /x", "rabbitmqctl add_user ci"]),
    Rule::context("command-password", &["mosquitto_"], given!(r"mosquitto_(?:pub|sub|rr)", "-P|--pw"), Check::Given)
        .from("mosquitto_pub(1)")
        .yes(&["mosquitto_pub -h broker -u ci -P Gr4n1te{d3} -t a -m b"])
        .no(&["mosquitto_sub -h broker -t a"]),
    Rule::context("command-password", &["htpasswd "], after!(r"htpasswd\s+-[A-Za-z]*b[A-Za-z]*\s+(?:-[A-Za-z]\s+\d+\s+)?(?:[^\s-]\S{0,120}\s+)?[^\s-]\S{0,60}"), Check::Given)
        .from("htpasswd(1): -b")
        .yes(&["htpasswd -bc /etc/x/.htpasswd ci Gr4n1te{d3}", "htpasswd -nbB ci Gr4n1te{d3}"])
        .no(&["htpasswd -c /etc/x/.htpasswd ci"]),
    Rule::context("command-password", &["clickhouse", "cqlsh", "influx ", "twine ", "vsce ", "ovsx ", "evil-winrm", "hydra ", "nxc ", "netexec ", "psexec", "winrs ", "crackmapexec", "cf login", "security import", "security unlock-keychain", "security create-keychain", "rabbitmqadmin", "pkcs11-tool", "oc login", "ncftpput", "ssh-keygen", "isql ", "tsql ", "nuget "], given!(r"clickhouse(?:-client)?|cqlsh|influx|twine upload|vsce|ovsx|evil-winrm|hydra|nxc|netexec|psexec(?:\.exe)?|winrs|crackmapexec|cf login|security (?:import|unlock-keychain|create-keychain)|rabbitmqadmin|pkcs11-tool|oc login|ncftp\w+|ssh-keygen|isql|tsql|nuget push", "-p|-N|--pin|-H|-P|--password|-password|--pat|-pat|-ApiKey"), Check::Given)
        .from("the programs' manuals: -p, --password")
        .yes(&["clickhouse-client --user ci --password Gr4n1te{d3} -q x", "cqlsh db -u ci -p Gr4n1te{d3}", "twine upload -u __token__ -p {x40} dist/x", "evil-winrm -i 10.0.0.9 -u svc -p Gr4n1te{d3}"])
        .no(&["cqlsh db -u ci", "influx -precision rfc3339"]),
    Rule::context("command-password", &["mc alias", "mc config"], r"mc (?:alias|config host) (?:set|add)\s+\S{1,60}\s+https?://\S{1,120}\s+\S{2,60}\s+(\S{8,})", Check::Password)
        .from("MinIO: mc alias set")
        .yes(&["mc alias set prod https://s3.example.com ci Gr4n1te{d3}x"])
        .no(&["mc alias set prod https://s3.example.com", "mc alias list prod"]),
    Rule::context("command-password", &["ngrok ", "cargo login", "wandb login", "doctl auth", "tailscale ", "cloudflared ", "consul ", "flyctl ", "surge ", "stripe ", "snyk auth", "railway ", "cachix "], r#"(?:ngrok (?:config add-authtoken|authtoken)|cargo login|wandb login|cloudflared service install|snyk auth|cachix authtoken|(?:doctl auth init|tailscale (?:up|login)|consul \S+|flyctl \S+|surge|stripe \S+|railway \S+)\b[^\n|;]{0,120}?\s(?:-t|--token|-token|--auth-?key|--access-token|--api-key|-http-token))[ =]\\*['\x22]?([A-Za-z0-9_.+/=-]{16,})"#, Check::Random)
        .from("the programs' manuals: signing in with a token")
        .yes(&["ngrok config add-authtoken {x27}_{x21}", "wandb login {h40}", "tailscale up --authkey {x24}{d4}"])
        .no(&["cargo login --registry internal-registry", "consul members -http-addr=https://consul.example.com:8501"]),
    Rule::context("command-password", &["etcdctl ", "mount "], r#"(?:etcdctl\b[^\n|;]{0,200}?\s--user[ =]\\*['\x22]?[^\s:]{1,60}:|mount\b[^\n|;]{0,200}?\s-o\s\\*['\x22]?\S{0,100}?\bpass(?:word)?=)([^\s,'\x22\\]{4,})"#, Check::Given)
        .from("etcdctl, mount.cifs(8)")
        .yes(&["etcdctl --user root:Gr4n1te{d3} get x", "mount -t cifs //srv/x /mnt -o username=svc,password=Gr4n1te{d3},uid=0"])
        .no(&["etcdctl get x", "mount -o loop,ro x.iso /mnt"]),
    Rule::context("command-password", &["openssl passwd", "mkpasswd ", "rclone obscure", "caddy hash-password"], after!(r"(?:openssl passwd(?:\s+-(?:[156]|apr1|salt\s+\S+|stdin))*|mkpasswd(?:\s+-\S+(?:\s+(?:sha-?\d+|bcrypt|yescrypt|md5))?)*|rclone obscure|caddy hash-password --plaintext)"), Check::Given)
        .from("openssl-passwd(1), mkpasswd(1), rclone: the password as an argument")
        .yes(&["openssl passwd -6 Gr4n1te{d3}", "mkpasswd -m sha-512 Gr4n1te{d3}", "rclone obscure Gr4n1te{d3}"])
        .no(&["openssl passwd -6 -stdin", "mkpasswd --help"]),
    Rule::context("command-password", &["useradd ", "usermod "], r#"user(?:add|mod)\b[^\n|;]{0,200}?\s(?:-p|--password)[ =]\\*['\x22]?([^\s'\x22\\-][^\s'\x22]{7,})"#, Check::Given)
        .from("useradd(8): -p with a hash that can be tried offline")
        .yes(&["useradd -m -p '$6${x8}${x86}' bob"])
        .no(&["useradd -m -s /bin/bash bob", "usermod -aG docker bob"]),
    Rule::context("command-password", &["impacket", "secretsdump", "wmiexec", "psexec.py", "smbexec", "GetUserSPNs"], r#"(?:impacket-\w+|secretsdump|wmiexec|psexec|smbexec|GetUserSPNs)(?:\.py)?\b[^\n|;]{0,120}?\s\\*['\x22]?(?:[\w.-]{1,40}/)?[\w.$-]{1,40}:\\*['\x22]?([^\s'\x22@\\]{4,})\\*['\x22]?@"#, Check::Given)
        .from("Impacket: domain/user:password@host")
        .yes(&["impacket-psexec corp/svc:Gr4n1te{d3}@10.0.0.5"])
        .no(&["secretsdump.py -k -no-pass host"]),
    Rule::context("command-password", &["<<<"], r#"(?:cryptsetup|pass insert|trino|presto|wrangler secret put|gh secret set|gh auth login|docker login|passwd|sudo -S|kinit|gpg)\b[^\n]{0,120}?<<<\s*(?:\\*['\x22]([^\n'\x22\\]{4,80})\\*['\x22]|([^\s'\x22\\-][^\s'\x22\\]{3,}))"#, Check::Given)
        .back(128)
        .from("bash(1): a secret as a here-string")
        .yes(&["cryptsetup luksOpen /dev/sdb1 data <<< 'compass goblin heron'", "wrangler secret put API_KEY <<< '{x43}='"])
        .no(&["grep x <<< 'some text'", "docker login --password-stdin <<< $PASS"]),
    Rule::context("command-password", &["/pass:", "/p "], r#"(?:cmdkey\b[^\n]{0,120}?\s/pass:|signtool\s+sign\b[^\n]{0,200}?\s/p )\\*['\x22]?([^\s'\x22\\]{4,})"#, Check::Given)
        .back(128)
        .from("cmdkey, signtool")
        .yes(&["cmdkey /add:srv /user:CORP\\svc /pass:granite-meadow-4", "signtool sign /f c.pfx /p granite-meadow-swift /fd sha256 a.exe"])
        .no(&["cmdkey /list", "xcopy /p a b"]),
    Rule::context("command-password", &["codecov ", "drush ", ":pserver:", "create_superuser(", "create_user("], r#"(?:codecov\b[^\n]{0,120}?\s(?:-t|--token)[ =]|drush user:password\s+\S+\s+|:pserver:[\w.-]+:|create_(?:super)?user\(\s*\\*['\x22][^'\x22\n]{1,80}\\*['\x22]\s*,\s*(?:\\*['\x22][^'\x22\n]{0,80}\\*['\x22]\s*,\s*)?(?:password=)?\\*['\x22])\\*['\x22]?([^\s'\x22\\@]{6,})"#, Check::Password)
        .from("codecov, drush(1), cvs(1), Django: create_superuser")
        .yes(&["codecov -t {u} -f cov.xml", "drush user:password admin 'Gr4n1te{d3}'", "cvs -d :pserver:ci:Gr4n1te{d3}@host:/r co x", "User.objects.create_superuser('admin','a@b.c','Gr4n1te{d3}')"])
        .no(&["codecov -f cov.xml", "create_user(name, email, password)"]),
    Rule::context("command-password", &["--auth ", "--auth=", "--credentials ", "--userpass "], r#"--(?:auth|credentials|userpass)[ =]\\*['\x22]?[\w.@-]{1,64}:([^\s'\x22\\]{4,})"#, Check::Password)
        .from("user:password as a flag's value")
        .yes(&["crawl --auth etl_writer:canyon-heron-bucket https://x"])
        .no(&["crawl --auth basic", "x --auth user:password"]),
    Rule::context("command-password", &["security add-"], r#"security add-(?:generic|internet)-password\b[^\n|;]{0,200}?\s-w[ =]\\*['\x22]?([^\s'\x22\\-][^\s'\x22\\]{3,})"#, Check::Given)
        .from("security(1): macOS keychain")
        .yes(&["security add-generic-password -a ci -s deploy -w Gr4n1te{d3}"])
        .no(&["security add-generic-password -a ci -s deploy -w"]),
    Rule::context("command-password", &["chpasswd"], r#"chpasswd\b[^\n]{0,20}?<<<?\s*\\*['\x22]?(?:[\w-]{1,20}['\x22]?\s*\n)?[\w.-]{1,32}:([^\s'\x22\\]{4,})"#, Check::Given)
        .from("chpasswd(8)")
        .yes(&["chpasswd <<< 'root:Gr4n1te{d3}'", "sudo chpasswd <<EOF\nci:Gr4n1te{d3}\nEOF"])
        .no(&["chpasswd < users.txt"]),
];
