//! A small file in each language, with the scopes it has. A grammar that fails on its sample fails the test.

use super::language::Language;
use super::walk::scopes;
use super::{Outcome, Scopes};

/// The scopes as lines `kind qualified-name first-last`.
fn told(scopes: &Scopes) -> String {
    let line = |s: &super::Scope| format!("{} {} {}-{}", s.kind.as_str(), s.qualified, s.first, s.last);
    scopes.list.iter().map(line).collect::<Vec<_>>().join("\n")
}

const SAMPLES: &[(Language, &str, &str)] = &[
    (
        Language::Rust,
        include_str!("../../tests/fixtures/scopes/cart.rs"),
        r"
         class Item 4-8
         module shop 13-33
         class shop::Cart 14-15
         class shop::Cart 17-32
         method shop::Cart::add 18-23
         method shop::Cart::all 25-31
         function shop::Cart::all::copy 27-29
         class Item 35-37
         method Item::fmt 36-36
         class Priced 39-45
         method Priced::twice 42-44
         class Currency 47-47
         function item 48-50
        ",
    ),
    (
        Language::Python,
        include_str!("../../tests/fixtures/scopes/cart.py"),
        r"
         class Item 7-29
         method Item.__init__ 15-16
         method Item.dear 18-26
         function Item.dear.check 23-24
         class Item.Meta 28-29
         function buy 32-34
         function main 37-37
        ",
    ),
    (
        Language::JavaScript,
        include_str!("../../tests/fixtures/scopes/cart.js"),
        r"
         class Item 4-23
         method Item.constructor 10-13
         method Item.dear 15-18
         method Item.onClick 20-22
         function add 25-30
         function all 32-34
         function twice 36-36
         function module.exports.checkout 38-43
         function module.exports.checkout.pay 39-41
         function open 46-48
         function close 49-51
         class Basket 54-56
         method Basket.empty 55-55
        ",
    ),
    (
        Language::TypeScript,
        include_str!("../../tests/fixtures/scopes/cart.ts"),
        r"
         class Priced 3-7
         class Currency 9-11
         class Cart 13-29
         method Cart.constructor 15-15
         method Cart.add 17-22
         method Cart.sum 26-28
         module Shop 31-35
         function Shop.open 32-34
         module shop 37-39
         function total 41-41
        ",
    ),
    (
        Language::Tsx,
        include_str!("../../tests/fixtures/scopes/cart.tsx"),
        r"
         function Cart 5-16
         function Cart.toggle 8-8
         function Empty 18-20
         class Legacy 22-26
         method Legacy.render 23-25
        ",
    ),
    (
        Language::Java,
        include_str!("../../tests/fixtures/scopes/Cart.java"),
        r"
         class Cart 5-51
         method Cart.Cart 12-14
         method Cart.add 16-26
         function Cart.add.run 21-24
         class Cart.Priced 28-34
         method Cart.Priced.price 29-29
         method Cart.Priced.twice 31-33
         class Cart.Currency 36-40
         method Cart.Currency.sign 37-37
         method Cart.Currency.sign 39-39
         class Cart.Line 42-46
         method Cart.Line.Line 43-45
         class Cart.Audited 48-50
        ",
    ),
    (
        Language::Kotlin,
        include_str!("../../tests/fixtures/scopes/Cart.kt"),
        r"
         class Item 5-8
         class Cart 10-34
         method Cart.constructor 13-15
         method Cart.add 17-25
         function Cart.add.check 21-23
         method Cart.iterator 27-27
         class Cart.Companion 29-33
         method Cart.Companion.empty 32-32
         class Priced 36-39
         method Priced.twice 38-38
         class Currency 41-45
         method Currency.show 44-44
         class Shop 47-50
         method Shop.open 48-49
         function total 52-54
        ",
    ),
    (
        Language::Go,
        include_str!("../../tests/fixtures/scopes/cart.go"),
        r"
         class Item 6-9
         class Priced 11-15
         class Cart 20-21
         method Cart.Add 23-30
         method Item.Cost 32-32
         function New 34-40
         class New.local 35-37
        ",
    ),
    (
        Language::C,
        include_str!("../../tests/fixtures/scopes/cart.c"),
        r"
         class item 3-10
         class cart 12-16
         class currency 18-18
         function total 22-31
         function first 33-33
         function handler 35-38
         function dump 41-43
        ",
    ),
    (
        Language::Cpp,
        include_str!("../../tests/fixtures/scopes/cart.cpp"),
        r"
         module shop 3-47
         class shop::Item 5-19
         method shop::Item::Item 8-8
         method shop::Item::~Item 9-9
         method shop::Item::operator== 11-13
         method shop::Item::operator bool 15-15
         class shop::Cart 21-32
         method shop::Cart::each 28-31
         method shop::Cart::first 34-39
         class shop::Currency 41-41
         function shop::hidden 44-44
         module shop::tax 49-51
         function shop::tax::rate 50-50
         method shop::operator<< 55-56
         function main 59-61
        ",
    ),
    (
        Language::CSharp,
        include_str!("../../tests/fixtures/scopes/Cart.cs"),
        r"
         module Example.Shop 4-54
         class Example.Shop.Cart 6-39
         method Example.Shop.Cart.Cart 14-17
         method Example.Shop.Cart.~Cart 19-19
         method Example.Shop.Cart.Count 21-21
         method Example.Shop.Cart.Add 23-34
         function Example.Shop.Cart.Add.Check 30-33
         method Example.Shop.Cart.operator + 36-36
         method Example.Shop.Cart.operator int 38-38
         class Example.Shop.IPriced 41-44
         method Example.Shop.IPriced.Price 43-43
         class Example.Shop.Line 46-49
         class Example.Shop.Currency 51-51
         class Example.Shop.Money 53-53
        ",
    ),
    (
        Language::Ruby,
        include_str!("../../tests/fixtures/scopes/cart.rb"),
        r"
         module Shop 5-42
         class Shop::Cart 6-39
         method Shop::Cart.initialize 12-14
         method Shop::Cart.<< 16-24
         method Shop::Cart.empty 26-28
         method Shop::Cart.full? 31-33
         method Shop::Cart.total 38-38
         class Shop::Shop::Error 41-41
         function main 44-49
        ",
    ),
    (
        Language::Php,
        include_str!("../../tests/fixtures/scopes/cart.php"),
        r"
         module Example\Shop 5-55
         class Example\Shop\Cart 9-31
         method Example\Shop\Cart::__construct 17-17
         method Example\Shop\Cart::add 19-28
         method Example\Shop\Cart::count 30-30
         class Example\Shop\Priced 33-36
         method Example\Shop\Priced::price 35-35
         class Example\Shop\Loggable 38-44
         method Example\Shop\Loggable::log 40-43
         class Example\Shop\Currency 46-49
         function Example\Shop\total 51-54
        ",
    ),
    (
        Language::Scala,
        include_str!("../../tests/fixtures/scopes/Cart.scala"),
        r"
         class Item 5-6
         class Cart 8-21
         method Cart.add 13-18
         function Cart.add.check 16-16
         method Cart.iterator 20-20
         class Cart 23-25
         method Cart.empty 24-24
         class Priced 27-30
         method Priced.twice 29-29
         class Currency 32-38
         method Currency.sign 35-38
         function dear 41-42
         class order 44-45
         method order.compare 45-45
         module tax 47-51
         class tax.Rates 48-50
         method tax.Rates.rate 49-49
         function run 53-54
         class Last 56-62
         method Last.one 58-59
         method Last.two 61-62
        ",
    ),
    (
        Language::Swift,
        include_str!("../../tests/fixtures/scopes/Cart.swift"),
        r"
         class Item 3-6
         class Cart 8-35
         method Cart.init 13-15
         method Cart.deinit 17-19
         method Cart.add 21-30
         function Cart.add.check 26-28
         method Cart.subscript 32-34
         class Item 37-43
         method Item.dear 38-38
         method Item.== 40-42
         class Priced 45-47
         class Currency 49-53
         method Currency.sign 52-52
         class Shop 55-57
         method Shop.open 56-56
         function total 59-61
        ",
    ),
    (
        Language::Shell,
        include_str!("../../tests/fixtures/scopes/cart.sh"),
        r"
         function add 7-13
         function total 15-21
         function checkout 23-30
         function checkout.pay 24-24
        ",
    ),
    (
        Language::Sql,
        include_str!("../../tests/fixtures/scopes/cart.sql"),
        r"
         class shop.item 1-5
         class dear 9-13
         class currency 15-15
         function shop.total 17-21
         function item_log 23-25
        ",
    ),
];

