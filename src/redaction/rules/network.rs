//! Network gear: the lines of its configurations that hold a credential, plain or reversible.

use crate::redaction::rule::{Check, Rule};

/// A value behind the words, perhaps with the number of its encoding.
macro_rules! line {
    ($words:expr) => {
        concat!("(?:", $words, r#")[ \t]+(?:(?:encrypted|ENC|plaintext|simple|cipher|irreversible-cipher|clear|plain-text|hash|sha256|sha512|md5|des|aes|localizedkey|[0-9]{1,2})[ \t]+)?\\*['\x22]?([^\s'\x22\\{};]{4,})"#)
    };
}

#[rustfmt::skip]
pub(super) const RULES: &[Rule] = &[
    Rule::context("network-secret", &["tacacs", "radius-server", "radius server", "radius scheme", "radius host", "radius-host", "aaa-server"], line!(r"(?:tacacs|radius|aaa-server)[^\n]{0,120}?[ \t](?:key|secret|shared-secret|shared-key|share-key|shared-key-string|pac key|server-key)"), Check::Password)
        .from("Cisco, Arista, Juniper, HP, Huawei, FortiOS: keys of TACACS+ and RADIUS servers")
        .yes(&["tacacs-server host 10.0.0.4 key gr4n1teMeadow", "radius-server key 7 {H20}", "set system radius-server 10.0.0.4 secret \"$9${x20}\"", "radius-server shared-key cipher Gr4n1te{d3}"])
        .no(&["tacacs-server host 10.0.0.4 timeout 5", "radius-server key-wrap enable"]),
    Rule::context("network-secret", &["enable secret ", "enable password ", "enable algorithm-type", " password 0 ", " secret 0 ", " password 7 ", " secret 5 ", " secret 8 ", " secret 9 ", "super password"], line!(r"enable (?:algorithm-type \S+ )?(?:secret|password)(?: level \d+| sha512)?|super password(?: level \d+)?|[ \t](?:password|secret)(?: [05789])"), Check::Password)
        .from("Cisco, Arista, HP: enable secret, super password, username … password")
        .yes(&["enable secret 5 $1$TY{x2}$YWG{x19}", "password 7 {H20}x secret 0 Gr4n1te{d3}", "super password cipher Gr4n1te{d3}"])
        .no(&["enable secret 5 ", "enable password recovery"]),
    Rule::context("network-secret", &["key-string ", "key 7 ", "key 0 ", "server-private "], line!(r"key-string|(?:server-private[^\n]{0,60}[ \t])?key(?: [07])"), Check::Given)
        .from("Cisco, Arista: key chains and servers")
        .yes(&["key-string 7 {H20}", " key 7 {H20}", " key-string Gr4n1te{d3}"])
        .no(&["key 7 of 12", "a key-string is"]),
    Rule::context("network-secret", &["neighbor ", "area ", "authentication-key", "message-digest-key", "md5-key", "authentication md5", "authentication text", "vrrp ", "standby ", "ntp authentication-key", "glbp ", "authentication-password", "privacy-password"], line!(r"neighbor \S+ password|area \S+ virtual-link[^\n]{0,80}[ \t]authentication-key|(?:ip )?ospf authentication-key|message-digest-key \d+ md5|authentication-key \d+ (?:md5|sha1|type \S+ value|hmac-sha-256)|authentication-key|md5-key|(?:vrrp|standby|glbp) \d+ authentication(?: md5 key-string| text)?|authentication-password|privacy-password"), Check::Password)
        .from("Cisco, Arista, Juniper: keys of routing protocols and of NTP")
        .yes(&["neighbor 10.0.0.1 password 7 {H20}", "ip ospf message-digest-key 1 md5 Gr4n1te{d3}", "ntp authentication-key 1 md5 Gr4n1te{d3}", "set protocols bgp group x authentication-key \"$9${x20}\"", "standby 1 authentication md5 key-string Gr4n1te{d3}"])
        .no(&["neighbor 10.0.0.1 remote-as 65000", "area 0 authentication message-digest"]),
    Rule::context("network-secret", &["isakmp key", "pre-shared-key", "ikev2 ", "preshared-key", "psksecret", "ipsec-secret", "presharedkey", "shared-secret "], line!(r"isakmp key(?: [06])?|(?:ikev[12] )?(?:local-authentication |remote-authentication )?pre-shared-key(?: local| remote| ascii-text| hexadecimal| simple| cipher)?|preshared-key|psksecret|ipsec-secret|shared-secret"), Check::Given)
        .from("Cisco, Juniper, FortiOS, VyOS: pre-shared keys of IKE")
        .yes(&["crypto isakmp key Gr4n1te{d3} address 10.0.0.1", "pre-shared-key ascii-text \"$9${x20}\"", "set psksecret ENC {b40}", " ikev2 remote-authentication pre-shared-key Gr4n1te{d3}"])
        .no(&["authentication pre-shared-key", "pre-shared-key ${PSK}"]),
    Rule::context("network-secret", &["snmp-server ", "snmp-agent ", "set snmp ", "rocommunity", "rwcommunity", "snmp community", "createUser "], r#"(?:snmp-server (?:community|host \S+(?: (?:traps?|informs?))?(?: version \S+)?)|snmp-agent community (?:read|write)(?: cipher)?|set snmp community|snmp community|r[ow]community6?|createUser \S+ (?:MD5|SHA\S*))[ \t]+\\*['\x22]?([^\s'\x22\\{};]{4,})"#, Check::Password)
        .from("SNMP communities and users: Cisco, Huawei, Juniper, net-snmp")
        .yes(&["rocommunity bl0ckYard{d1} 10.0.0.0/8", "snmp-agent community read cipher Gr4n1te{d3}", "set snmp community Gr4n1te{d3} authorization read-only", "createUser mon SHA \"Gr4n1te{d3}\" AES"])
        .no(&["snmp-server community string RO", "snmp-server enable traps", "rocommunity public"]),
    Rule::context("network-secret", &["snmp-server user", "usm-user", "snmpv3 user"], r"(?:snmp-server user|usm-user|snmpv3 user)[^\n]{0,120}?[ \t](?:auth|md5|sha|sha256)[ \t]+(?:(?:md5|sha|sha256)[ \t]+)?(\S{6,}(?:[ \t]+priv[ \t]+(?:(?:aes|des|3des|aes128|aes256)[ \t]+)?(?:\d{3}[ \t]+)?\S{6,})?)", Check::Given)
        .from("SNMPv3 users: authentication and privacy")
        .yes(&["snmp-server user mon grp v3 auth sha Gr4n1te{d3} priv aes 128 0therPw{d3}"])
        .no(&["snmp-server user mon grp v3"]),
    Rule::context("network-secret", &["/user add", "/user set", "/ppp secret", "/ip ipsec", "/interface wireless", "/interface l2tp", "/interface pptp", "/interface pppoe", "/radius add", "/snmp community", "wpa2-pre-shared-key", "/interface wifi", "/tool e-mail"], r#"(?:/user (?:add|set)|/ppp secret|/ip ipsec|/interface (?:wireless|l2tp|pptp|pppoe|wifi)|/radius add|/snmp community|/tool e-mail|wpa2-pre-shared-key)[^\n]{0,200}?(?:password|secret|pre-shared-key|passphrase|authentication-password|encryption-password)=\\*['\x22]?([^\s'\x22\\]{4,})"#, Check::Given)
        .from("MikroTik RouterOS: add and set")
        .yes(&["/ppp secret add name=ann password=gr4n1te-meadow service=l2tp", "/user add name=ops group=full password=Gr4n1te{d3}"])
        .no(&["/user add name=ops group=full", "/ppp secret print"]),
    Rule::context("network-secret", &["set password ", "set passwd ", "set psk", "set passphrase", "set secret", "set key ", "set wpa-psk", "set private-key", "set phash", "phash ", "encrypted-password", "plain-text-password"], line!(r"set (?:password|passwd|psksecret|passphrase|secret|key|wpa-psk|private-key)(?: ENC)?|phash|encrypted-password|plain-text-password-value"), Check::Password)
        .from("FortiOS, Palo Alto, Juniper, VyOS: set and the words of secrets")
        .yes(&["    set password ENC {b43}", "    set passwd Gr4n1te{d3}", "set mgt-config users ops phash $5${x8}${x43}", "set system login user ops authentication encrypted-password \"$6${x8}${x86}\""])
        .no(&["set password policy", "set key value"]),
    Rule::context("network-secret", &["username ", "local-user ", "management user", "password manager", "password operator"], r#"(?:(?:username|local-user|management user)[ \t]+\S{1,40}[^\n]{0,60}?[ \t](?:password|secret)|password (?:manager|operator)(?: user-name \S+)?)[ \t]+(?:(?:plaintext|ciphertext|simple|cipher|irreversible-cipher|encrypted|hash|sha512|sha1|sha256|[0-9]{1,2})[ \t]+)?\\*['\x22]?([^\s'\x22\\{};]{6,})"#, Check::Password)
        .from("Cisco, Arista, HP, Huawei, Juniper: local users")
        .yes(&["username bob privilege 15 secret 9 $9${x14}${x43}", "local-user ops password irreversible-cipher $1c${x20}", "username bob password Gr4n1te{d3}", "password manager user-name admin plaintext Gr4n1te{d3}"])
        .no(&["username and password are required", "username bob privilege 15"]),
    Rule::context("network-secret", &["wpa-psk ", "wpa-passphrase", "wpa_passphrase", "wep-key", "psk set-key", "wlan security", "sae-password", "passphrase ascii"], line!(r"wpa-psk (?:ascii|hex)|wpa[_-]passphrase|wep-key|psk set-key (?:ascii|hex)|sae-password|passphrase ascii"), Check::Given)
        .from("Cisco, Aruba, hostapd: keys of wireless networks")
        .yes(&["wpa-psk ascii 0 Gr4n1te{d3}", "security wpa psk set-key ascii 0 Gr4n1te{d3}", "wpa-passphrase Gr4n1te{d3}"])
        .no(&["wpa-psk enable"]),
    Rule::context("network-secret", &["option key ", "option sae_password", "option password ", "option private_key", "option preshared_key", ".key='", ".key=\"", ".sae_password=", "uci set "], r#"(?:option (?:key|sae_password|password|private_key|preshared_key)[ \t]+|uci set \S{1,80}\.(?:key|sae_password|password|private_key|preshared_key|psk)=|\.(?:key|sae_password)=)\\*['\x22]([^'\x22\n\\]{6,64})"#, Check::Chosen)
        .from("OpenWrt: uci")
        .yes(&["uci set wireless.@wifi-iface[0].key='Montana_Lampe{d3}'", "\toption key 'Montana_Lampe{d3}'"])
        .no(&["option key 'on'", "uci set system.@system[0].hostname='x'"]),
    Rule::context("redis-password", &["AUTH "], r"AUTH [\w.-]{2,40} ([^\s\x22']{6,64})[ \t]*(?:\r?\n|\z)", Check::Chosen)
        .from("Redis: AUTH with a user")
        .yes(&["AUTH ann Montana_Lampe{d3}"])
        .no(&["AUTH PLAIN LOGIN", "AUTH FAILED for ann"]),
];
