//! OpenID Connect (Core 1.0, code flow with PKCE): an identity provider vouches for an e-mail address, which names a member.

use axum::Extension;
use axum::extract::{Query, State};
use axum::response::{IntoResponse, Redirect, Response};
use openidconnect::core::{CoreAuthenticationFlow, CoreClient, CoreIdTokenClaims, CoreProviderMetadata};
use openidconnect::{
    AccessTokenHash, AuthorizationCode, ClientId, ClientSecret, CsrfToken, HttpRequest, HttpResponse, IssuerUrl, Nonce,
    OAuth2TokenResponse, PkceCodeChallenge, PkceCodeVerifier, RedirectUrl, Scope, TokenResponse,
};
use serde::{Deserialize, Serialize};
use tower_sessions::Session;

use crate::audit_log::{Action, Event};
use crate::digest::Digest;
use crate::host::{clock, http};
use crate::web::access::SignedIn;
use crate::web::access::admit::Visitor;
use crate::web::access::sign_in::{self, To};
use crate::web::app::App;
use crate::web::page::NoPage;

/// Where a browser's data has what it went to the provider with.
const LEFT: &str = "left";

/// An identity provider, and what we are to it.
#[derive(Debug, Clone)]
pub struct Provider {
    issuer: IssuerUrl,
    client: ClientId,
    secret: Option<ClientSecret>,
}

/// Why nobody was signed in.
#[derive(Debug, thiserror::Error)]
pub enum ProviderError {
    #[error("the issuer {0:?} is no https address")]
    Issuer(String),
    #[error("the provider does not answer as it should: {0}")]
    Answer(String),
    #[error("what the provider says does not hold: {0}")]
    Claims(String),
}

/// What is kept of a browser while it is with the provider.
#[derive(Serialize, Deserialize)]
struct Left {
    state: String,
    nonce: String,
    verifier: String,
    to: String,
}

/// What the provider sends the browser back with.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub struct Back {
    code: String,
    state: String,
    error: String,
}

impl Provider {
    /// A provider by its address, which must be `https` or on this machine.
    pub fn new(issuer: &str, client: &str, secret: Option<&str>) -> Result<Self, ProviderError> {
        let wrong = || ProviderError::Issuer(issuer.to_owned());
        if !http::is_private(issuer) {
            return Err(wrong());
        }
        let secret = secret.map(|secret| ClientSecret::new(secret.to_owned()));
        let issuer = IssuerUrl::new(issuer.to_owned()).map_err(|_| wrong())?;
        Ok(Provider { issuer, client: ClientId::new(client.to_owned()), secret })
    }

    /// What pages call it: its host.
    pub fn name(&self) -> &str {
        self.issuer.url().host_str().unwrap_or("the identity provider")
    }

    fn metadata(&self) -> Result<CoreProviderMetadata, ProviderError> {
        CoreProviderMetadata::discover(&self.issuer, &send).map_err(answer)
    }

    /// Where a browser is sent, and what must come back with it.
    fn leave(&self, redirect: RedirectUrl, to: &str) -> Result<(String, Left), ProviderError> {
        let client = CoreClient::from_provider_metadata(self.metadata()?, self.client.clone(), self.secret.clone());
        let (challenge, verifier) = PkceCodeChallenge::new_random_sha256();
        let client = client.set_redirect_uri(redirect);
        let asked =
            client.authorize_url(CoreAuthenticationFlow::AuthorizationCode, CsrfToken::new_random, Nonce::new_random);
        let (url, state, nonce) = asked.add_scope(Scope::new("email".into())).set_pkce_challenge(challenge).url();
        let left = Left {
            state: state.secret().clone(),
            nonce: nonce.secret().clone(),
            verifier: verifier.secret().clone(),
            to: to.to_owned(),
        };
        Ok((url.to_string(), left))
    }

    /// The address that the provider vouches for.
    fn back(&self, redirect: RedirectUrl, left: &Left, code: String) -> Result<String, ProviderError> {
        let client = CoreClient::from_provider_metadata(self.metadata()?, self.client.clone(), self.secret.clone());
        let client = client.set_redirect_uri(redirect);
        let exchange = client.exchange_code(AuthorizationCode::new(code)).map_err(answer)?;
        let verifier = PkceCodeVerifier::new(left.verifier.clone());
        let tokens = exchange.set_pkce_verifier(verifier).request(&send).map_err(answer)?;
        let id_token = tokens.id_token().ok_or_else(|| ProviderError::Claims("there is no ID token".into()))?;
        let wrong = |error: &dyn std::fmt::Display| ProviderError::Claims(error.to_string());
        let verifier = client.id_token_verifier();
        let claims = id_token.claims(&verifier, &Nonce::new(left.nonce.clone())).map_err(|error| wrong(&error))?;
        if let Some(expected) = claims.access_token_hash() {
            let algorithm = id_token.signing_alg().map_err(|error| wrong(&error))?;
            let key = id_token.signing_key(&verifier).map_err(|error| wrong(&error))?;
            let actual = AccessTokenHash::from_token(tokens.access_token(), algorithm, key);
            if actual.map_err(|error| wrong(&error))? != *expected {
                return Err(ProviderError::Claims("the access token is another one".into()));
            }
        }
        verified_address(claims)
    }
}