/// The sample of a language.
pub(super) fn sample(language: Language) -> &'static str {
    SAMPLES.iter().find(|sample| sample.0 == language).expect("a sample of each").1
}

#[test]
fn samples_have_their_scopes() {
    let mut wrong = Vec::new();
    for language in Language::ALL {
        let (_, source, expected) = SAMPLES.iter().find(|sample| sample.0 == language).expect("a sample of each");
        let Outcome::Found(found) = scopes(language, source.as_bytes()) else { panic!("{language:?}: not parsed") };
        let expected = expected.lines().map(str::trim).filter(|line| !line.is_empty()).collect::<Vec<_>>().join("\n");
        if found.errors || told(&found) != expected {
            wrong.push(format!("{language:?} (errors: {}):\n{}\n", found.errors, told(&found)));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// Code without a declaration of its own kind: what computes properties, sets things up, or is a function by its value.
const COMPUTED: &[(Language, &str, &str)] = &[
    (
        Language::Swift,
        "struct App {\n  var body: Int {\n    let x = 1\n    return x\n  }\n  var a: Int {\n    get { 1 }\n    set { }\n  }\n  \
         var b = 1 {\n    didSet { }\n  }\n  let c: Int\n  var d = 2\n}\n",
        "class App 1-15|method App.body 2-5|method App.a 6-9|method App.b 10-12",
    ),
    (
        Language::CSharp,
        "class K {\n  public int P {\n    get { return 1; }\n    set { x = value; }\n  }\n  int Q { get; set; }\n  int R => 1;\n  \
         int S {\n    get;\n    private set;\n  } = 4;\n  public int this[int i] {\n    get => i;\n  }\n  event H E {\n    \
         add { }\n    remove { }\n  }\n  static K() {\n  }\n}\nrecord struct T(int A) {\n  int B { get => 1; }\n}\n",
        "class K 1-21|method K.P 2-5|method K.R 7-7|method K.this[] 12-14|method K.E 15-18|method K.K 19-20|class T 22-24|\
         method T.B 23-23",
    ),
    (
        Language::Kotlin,
        "class K {\n  val p: Int\n    get() {\n      return 1\n    }\n  var q = 1\n    set(value) {\n      field = value\n    }\n  \
         val r = fun(): Int { return 1 }\n  var s = 1\n    private set\n  init {\n    p\n  }\n}\n",
        "class K 1-16|method K.p 2-5|method K.q 6-9|method K.init 13-15",
    ),
    (
        Language::Php,
        "<?php\nclass K {\n  public int $p {\n    get => 1;\n    set { $this->x = $value; }\n  }\n  public int $q = 1;\n}\n\
         $f = function () { return 1; };\n",
        "class K 2-8|method K::$p 3-6",
    ),
    (
        Language::Ruby,
        "class K\n  define_method(:a) do |x|\n    x\n  end\n  define_method(\"b\") { 1 }\n  define_method(:c, d)\n  \
         e(:f) { 1 }\n  def self.g\n  end\nend\n",
        "class K 1-10|method K.a 2-4|method K.b 5-5|method K.g 8-9",
    ),
    (
        Language::Java,
        "class K {\n  static {\n    a();\n  }\n  Runnable r = () -> {\n  };\n  record P(int x) {\n    P {\n    }\n  }\n}\n",
        "class K 1-11|method K.static 2-4|class K.P 7-10|method K.P.P 8-9",
    ),
    (
        Language::JavaScript,
        "class K {\n  static {\n    a();\n  }\n  get b() {\n    return 1;\n  }\n  #c = () => {\n  };\n}\n",
        "class K 1-10|method K.static 2-4|method K.b 5-7|method K.#c 8-9",
    ),
    (
        Language::Scala,
        "object K {\n  val f = (x: Int) => {\n    x\n  }\n  val g = 1\n  given Ordering[K] with {\n    def compare(a: K, b: K) = 0\n  }\n}\n",
        "class K 1-9|class K.given 6-8|method K.given.compare 7-7",
    ),
    (
        Language::Cpp,
        "template <typename T>\nstruct K {\n  K();\n  bool operator<(const K& o) const {\n    return true;\n  }\n};\n\
         template <typename T>\nK<T>::K() {\n  auto f = [] { return 1; };\n}\n",
        "class K 1-7|method K::operator< 4-6|method K::K 8-11",
    ),
    (
        Language::Rust,
        "macro_rules! m {\n  () => {};\n}\nimpl<T> Tr for K<T> {\n  fn a(&self) {\n    let f = |x| {\n      x\n    };\n  }\n}\n",
        "function m 1-3|class K 4-10|method K::a 5-9",
    ),
    (
        Language::Python,
        "class K:\n    @property\n    @cached\n    async def a(self):\n        def b():\n            pass\n\n    c = lambda: 1\n",
        "class K 1-8|method K.a 2-6|function K.a.b 5-6",
    ),
    (
        Language::Shell,
        "function a {\n  b\n}\nc() (\n  d\n)\nfunction e() {\n  f\n}\n",
        "function a 1-3|function c 4-6|function e 7-9",
    ),
    (Language::Go, "package k\n\nfunc (s *S[T]) A() {\n\tf := func() {\n\t}\n}\n", "method S.A 3-6"),
];

#[test]
fn what_computes_has_a_scope_and_what_is_anonymous_has_none() {
    let mut wrong = Vec::new();
    for (language, source, expected) in COMPUTED {
        let Outcome::Found(found) = scopes(*language, source.as_bytes()) else { panic!("{language:?}: not parsed") };
        let told = told(&found).replace('\n', "|");
        if found.errors || told != *expected {
            wrong.push(format!("{language:?} (errors: {}): {told}", found.errors));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
