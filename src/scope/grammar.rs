//! A table of node kinds for each language: which nodes are scopes, which pass on what is attached to them.

use std::sync::OnceLock;

use tree_sitter_language::LanguageFn;

use super::Kind;
use super::language::Language;
use super::name::Naming;

/// A node kind that declares a scope.
#[derive(Clone, Copy)]
pub(super) struct Rule {
    pub node: &'static str,
    pub kind: Kind,
    pub naming: Naming,
}

const fn module(node: &'static str, naming: Naming) -> Rule {
    Rule { node, kind: Kind::Module, naming }
}

const fn class(node: &'static str, naming: Naming) -> Rule {
    Rule { node, kind: Kind::Class, naming }
}

const fn function(node: &'static str, naming: Naming) -> Rule {
    Rule { node, kind: Kind::Function, naming }
}

/// What we know of a language's grammar.
struct Table {
    grammar: LanguageFn,
    rules: &'static [&'static [Rule]],
    /// Nodes around one declaration (`export …`, decorators with what they decorate): it begins where they do.
    wrappers: &'static [&'static str],
    /// Nodes that belong to the declaration directly below them.
    attached: &'static [&'static str],
}

/// What a node is to us.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Role {
    Plain,
    Wrapper,
    Attached,
    /// The rule of this number.
    Scope(u8),
}

/// A grammar that is ready to parse with.
pub(super) struct Grammar {
    pub language: tree_sitter::Language,
    pub rules: Vec<Rule>,
    roles: Vec<Role>,
}

impl Grammar {
    pub fn of(language: Language) -> &'static Grammar {
        static LOADED: [OnceLock<Grammar>; Language::COUNT] = [const { OnceLock::new() }; Language::COUNT];
        LOADED[language as usize].get_or_init(|| Grammar::load(table(language)))
    }

    fn load(table: Table) -> Grammar {
        let language = tree_sitter::Language::new(table.grammar);
        let mut roles = vec![Role::Plain; language.node_kind_count()];
        let rules = table.rules.concat();
        let mut set = |node: &str, role| {
            // Ids of a kind that the grammar lacks are 0, which is the end of the file.
            if let Some(slot @ Role::Plain) = roles.get_mut(language.id_for_node_kind(node, true) as usize) {
                *slot = role;
            }
        };
        for (number, rule) in (0_u8..).zip(&rules) {
            set(rule.node, Role::Scope(number));
        }
        table.wrappers.iter().for_each(|node| set(node, Role::Wrapper));
        table.attached.iter().for_each(|node| set(node, Role::Attached));
        Grammar { language, rules, roles }
    }

    /// What nodes of the kind are; errors are plain.
    pub fn role(&self, kind_id: u16) -> Role {
        self.roles.get(usize::from(kind_id)).copied().unwrap_or(Role::Plain)
    }
}

const NAME: Naming = Naming::Field("name");
const COMMENT: &[&str] = &["comment"];
const COMMENTS: &[&str] = &["line_comment", "block_comment"];

fn table(language: Language) -> Table {
    let (grammar, rules, wrappers, attached): (_, &'static [&'static [Rule]], &'static [_], &'static [_]) =
        match language {
            Language::Rust => {
                (tree_sitter_rust::LANGUAGE, &[RUST], &[], &["line_comment", "block_comment", "attribute_item"])
            }
            Language::Python => (tree_sitter_python::LANGUAGE, &[PYTHON], &["decorated_definition"], COMMENT),
            Language::JavaScript => (
                tree_sitter_javascript::LANGUAGE,
                &[ECMASCRIPT, JAVASCRIPT],
                ECMASCRIPT_WRAPPERS,
                &["comment", "decorator"],
            ),
            Language::TypeScript => (
                tree_sitter_typescript::LANGUAGE_TYPESCRIPT,
                &[ECMASCRIPT, TYPESCRIPT],
                TYPESCRIPT_WRAPPERS,
                &["comment", "decorator"],
            ),
            Language::Tsx => (
                tree_sitter_typescript::LANGUAGE_TSX,
                &[ECMASCRIPT, TYPESCRIPT],
                TYPESCRIPT_WRAPPERS,
                &["comment", "decorator"],
            ),
            Language::Java => (tree_sitter_java::LANGUAGE, &[JAVA], &[], COMMENTS),
            Language::Kotlin => (tree_sitter_kotlin_ng::LANGUAGE, &[KOTLIN], &[], COMMENTS),
            Language::Go => (tree_sitter_go::LANGUAGE, &[GO], &["type_declaration"], COMMENT),
            Language::C => (tree_sitter_c::LANGUAGE, &[C], &["declaration", "field_declaration"], COMMENT),
            Language::Cpp => (
                tree_sitter_cpp::LANGUAGE,
                &[C, CPP],
                &["template_declaration", "declaration", "field_declaration"],
                COMMENT,
            ),
            Language::CSharp => (tree_sitter_c_sharp::LANGUAGE, &[C_SHARP], &[], COMMENT),
            Language::Ruby => (tree_sitter_ruby::LANGUAGE, &[RUBY], &[], COMMENT),
            Language::Php => (tree_sitter_php::LANGUAGE_PHP, &[PHP], &[], COMMENT),
            Language::Scala => (tree_sitter_scala::LANGUAGE, &[SCALA], &[], &["comment", "block_comment"]),
            Language::Swift => (tree_sitter_swift::LANGUAGE, &[SWIFT], &[], &["comment", "multiline_comment"]),
            Language::Shell => (tree_sitter_bash::LANGUAGE, &[SHELL], &[], COMMENT),
            Language::Sql => (tree_sitter_sequel::LANGUAGE, &[SQL], &["statement"], &["comment", "marginalia"]),
        };
    Table { grammar, rules, wrappers, attached }
}