/// An address that the provider has not verified is anybody's.
fn verified_address(claims: &CoreIdTokenClaims) -> Result<String, ProviderError> {
    let email = claims.email().ok_or_else(|| ProviderError::Claims("it names no e-mail address".into()))?;
    match claims.email_verified() {
        Some(true) => Ok(email.as_str().to_owned()),
        _ => Err(ProviderError::Claims(format!("{:?} is not verified", email.as_str()))),
    }
}

fn answer(error: impl std::error::Error) -> ProviderError {
    ProviderError::Answer(error.to_string())
}

/// Sends a request for the library; redirections are not followed.
fn send(request: HttpRequest) -> Result<HttpResponse, ureq::Error> {
    if !http::is_private(&request.uri().to_string()) {
        return Err(ureq::Error::BadUri(request.uri().to_string()));
    }
    let mut response = http::agent(&request.uri().to_string()).run(request)?;
    let body = response.body_mut().with_config().limit(http::LARGEST).read_to_vec()?;
    let (parts, _) = response.into_parts();
    Ok(HttpResponse::from_parts(parts, body))
}

/// What the door needs to know of it, and this server's address to come back to.
fn way(app: &App, visitor: &Visitor) -> Result<(std::sync::Arc<Provider>, RedirectUrl), NoPage> {
    let none = || NoPage::NotFound("no identity provider is configured".to_owned());
    let provider = app.door().provider.clone().ok_or_else(none)?;
    let origin = app.door().origins.to_sign(&visitor.host).ok_or_else(none)?;
    let redirect = RedirectUrl::new(format!("{origin}/sign-in/back"));
    Ok((provider, redirect.map_err(|error| NoPage::Failed(error.to_string()))?))
}

fn failed(error: impl std::fmt::Display) -> NoPage {
    NoPage::Failed(error.to_string())
}

/// `/sign-in/provider`: off to the provider.
pub async fn leave(
    State(app): State<App>,
    Extension(visitor): Extension<Visitor>,
    session: Session,
    Query(to): Query<To>,
) -> Result<Response, NoPage> {
    sign_in::limit(&app, &visitor)?;
    let (provider, redirect) = way(&app, &visitor)?;
    let to = to.path().to_owned();
    let left = tokio::task::spawn_blocking(move || provider.leave(redirect, &to)).await.map_err(failed)?;
    let (url, left) = left.map_err(failed)?;
    sign_in::keep(&visitor, &session)?;
    session.insert(LEFT, left).await.map_err(failed)?;
    Ok(Redirect::to(&url).into_response())
}

/// `/sign-in/back`: back from the provider.
pub async fn back(
    State(app): State<App>,
    Extension(visitor): Extension<Visitor>,
    session: Session,
    Query(back): Query<Back>,
) -> Result<Response, NoPage> {
    sign_in::limit(&app, &visitor)?;
    let (provider, redirect) = way(&app, &visitor)?;
    sign_in::keep(&visitor, &session)?;
    let left: Option<Left> = session.remove(LEFT).await.map_err(failed)?;
    // Hashes, since how long a comparison takes tells of what is compared.
    let same = |left: &Left| Digest::of(left.state.as_bytes()) == Digest::of(back.state.as_bytes());
    let Some(left) = left.filter(same) else {
        return refuse(&app, &visitor, "the provider answers what this browser did not ask".to_owned()).await;
    };
    if !back.error.is_empty() {
        return refuse(&app, &visitor, format!("the provider says {:?}", back.error)).await;
    }
    let to = To { to: left.to.clone() };
    let email = tokio::task::spawn_blocking(move || provider.back(redirect, &left, back.code)).await.map_err(failed)?;
    let email = match email {
        Ok(email) => email,
        Err(error) => return refuse(&app, &visitor, error.to_string()).await,
    };
    let who = app.database().members_called(&email).await?;
    if who.is_empty() {
        return refuse(&app, &visitor, format!("no ledger here has a member called {email:?}")).await;
    }
    sign_in::note(&app, &visitor, Action::SignIn, &who, "an identity provider vouches for them").await?;
    let email = Some((email, clock::now().unix()));
    sign_in::begin(&visitor, &session, SignedIn { keys: Vec::new(), email }).await?;
    Ok(Redirect::to(to.path()).into_response())
}

async fn refuse(app: &App, visitor: &Visitor, why: String) -> Result<Response, NoPage> {
    let event = Event { detail: Some(why.clone()), ..visitor.event(Action::Refused, "/sign-in/back") };
    app.log().add(event).await.map_err(|error| NoPage::Unlogged(error.to_string()))?;
    Err(NoPage::Wrong(why))
}
