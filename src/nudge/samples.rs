//! Keys that documentation shows: whoever pastes an example of it tells no secret.

/// Published by those who give out keys of the kind: Amazon's documentation has the first two, jwt.io the others.
const SAMPLES: [&str; 4] = [
    "AKIAIOSFODNN7EXAMPLE",
    "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY",
    "eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9.eyJzdWIiOiIxMjM0NTY3ODkwIiwibmFtZSI6IkpvaG4gRG9lIiwiaWF0IjoxNTE2MjM5MDIyfQ.\
     SflKxwRJSMeKKF2QT4fwpMeJf36POk6yJV_adQssw5c",
    "eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9.eyJzdWIiOiIxMjM0NTY3ODkwIiwibmFtZSI6IkpvaG4gRG9lIiwiYWRtaW4iOnRydWUsImlhdCI6MTUxNj\
     IzOTAyMn0.KMUFsIDTnFmyG3nMiGM6H9FNFUROf3wh7SmqJp-QV30",
];

/// A text without the keys that anybody may see.
pub fn without_samples(text: String) -> String {
    SAMPLES.iter().fold(text, |text, sample| if text.contains(sample) { text.replace(sample, "") } else { text })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::redaction::{Redactor, Settings};

    #[test]
    fn an_example_is_no_secret_and_hides_none() {
        let redactor = Redactor::new(Settings::default());
        let found = |text: &str| usize::from(redactor.finds(without_samples(text.to_owned()).as_bytes()).is_some());
        for sample in SAMPLES {
            assert_eq!(found(&format!("why does {sample} not work?")), 0, "{sample}");
            let real = ["AK", "IA", "QWERTYUIOPASDFGH"].concat();
            assert_eq!(found(&format!("{sample} and {real}")), 1, "{sample}");
        }
        assert_eq!(
            found(
                "AWS_ACCESS_KEY_ID=AKIAIOSFODNN7EXAMPLE\nAWS_SECRET_ACCESS_KEY=wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY"
            ),
            0
        );
    }
}