const RUST: &[Rule] = &[
    function("function_item", NAME),
    function("macro_definition", NAME),
    class("struct_item", NAME),
    class("enum_item", NAME),
    class("union_item", NAME),
    class("trait_item", NAME),
    class("impl_item", Naming::Field("type")),
    module("mod_item", Naming::WithBody),
];

const PYTHON: &[Rule] = &[function("function_definition", NAME), class("class_definition", NAME)];

const ECMASCRIPT: &[Rule] = &[
    function("function_declaration", NAME),
    function("generator_function_declaration", NAME),
    function("function_expression", NAME),
    function("generator_function", NAME),
    function("method_definition", NAME),
    function("variable_declarator", Naming::Assigned("name", "value")),
    function("assignment_expression", Naming::Assigned("left", "right")),
    function("pair", Naming::Assigned("key", "value")),
    function("class_static_block", Naming::Fixed("static")),
    class("class_declaration", NAME),
    class("class", NAME),
];
const JAVASCRIPT: &[Rule] = &[function("field_definition", Naming::Assigned("property", "value"))];
const TYPESCRIPT: &[Rule] = &[
    function("public_field_definition", Naming::Assigned("name", "value")),
    class("abstract_class_declaration", NAME),
    class("interface_declaration", NAME),
    class("enum_declaration", NAME),
    module("internal_module", Naming::WithBody),
    module("module", Naming::WithBody),
];
const ECMASCRIPT_WRAPPERS: &[&str] =
    &["export_statement", "lexical_declaration", "variable_declaration", "expression_statement"];
const TYPESCRIPT_WRAPPERS: &[&str] =
    &["export_statement", "lexical_declaration", "variable_declaration", "expression_statement", "ambient_declaration"];

const JAVA: &[Rule] = &[
    function("method_declaration", NAME),
    function("constructor_declaration", NAME),
    function("compact_constructor_declaration", NAME),
    function("static_initializer", Naming::Fixed("static")),
    class("class_declaration", NAME),
    class("interface_declaration", NAME),
    class("enum_declaration", NAME),
    class("record_declaration", NAME),
    class("annotation_type_declaration", NAME),
];

const KOTLIN: &[Rule] = &[
    function("function_declaration", NAME),
    function("secondary_constructor", Naming::Fixed("constructor")),
    function("anonymous_initializer", Naming::Fixed("init")),
    function(
        "property_declaration",
        Naming::Computed("variable_declaration/identifier", &["getter/function_body", "setter/function_body"]),
    ),
    class("class_declaration", NAME),
    class("object_declaration", NAME),
    class("companion_object", Naming::FieldOr("name", "Companion")),
];

const GO: &[Rule] = &[
    function("function_declaration", NAME),
    function("method_declaration", Naming::Receiver),
    class("type_spec", Naming::Typed(&["struct_type", "interface_type"])),
];

const C: &[Rule] = &[
    function("function_definition", Naming::Declarator),
    class("struct_specifier", Naming::WithBody),
    class("union_specifier", Naming::WithBody),
    class("enum_specifier", Naming::WithBody),
    class("type_definition", Naming::Typedef),
];
const CPP: &[Rule] = &[class("class_specifier", Naming::WithBody), module("namespace_definition", Naming::WithBody)];

