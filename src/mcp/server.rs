//! The server: one client on standard input and output. Standard output is the protocol's alone; all else goes to standard error.

use std::borrow::Cow;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use rmcp::handler::server::ServerHandler;
use rmcp::model::{
    CallToolRequestParams, CallToolResponse, CallToolResult, ContentBlock, Implementation, JsonObject,
    ListResourceTemplatesResult, ListResourcesResult, ListToolsResult, PaginatedRequestParams,
    ReadResourceRequestParams, ReadResourceResponse, ReadResourceResult, ResourceContents, ServerCapabilities,
    ServerConfig, Tool,
};
use rmcp::service::{RequestContext, RoleServer, ServerInitializeError};
use rmcp::transport::async_rw::AsyncRwTransport;
use rmcp::transport::io::stdio_pipes;
use rmcp::{ErrorData, ServiceExt};
use serde_json::{Value, json};
use tokio::runtime::{Builder, Handle};
use tokio::sync::Semaphore;

use crate::host::clock::Stopwatch;
use crate::host::output;
use crate::mcp::desk::Desk;
use crate::mcp::journal::{Journal, Line};
use crate::mcp::outgoing::{NOTICE, text};
use crate::mcp::refusal::Refusal;
use crate::mcp::resources;
use crate::mcp::tools::{Offer, offers};

/// No message is longer, in bytes.
const MAX_MESSAGE: usize = 16 << 20;
/// Calls that are worked at together; others wait. The index and the notes of calls have threads besides.
const AT_ONCE: usize = 4;
const BESIDES: usize = 4;

const INSTRUCTIONS: &str = "The signed record of what agents did in this repository. Ask why before changing a line you do not \
    understand, policy_check before you begin, similar_error when something fails, budget before a long task. ";

/// What answers a client.
struct Server {
    desk: Arc<Desk>,
    offers: Arc<Vec<Offer>>,
    journal: Arc<Journal>,
    places: Arc<Semaphore>,
}

/// Serves one client until it closes standard input.
pub fn serve(dir: &Path) -> anyhow::Result<()> {
    let runtime =
        Builder::new_multi_thread().worker_threads(2).max_blocking_threads(AT_ONCE + BESIDES).enable_all().build()?;
    let desk = Desk::open(dir, runtime.handle()).map_err(|refusal| anyhow::anyhow!("{refusal}"))?;
    let journal = Journal::at(desk.local.ledger()?.dir().join("mcp.jsonl"));
    let places = Arc::new(Semaphore::new(AT_ONCE));
    let server = Server { desk, offers: Arc::new(offers()), journal: Arc::new(journal), places };
    let served = runtime.block_on(async {
        let (input, output) = stdio_pipes();
        let transport = AsyncRwTransport::new_server(input, output).with_max_line_length(MAX_MESSAGE);
        match server.serve(transport).await {
            Ok(running) => drop(running.waiting().await?),
            // A client that looks whether the server starts.
            Err(ServerInitializeError::ConnectionClosed(_)) => {}
            Err(error) => return Err(error.into()),
        }
        anyhow::Ok(())
    });
    // What is being indexed is begun again the next time.
    runtime.shutdown_timeout(Duration::from_secs(1));
    served
}

impl Server {
    /// Does something that blocks for a client, and notes that it was done.
    async fn work<T: Send + 'static>(
        &self,
        context: &RequestContext<RoleServer>,
        called: &str,
        asked: JsonObject,
        work: impl FnOnce(&Arc<Desk>) -> Result<(T, usize), Refusal> + Send + 'static,
    ) -> Result<T, Refusal> {
        let watch = Stopwatch::start();
        let (desk, places) = (self.desk.clone(), self.places.clone());
        let worked = async move {
            let place = places.acquire_owned().await;
            let work = move || {
                // Whoever cancels does not stop what is being done: the place is free when it is.
                let _place = place;
                work(&desk)
            };
            Handle::current().spawn_blocking(work).await
        };
        let (outcome, done) = tokio::select! {
            done = worked => match done {
                Ok(Ok(done)) => ("answered", Ok(done)),
                Ok(Err(refusal)) => ("refused", Err(refusal)),
                Err(error) => {
                    output::say(format_args!("error: {called}: {error}"));
                    let why = "this could not be answered: a fault of git-tracevault";
                    ("failed", Err(Refusal::new(why, "its standard error says more; other questions can be asked")))
                }
            },
            () = context.ct.cancelled() => ("cancelled", Err(Refusal::bare("cancelled"))),
        };
        let bytes = match &done {
            Ok((_, bytes)) => *bytes,
            Err(refusal) => refusal.to_string().len(),
        };
        self.note(context, called, asked, (outcome, bytes, watch.milliseconds())).await;
        done.map(|(told, _)| told)
    }

    /// Notes a call, before the answer goes out: whoever has it can find it noted.
    async fn note(
        &self,
        context: &RequestContext<RoleServer>,
        called: &str,
        asked: JsonObject,
        (outcome, bytes, milliseconds): (&'static str, usize, u64),
    ) {
        let client = context.client_info().map_or_else(String::new, |client| client.name);
        let (journal, called) = (self.journal.clone(), called.to_owned());
        let add = move || journal.add(Line { client: &client, called: &called, asked, outcome, bytes, milliseconds });
        drop(Handle::current().spawn_blocking(add).await);
    }
}

impl ServerHandler for Server {
    fn get_info(&self) -> ServerConfig {
        let capabilities = ServerCapabilities::builder().enable_tools().enable_resources().build();
        ServerConfig::new(capabilities)
            .with_server_info(Implementation::new("git-tracevault", env!("CARGO_PKG_VERSION")))
            .with_instructions(format!("{INSTRUCTIONS}{NOTICE}"))
    }

