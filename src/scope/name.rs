//! The name that a node declares.

use tree_sitter::Node;

/// Longer names are cut: they come from files that nobody wrote by hand.
const LONGEST: usize = 120;
/// How far a C declarator is followed to the name within.
const DEEPEST: usize = 32;

/// Where a node keeps its name. A node without one declares no scope.
#[derive(Clone, Copy)]
pub(super) enum Naming {
    /// In a field.
    Field(&'static str),
    /// In the field `name`, if there is a body too: without one it is a reference or a declaration.
    WithBody,
    /// Always the same.
    Fixed(&'static str),
    /// In a field; without it, this one.
    FieldOr(&'static str, &'static str),
    /// In the second field, after the first text.
    Prefixed(&'static str, &'static str),
    /// In the first child of a kind.
    Child(&'static str),
    /// In the first field, if the second holds a function or a class.
    Assigned(&'static str, &'static str),
    /// In the field `name`, if the field `type` is of one of these kinds.
    Typed(&'static [&'static str]),
    /// In the field `name`, the owner in Go's `receiver`.
    Receiver,
    /// Within C's `declarator`.
    Declarator,
    /// In C's `typedef struct { … } name;`.
    Typedef,
    /// At the end of the first path, if there is something at the end of one of the others: code that computes a
    /// property. The steps of a path are fields or kinds of children, apart by `/`.
    Computed(&'static str, &'static [&'static str]),
    /// In the first argument of a call of one of these, if it has a block: Ruby's `define_method(:name) { … }`.
    Called(&'static [&'static str]),
}

/// What a node declares.
pub(super) struct Name {
    /// The type it belongs to, where that is said by the declaration itself.
    pub owner: Option<String>,
    pub name: String,
    /// Whether the name is that of a class, whatever the rule says.
    pub class: bool,
}

impl Naming {
    /// The fields that a grammar must have.
    #[cfg(test)]
    pub fn fields(self) -> Vec<&'static str> {
        match self {
            Naming::Field(field) | Naming::FieldOr(field, _) | Naming::Prefixed(_, field) => vec![field],
            Naming::WithBody => vec!["name", "body"],
            Naming::Assigned(name, value) => vec![name, value],
            Naming::Typed(_) => vec!["name", "type"],
            Naming::Receiver => vec!["name", "receiver", "type"],
            Naming::Declarator => vec!["declarator"],
            Naming::Typedef => vec!["declarator", "type", "body"],
            Naming::Called(_) => vec!["method", "block", "arguments"],
            Naming::Fixed(_) | Naming::Child(_) | Naming::Computed(..) => vec![],
        }
    }

    /// The steps of paths, each of which must be a field or a kind that the grammar has.
    #[cfg(test)]
    pub fn steps(self) -> Vec<&'static str> {
        match self {
            Naming::Computed(name, bodies) => bodies.iter().chain([&name]).flat_map(|path| path.split('/')).collect(),
            _ => vec![],
        }
    }

    pub fn read(self, node: Node<'_>, source: &[u8]) -> Option<Name> {
        let field = |name| node.child_by_field_name(name);
        let plain = |name: Node<'_>| Name::new(None, text(name, source));
        match self {
            Naming::Field(name) => plain(without_arguments(field(name)?)),
            Naming::WithBody => field("body").and(field("name")).map(without_arguments).and_then(plain),
            Naming::Fixed(fixed) => Name::new(None, fixed.to_owned()),
            Naming::FieldOr(name, other) => field(name).map_or_else(|| Name::new(None, other.to_owned()), plain),
            Naming::Prefixed(prefix, name) => Name::new(None, prefix.to_owned() + &text(field(name)?, source)),
            Naming::Child(kind) => node.children(&mut node.walk()).find(|child| child.kind() == kind).and_then(plain),
            Naming::Assigned(name, value) => {
                let kind = field(value)?.kind();
                let class = kind == "class";
                let function = matches!(kind, "arrow_function" | "function_expression" | "generator_function");
                (class || function).then(|| plain(field(name)?)).flatten().map(|name| Name { class, ..name })
            }
            Naming::Typed(kinds) => {
                field("type").filter(|of| kinds.contains(&of.kind())).and(field("name")).and_then(plain)
            }
            Naming::Receiver => Name::new(receiver(node, source), text(field("name")?, source)),
            Naming::Declarator => declared(field("declarator")?, source),
            Naming::Typedef => {
                let of = field("type")?;
                of.child_by_field_name("body")?;
                // One with a name of its own is a scope already.
                of.child_by_field_name("name").is_none().then(|| plain(field("declarator")?)).flatten()
            }
            Naming::Computed(name, bodies) => {
                bodies.iter().find_map(|body| down(node, body))?;
                plain(down(node, name)?)
            }
            Naming::Called(methods) => {
                field("block")?;
                let called = text(field("method")?, source);
                methods.contains(&called.as_str()).then_some(())?;
                let name = text(field("arguments")?.named_child(0)?, source);
                Name::new(None, name.trim_start_matches(':').to_owned())
            }
        }
    }
}

impl Name {
    fn new(owner: Option<String>, name: String) -> Option<Name> {
        (!name.is_empty()).then_some(Name { owner: owner.filter(|owner| !owner.is_empty()), name, class: false })
    }
}

/// The text of a node, on one line and without quotes.
fn text(node: Node<'_>, source: &[u8]) -> String {
    let bytes = source.get(node.byte_range()).unwrap_or_default();
    let (bytes, cut) = (&bytes[..bytes.len().min(LONGEST)], bytes.len() > LONGEST);
    let text = String::from_utf8_lossy(bytes);
    let mut text = text.split_whitespace().collect::<Vec<_>>().join(" ");
    if let [quote @ (b'"' | b'\'' | b'`'), .., end] = text.as_bytes()
        && quote == end
    {
        text = text[1..text.len() - 1].to_owned();
    }
    if cut {
        text.push('…');
    }
    text
}

/// What is at the end of a path, where there is such a one.
fn down<'t>(node: Node<'t>, path: &str) -> Option<Node<'t>> {
    let (step, rest) = path.split_once('/').map_or((path, None), |(step, rest)| (step, Some(rest)));
    let mut cursor = node.walk();
    let children = node.children(&mut cursor).filter(|child| child.kind() == step);
    let mut next = node.child_by_field_name(step).into_iter().chain(children);
    next.find_map(|child| rest.map_or(Some(child), |rest| down(child, rest)))
}