const C_SHARP: &[Rule] = &[
    function("method_declaration", NAME),
    function("constructor_declaration", NAME),
    function("destructor_declaration", Naming::Prefixed("~", "name")),
    function("operator_declaration", Naming::Prefixed("operator ", "operator")),
    function("conversion_operator_declaration", Naming::Prefixed("operator ", "type")),
    function("local_function_statement", NAME),
    function("indexer_declaration", Naming::Fixed("this[]")),
    function("event_declaration", NAME),
    function(
        "property_declaration",
        Naming::Computed("name", &["arrow_expression_clause", "accessor_list/accessor_declaration/body"]),
    ),
    class("class_declaration", NAME),
    class("struct_declaration", NAME),
    class("interface_declaration", NAME),
    class("enum_declaration", NAME),
    class("record_declaration", NAME),
    module("namespace_declaration", NAME),
];

const RUBY: &[Rule] = &[
    function("method", NAME),
    function("singleton_method", NAME),
    function("call", Naming::Called(&["define_method", "define_singleton_method"])),
    class("class", NAME),
    module("module", NAME),
];

const PHP: &[Rule] = &[
    function("function_definition", NAME),
    function("method_declaration", NAME),
    function(
        "property_declaration",
        Naming::Computed("property_element/name", &["property_hook_list/property_hook/body"]),
    ),
    class("class_declaration", NAME),
    class("interface_declaration", NAME),
    class("trait_declaration", NAME),
    class("enum_declaration", NAME),
    module("namespace_definition", Naming::WithBody),
];

const SCALA: &[Rule] = &[
    function("function_definition", NAME),
    class("class_definition", NAME),
    class("object_definition", NAME),
    class("trait_definition", NAME),
    class("enum_definition", NAME),
    class("given_definition", Naming::FieldOr("name", "given")),
    module("package_clause", Naming::WithBody),
    module("package_object", NAME),
];

const SWIFT: &[Rule] = &[
    function("function_declaration", NAME),
    function("init_declaration", Naming::Fixed("init")),
    function("deinit_declaration", Naming::Fixed("deinit")),
    function("subscript_declaration", Naming::Fixed("subscript")),
    function("property_declaration", Naming::Computed("name", &["computed_property", "willset_didset_block"])),
    class("class_declaration", NAME),
    class("protocol_declaration", NAME),
];

const SHELL: &[Rule] = &[function("function_definition", NAME)];

const SQL: &[Rule] = &[
    function("create_function", Naming::Child("object_reference")),
    function("create_trigger", Naming::Child("object_reference")),
    class("create_table", Naming::Child("object_reference")),
    class("create_view", Naming::Child("object_reference")),
    class("create_materialized_view", Naming::Child("object_reference")),
    class("create_type", Naming::Child("object_reference")),
];

/// What joins a name to that of the scope around it.
pub(super) fn separator(language: Language, around: Kind, inner: Kind) -> &'static str {
    match (language, around, inner) {
        (Language::Rust | Language::C | Language::Cpp, ..) => "::",
        (Language::Ruby, _, Kind::Module | Kind::Class) => "::",
        (Language::Php, Kind::Module, _) => "\\",
        (Language::Php, ..) => "::",
        _ => ".",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_grammar_loads_and_has_the_kinds_of_its_table() {
        for language in Language::ALL {
            let table = table(language);
            let loaded = tree_sitter::Language::new(table.grammar);
            tree_sitter::Parser::new().set_language(&loaded).unwrap();
            let rules = table.rules.concat();
            let nodes = rules.iter().map(|rule| rule.node).chain(table.wrappers.iter().chain(table.attached).copied());
            for node in nodes {
                assert_ne!(loaded.id_for_node_kind(node, true), 0, "{language:?} has no {node}");
            }
            for field in rules.iter().flat_map(|rule| rule.naming.fields()) {
                assert!(loaded.field_id_for_name(field).is_some(), "{language:?} has no field {field}");
            }
            for step in rules.iter().flat_map(|rule| rule.naming.steps()) {
                let is_kind = loaded.id_for_node_kind(step, true) != 0;
                assert!(is_kind || loaded.field_id_for_name(step).is_some(), "{language:?} has no {step}");
            }
        }
    }
}
