//! Tongues: what passwords, keys, secrets and tokens are called in other languages than English.

use super::names::Class;

/// Words for a password in Latin letters, without their marks: they tell wherever in a name they stand.
#[rustfmt::skip]
const PASSWORDS: &[&str] = &[
    "passwort", "kennwort", "zugangscode", "geheimwort", "losungswort", "passe", "mdp", "contrasena", "contrase", "contrasenya",
    "contrasenia", "senha", "wachtwoord", "parola", "parolachiave", "haslo", "heslo", "salasana", "tunnussana", "losenord", "passord",
    "adgangskode", "adgangsord", "kodeord", "jelszo", "sifre", "parool", "lozinka", "zaporka", "geslo", "slaptazodis", "lykilord",
    "pasahitza", "losenordet", "passordet", "adgangskoden", "sandi", "motdepasse", "fjalekalimi", "paswoord", "hemligord",
];

/// Words for a key: with another word they say that it is a secret one.
#[rustfmt::skip]
const KEYS: &[&str] = &[
    "schlussel", "schluessel", "clave", "chiave", "chave", "cle", "clau", "sleutel", "klucz", "klic", "kljuc", "nyckel", "nokkel",
    "noekkel", "nogle", "noegle", "avain", "kulcs", "anahtar", "kunci", "cheie", "raktas",
];

/// What makes such a key a secret one, before it or behind.
#[rustfmt::skip]
const SECRET: &[&str] = &[
    "api", "secreta", "secrete", "secret", "segreta", "segredo", "privada", "privata", "privee", "privat", "private", "geheime", "geheim",
    "geheimer", "tajny", "tajna", "prywatny", "hemlig", "hemmelig", "salainen", "titkos", "gizli", "acceso", "accesso", "acesso", "acces",
    "d", "maestra", "mestra", "maitre", "haupt", "zugangs", "toegangs", "firma", "cifrado", "crittografia", "verschlusselung", "chiffrement",
    "rahasia", "webhook", "jwt", "aes", "hmac", "admin", "dostepu", "pristupovy", "sekret", "auth",
];

/// Words for a secret.
#[rustfmt::skip]
const SECRETS: &[&str] = &[
    "geheim", "geheimnis", "secreto", "segreto", "segredo", "sekret", "hemlighet", "hemmelighed", "hemmelighet", "salaisuus", "titok",
    "tajemstvi", "tajemnica", "rahasia",
];

/// What is to be looked at, in any case; letters with marks stand in two bytes, and so have words of their own.
#[rustfmt::skip]
pub(super) const KEYWORDS: &[&str] = &[
    "kennwort", "contrase", "senha", "wachtwoord", "paswoord", "parola", "haslo", "heslo", "salasana", "tunnussana", "losenord", "lösenord",
    "parolă", "PAROLĂ", "Parolă", "passord", "adgangs", "jelszo", "jelszó", "sifre", "şifre", "Şifre", "ŞİFRE", "parool", "kodeord", "hasło", "lozinka", "zaporka", "geslo", "slaptaž", "slaptaz",
    "lykilor", "pasahitz", "kata sandi", "kata_sandi", "katasandi", "khẩu", "mat_khau", "matkhau", "zugangscode", "geheim", "mdp", "jeton",
    "schluessel", "schlüssel", "schlussel", "clave", "chiave", "chave", "palavra", "sleutel", "klucz", "klíč", "kljuc", "ključ", "nyckel", "nøkkel",
    "nokkel", "nøgle", "noegle", "avain", "kulcs", "anahtar", "kunci", "cle_", "cleapi", "clesecr", "cleprive", "clé_", "clé api", "clé secr", "clé d'api", "clé-", "cléapi", "clésecr", "secrèt", "segret",
    "segredo", "sekret", "hemlig", "hemmelig", "salaisuus", "titkos", "gettone", "żeton", "пароль", "Пароль", "ПАРОЛЬ", "паролем", "парола", "Парола", "лозинка",
    "шифра", "токен", "Токен", "секрет", "Секрет", "ключ", "Ключ", "密码", "密碼", "口令", "密钥", "密鑰", "令牌", "パスワード", "合言葉", "暗証番号", "キー",
    "トークン", "シークレット", "비밀번호", "암호", "비번", "토큰", "κωδικός", "κωδικο", "Κωδικ", "συνθηματικ", "סיסמה", "סיסמא", "كلمة المرور", "كلمة السر", "كلمة سر",
    "رمز عبور", "گذرواژه", "पासवर्ड", "รหัสผ่าน", "গোপন", "கடவுச்சொல்",
];

/// What ends names in other letters; all others are passwords.
const ENDINGS: &[(&str, Class)] = &[
    ("キー", Class::ApiKey),
    ("密钥", Class::ApiKey),
    ("密鑰", Class::ApiKey),
    ("令牌", Class::Token),
    ("トークン", Class::Token),
    ("토큰", Class::Token),
    ("токен", Class::Token),
    ("Токен", Class::Token),
    ("секрет", Class::Secret),
    ("Секрет", Class::Secret),
    ("シークレット", Class::Secret),
    ("ключ", Class::ApiKey),
    ("Ключ", Class::ApiKey),
    ("暗証番号", Class::Pin),
    ("khẩu", Class::Password),
];

/// What a name's ending in other letters says.
pub(super) fn by_ending(name: &[u8]) -> Option<Class> {
    ENDINGS.iter().find(|(ending, _)| name.ends_with(ending.as_bytes())).map(|(_, class)| *class)
}

/// What the parts of a name say, in small letters without marks.
pub(super) fn by_parts(parts: &[&str]) -> Option<Class> {
    if parts.iter().any(|part| PASSWORDS.contains(part)) {
        return Some(Class::Password);
    }
    let key = parts.iter().any(|part| KEYS.contains(part));
    if key && parts.iter().any(|part| SECRET.contains(part)) {
        return Some(Class::Password);
    }
    let compound =
        |part: &&str| KEYS.iter().any(|key| part.strip_suffix(key).is_some_and(|first| SECRET.contains(&first)));
    if parts.iter().any(compound) {
        return Some(Class::Password);
    }
    match parts.last() {
        Some(&last) if SECRETS.contains(&last) => Some(Class::Password),
        Some(&("jeton" | "gettone" | "zeton")) => Some(Class::Token),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_of_many_tongues_tell() {
        for (name, expected) in [
            ("haslo_bazy", Some(Class::Password)),
            ("clave_secreta", Some(Class::Password)),
            ("geheime_sleutel", Some(Class::Password)),
            ("cle_d_api", Some(Class::Password)),
            ("hauptschlussel", Some(Class::Password)),
            ("jeton", Some(Class::Token)),
            ("clave_primaria", None),
            ("sleutel", None),
            ("nombre", None),
        ] {
            assert_eq!(by_parts(&name.split('_').collect::<Vec<_>>()), expected, "{name}");
        }
        assert_eq!(by_ending("токен".as_bytes()), Some(Class::Token));
    }
}
