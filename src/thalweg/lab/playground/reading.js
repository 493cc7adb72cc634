// A typed rule: read, checked, and made a step. Nothing that is typed is run as JavaScript.
const EXPECTED = new Map(Object.entries({
  if: "no `a if condition else b` here; write where(condition, a, b)", not: "no `not` here; turn the comparison round",
  and: "no `and` here; write (a > 0) & (b > 0)", or: "no `or` here; write (a > 0) | (b > 0)", lambda: "no functions in a rule",
  "//": "no // here; write floor(a / b)", "%": "no % here; write a - b * floor(a / b)", "@": "no products of matrices in a page",
  "^": "a power is **, not ^", "+": "no + in front of a value; leave it out", ".": "no dots here: words stand alone, as sqrt(v)", "[": "no indexing: a rule speaks of whole tensors",
  True: "no True or False here", False: "no True or False here", None: "no None here", "=": "to compare, write ==",
}));
const STATEMENTS = new Map(Object.entries({
  if: "no `if` here; write where(condition, a, b)", for: "no loops in a rule", while: "no loops in a rule", def: "one function is the rule",
  import: "imports stand above the rule", from: "imports stand above the rule", raise: "nothing is raised in a rule", pass: "a rule returns something",
}));
const KEYWORDS = new Set(("False None True and as assert async await break class continue def del elif else except finally for from global if "
  + "import in is lambda nonlocal not or pass raise return try while with yield").split(" "));
const shownAs = (token) => (token.kind === "end" ? "the line ends here" : `${token.text.slice(0, 20)} is not expected here`);
const unexpected = (reader) => reader.fail(EXPECTED.get(reader.next.text) ?? shownAs(reader.next));

// Expressions: `known` maps a name to its level and to whether it is a condition, or an epsilon with its place.
function number(expression, at) {
  if (expression.condition) throw new Wrong("this is a condition, not a number; it belongs in where(condition, a, b)", at);
  if (expression.epsilon) throw new Wrong("an epsilon in its place, as in outside(1e-8), is for over_root; as a number write eps=1e-8", at);
  return expression;
}

function condition(expression, at) {
  if (!expression.condition) throw new Wrong("a condition is wanted here, as in where(g > 0, a, b)", at);
  return expression;
}

function joined(reader, known, signs, part, checked, made = {}) {
  let at = reader.next, left = part(reader, known);
  for (let sign; (sign = reader.take(...signs)); at = reader.next) {
    const second = reader.next, right = part(reader, known);
    left = { ...applied(SIGNS.get(sign.text), [checked(left, at), checked(right, second)]), ...made };
  }
  return left;
}

const either = (reader, known) => joined(reader, known, ["|"], both, condition, { condition: true });
const both = (reader, known) => joined(reader, known, ["&"], sums, condition, { condition: true });
const sums = (reader, known) => joined(reader, known, ["+", "-"], products, number);
const products = (reader, known) => joined(reader, known, ["*", "/"], signed, number);

function expression(reader, known) {
  const at = reader.next, left = either(reader, known), sign = reader.take(...COMPARED);
  if (!sign) return left;
  const second = reader.next, right = either(reader, known);
  if (COMPARED.includes(reader.next.text)) reader.fail("one comparison at a time: (a < b) & (b < c)");
  return { ...applied(SIGNS.get(sign.text), [number(left, at), number(right, second)]), condition: true };
}

function signed(reader, known) {
  if (!reader.take("-")) return power(reader, known);
  const at = reader.next;
  return applied((x) => -x, [number(signed(reader, known), at)]);
}

function power(reader, known) {
  const at = reader.next, base = primary(reader, known);
  if (!reader.take("**")) return base;
  const second = reader.next;
  return applied(SIGNS.get("**"), [number(base, at), number(signed(reader, known), second)]);
}

function primary(reader, known) {
  const found = reader.takeKind("number");
  if (found) return { level: NUMBER, run: () => Number(found.text) };
  if (reader.take("(")) {
    const inner = expression(reader, known);
    if (reader.next.text === ",") reader.fail("no brackets around several values: return direction, m");
    if (!reader.take(")")) unexpected(reader);
    return inner;
  }
  if (reader.next.kind !== "name" || KEYWORDS.has(reader.next.text)) unexpected(reader);
  const name = reader.takeKind("name");
  if (reader.next.text === "." || reader.next.text === "[") unexpected(reader);
  if (reader.next.text === "(") return called(reader, known, name);
  if (!known.has(name.text)) {
    const said = WORDS.has(name.text) || SUMS.has(name.text) ? `${name.text} is a word: ${name.text}(...)` : `${name.text} has no value here`;
    reader.fail(said + meant(name.text, [...known.keys()]), name);
  }
  return { ...known.get(name.text), run: (values) => values.get(name.text) };
}

function called(reader, known, name) {
  const words = [...WORDS.keys(), ...SUMS.keys()];
  if (known.has(name.text)) reader.fail(`${name.text} is a value here, not a word`, name);
  if (!words.includes(name.text)) reader.fail(`a page has no word ${name.text}${meant(name.text, words) || `; it has ${words.sort().join(", ")}`}`, name);
  known.called.add(name.text);
  const args = [], places = [];
  reader.need("(", "here");
  while (!reader.take(")")) {
    places.push(reader.next);
    if (reader.next.kind === "name" && reader.tokens[reader.k + 1]?.text === "=") reader.fail("arguments stand without their names here");
    args.push(expression(reader, known));
    if (!reader.take(",") && reader.next.text !== ")") unexpected(reader);
  }
  const takes = WORDS.get(name.text)?.[0] ?? 1;
  if (args.length !== takes) reader.fail(`${name.text} takes ${takes} argument${takes > 1 ? "s" : ""}, not ${args.length}`, name);
  args.forEach((arg, k) => {
    if (name.text === "where" && k === 0) condition(arg, places[k]);
    else if (!arg.epsilon || !name.text.startsWith("over_") || k < takes - 1) number(arg, places[k]);
  });
  return SUMS.has(name.text) ? summed(name, args[0]) : worded(name, args);
}

function summed(name, arg) {
  if (arg.level < TENSOR) throw new Wrong(`${name.text} adds up the elements of a tensor, and this is one number`, name);
  return { level: name.text === "model_total" ? NUMBER : PER_TENSOR, run: (values) => SUMS.get(name.text)(arg.run(values)) };
}

function worded(name, args) {
  if (name.text === "where" && args[0].level > NUMBER && args[1].level === NUMBER && args[2].level === NUMBER) {
    throw new Wrong("this chooses between numbers for a tensor; give it two tensors, as in where(g > 0, 2 * g, g)", name);
  }
  const [, run, isCondition] = WORDS.get(name.text);
  return { ...applied(run, args), condition: isCondition };
}

// The known word that differs in the fewest letters, if those are few.
function meant(word, known) {
  const far = (a, b) => {
    let row = [...Array(b.length + 1).keys()];
    for (let i = 1; i <= a.length; i++) row = row.reduce((made, above, j) => [...made, j ? Math.min(above + 1, made[j - 1] + 1, row[j - 1] + (a[i - 1] !== b[j - 1])) : i], []);
    return row[b.length];
  };
  const near = known.map((each) => [far(word, each), each]).sort((a, b) => a[0] - b[0])[0];
  return near && near[0] <= Math.max(1, word.length / 3) && near[0] < word.length ? `; did you mean ${near[1]}?` : "";
}