    async fn list_tools(
        &self,
        _: Option<PaginatedRequestParams>,
        _: RequestContext<RoleServer>,
    ) -> Result<ListToolsResult, ErrorData> {
        Ok(ListToolsResult::with_all_items(self.offers.iter().map(|offer| offer.tool.clone()).collect()))
    }

    fn get_tool(&self, name: &str) -> Option<Tool> {
        self.offers.iter().find(|offer| offer.tool.name == name).map(|offer| offer.tool.clone())
    }

    async fn call_tool(
        &self,
        request: CallToolRequestParams,
        context: RequestContext<RoleServer>,
    ) -> Result<CallToolResponse, ErrorData> {
        let Some(at) = self.offers.iter().position(|offer| offer.tool.name == request.name) else {
            let known: Vec<&str> = self.offers.iter().map(|offer| offer.tool.name.as_ref()).collect();
            let message = format!("no tool is called {:?} (known: {})", text(&request.name), known.join(", "));
            let asked = known_keys(request.arguments.unwrap_or_default(), None);
            self.note(&context, &request.name, asked, ("refused", message.len(), 0)).await;
            return Err(ErrorData::invalid_params(message, None));
        };
        let asked = request.arguments.unwrap_or_default();
        let (offers, arguments) = (self.offers.clone(), asked.clone());
        let asked = known_keys(asked, offers[at].tool.input_schema.get("properties"));
        let run = move |desk: &Arc<Desk>| {
            let told = (offers[at].run)(desk, arguments)?;
            let text = told.to_string();
            let bytes = text.len();
            Ok(((told, text), bytes))
        };
        Ok(match self.work(&context, &request.name, asked, run).await {
            Ok((told, text)) => answer(told, text),
            Err(refusal) => CallToolResult::error(vec![ContentBlock::text(text(&refusal.to_string()))]),
        }
        .into())
    }

    async fn list_resources(
        &self,
        request: Option<PaginatedRequestParams>,
        context: RequestContext<RoleServer>,
    ) -> Result<ListResourcesResult, ErrorData> {
        let cursor = request.and_then(|request| request.cursor);
        let asked = cursor.iter().map(|cursor| ("cursor".to_owned(), json!(cursor))).collect();
        let list = move |desk: &Arc<Desk>| resources::list(desk, cursor.as_deref()).map(|page| (page, 0));
        let listed = self.work(&context, "resources/list", asked, list).await;
        let (listed, next) = listed.map_err(|refusal| refused(&refusal, ErrorData::invalid_params))?;
        let mut result = ListResourcesResult::with_all_items(listed);
        result.next_cursor = next;
        Ok(result)
    }

    async fn list_resource_templates(
        &self,
        _: Option<PaginatedRequestParams>,
        _: RequestContext<RoleServer>,
    ) -> Result<ListResourceTemplatesResult, ErrorData> {
        Ok(ListResourceTemplatesResult::with_all_items(resources::templates()))
    }

    async fn read_resource(
        &self,
        request: ReadResourceRequestParams,
        context: RequestContext<RoleServer>,
    ) -> Result<ReadResourceResponse, ErrorData> {
        let uri = request.uri.clone();
        let read = move |desk: &Arc<Desk>| {
            let text = resources::read(desk, &uri)?.to_string();
            let bytes = text.len();
            Ok((text, bytes))
        };
        let read = self.work(&context, &request.uri, JsonObject::new(), read).await;
        let told = read.map_err(|refusal| refused(&refusal, ErrorData::resource_not_found))?;
        let contents = ResourceContents::text(told, request.uri).with_mime_type("application/json");
        Ok(ReadResourceResult::new(vec![contents]).into())
    }

    fn supported_protocol_versions(&self) -> Cow<'static, [rmcp::model::ProtocolVersion]> {
        use rmcp::model::ProtocolVersion;
        Cow::Borrowed(
            const { &[ProtocolVersion::V_2025_06_18, ProtocolVersion::V_2025_11_25, ProtocolVersion::V_2026_07_28] },
        )
    }
}

/// What a request for resources is refused with; what fails here is no fault of what was asked.
fn refused(refusal: &Refusal, unknown: fn(String, Option<Value>) -> ErrorData) -> ErrorData {
    let kind = if refusal.is_unknown { unknown } else { ErrorData::internal_error };
    kind(text(&refusal.to_string()), None)
}

/// Arguments as they are noted: those that a tool has. A client writes what it likes into the names of others.
fn known_keys(asked: JsonObject, known: Option<&Value>) -> JsonObject {
    let (mut kept, others): (JsonObject, JsonObject) =
        asked.into_iter().partition(|(key, _)| known.is_some_and(|known| known.get(key).is_some()));
    if !others.is_empty() {
        kept.insert("…".to_owned(), others.len().into());
    }
    kept
}

/// The same as data and as text: some clients show their model only one of them.
fn answer(told: Value, text: String) -> CallToolResult {
    let mut result = CallToolResult::success(vec![ContentBlock::text(text)]);
    result.structured_content = Some(told);
    result
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_arguments_that_no_tool_has_are_not_noted() {
        let asked = || json!({"file": "a", "x": "b", "y": 1}).as_object().unwrap().clone();
        let told = |known: Option<&Value>| Value::Object(known_keys(asked(), known));
        assert_eq!(told(Some(&json!({"file": {}, "line": {}}))), json!({"file": "a", "…": 2}));
        assert_eq!(told(None), json!({"…": 3}));
    }
}