/// `Stack` of Rust's and C++'s `Stack<T>`.
fn without_arguments(node: Node<'_>) -> Node<'_> {
    match node.kind() {
        "generic_type" => node.child_by_field_name("type").unwrap_or(node),
        "template_type" => node.child_by_field_name("name").unwrap_or(node),
        _ => node,
    }
}

/// `Server` of Go's `(s *Server[T])`.
fn receiver(node: Node<'_>, source: &[u8]) -> Option<String> {
    let parameter = node.child_by_field_name("receiver")?.named_child(0)?;
    let mut of = parameter.child_by_field_name("type")?;
    if of.kind() == "pointer_type" {
        of = of.named_child(0)?;
    }
    Some(text(without_arguments(of), source))
}

/// The name in a C or C++ declarator: `*(f(int))`, `&ns::Type::operator=(…)`.
fn declared(mut node: Node<'_>, source: &[u8]) -> Option<Name> {
    let mut owners: Vec<String> = Vec::new();
    for _ in 0..DEEPEST {
        node = match node.kind() {
            "qualified_identifier" => {
                owners.extend(node.child_by_field_name("scope").map(|scope| text(without_arguments(scope), source)));
                node.child_by_field_name("name")?
            }
            "template_function" => node.child_by_field_name("name")?,
            "operator_cast" => {
                let of = text(node.child_by_field_name("type")?, source);
                return Name::new(owner(&owners), format!("operator {of}"));
            }
            kind if kind.ends_with("_declarator") => node.child_by_field_name("declarator").or_else(|| {
                let mut cursor = node.walk();
                let mut children = node.named_children(&mut cursor);
                children.find(|child| child.kind().ends_with("declarator") || child.kind().ends_with("identifier"))
            })?,
            _ => return Name::new(owner(&owners), text(node, source)),
        };
    }
    None
}

fn owner(owners: &[String]) -> Option<String> {
    (!owners.is_empty()).then(|| owners.join("::"))
}
