// Kinds of numbers: which values they have, in words and as a function, and whether a slider goes towards 1.
const KINDS_OF_NUMBERS = new Map(Object.entries({
  Decay: ["from 0 to below 1", (x) => x >= 0 && x < 1, true], Fraction: ["from 0 to 1", (x) => x >= 0 && x <= 1, true],
  Share: ["between 0 and 1", (x) => x > 0 && x < 1, true], Positive: ["above 0", (x) => x > 0, false],
  Eps: ["above 0", (x) => x > 0, false], NonNegative: ["from 0 on", (x) => x >= 0, false],
}));

// The lines of a typed rule: imports, @rule(lr=...), the signature, assignments, return.
function readRule(text, taken = () => false) {
  const lines = logicalLines(text), rule = { asks: [], memory: new Map(), hyper: new Map(), lines: [], results: null, lr: 0.01 };
  let k = 0;
  for (; k < lines.length && ["import", "from", "@"].includes(lines[k].tokens[0].text); k++) {
    if (lines[k].tokens[0].text === "@") decorator(new Reader(lines[k].tokens), rule);
  }
  if (k === lines.length) throw new Wrong("no rule yet; one begins with def mine(g):", lines.at(-1)?.tokens[0] ?? { line: 1, column: 1, from: 0 });
  const known = Object.assign(new Map(), { called: new Set() }), reader = new Reader(lines[k].tokens);
  if (lines[k].indent) reader.fail("a rule begins at the left margin");
  signature(reader, rule, known, taken);
  const short = reader.next.kind !== "end", body = short ? [] : lines.slice(k + 1);
  if (short) statement(reader, rule, known);
  for (const { indent, tokens } of body) {
    const each = new Reader(tokens);
    if (!indent) each.fail(rule.results ? "the rule has ended; type one rule at a time" : "the lines of a rule are indented");
    if (indent !== body[0].indent) each.fail("this line is not indented as the first one is");
    if (rule.results) each.fail("nothing is computed after return");
    if (tokens !== body[0].tokens || tokens[0].kind !== "string" || tokens.length > 1) statement(each, rule, known);
  }
  if (!rule.results) reader.fail(`a rule ends with return${[...rule.memory.keys()].reduce((all, name) => `${all}, ${name}`, " direction")}`, lines.at(-1).tokens[0]);
  return facts(rule, text);
}

function facts(rule, text) {
  const sliders = { lr: { value: rule.lr, share: false } }, starts = {};
  for (const [name, { value, share, whole }] of rule.hyper) if (!whole) sliders[name] = { value, share };
  for (const [name, { level, value }] of rule.memory) starts[name] = [level === TENSOR, value];
  return { name: rule.name, step: stepOf(rule), facts: { starts, sliders, formula: text.trim() } };
}

function decorator(reader, rule) {
  reader.need("@", "here");
  const names = [reader.takeKind("name")];
  while (reader.take(".")) names.push(reader.takeKind("name"));
  if (names.at(-1)?.text !== "rule") reader.fail("only @rule here; what joins stages is for `thalweg playground --my-rule`", names.at(-1) ?? reader.next);
  if (!reader.take("(")) return;
  while (!reader.take(")")) {
    const name = reader.takeKind("name");
    if (!name || !["lr", "search"].includes(name.text)) reader.fail("@rule has lr and search here", name ?? reader.next);
    reader.need("=", "after the name");
    if (name.text === "lr") rule.lr = positive(reader);
    else range(reader);
    if (!reader.take(",") && reader.next.text !== ")") unexpected(reader);
  }
}

function positive(reader) {
  const at = reader.next, value = plain(reader);
  return value > 0 ? value : reader.fail("a learning rate is above 0", at);
}

function range(reader) {
  const at = reader.need("(", "before the range"), low = plain(reader);
  reader.need(",", "between the ends of the range");
  const high = plain(reader);
  reader.need(")", "after the range");
  if (!(low > 0 && low < high)) reader.fail("a range of positive rates is wanted here, as in search=(1e-4, 1.0)", at);
}

function plain(reader) {
  const minus = reader.take("-"), found = reader.takeKind("number");
  if (!found) reader.fail("a number is wanted here, such as 0.9");
  return (minus ? -1 : 1) * Number(found.text);
}

function signature(reader, rule, known, taken) {
  if (!reader.take("def")) reader.fail("a rule begins with def, as in def mine(g):");
  const name = named(reader, known);
  rule.name = name.text;
  if (taken(name.text)) reader.fail(`there is an optimizer called ${name.text} already; give yours another name`, name);
  reader.need("(", "after the rule's name");
  let star = false;
  while (!reader.take(")")) {
    if (reader.take("*")) star = star ? reader.fail("a second *") : true;
    else parameter(reader, rule, known, star);
    if (!reader.take(",") && reader.next.text !== ")") unexpected(reader);
  }
  if (!rule.asks.includes("g")) reader.fail("a rule asks for the gradient: def mine(g, ...)", name);
  if (reader.take("->")) while (reader.next.text !== ":" && reader.next.kind !== "end") reader.k += 1;
  reader.need(":", "at the end of the line");
}

function named(reader, known) {
  const name = reader.takeKind("name") ?? reader.fail("a name is wanted here");
  if (KEYWORDS.has(name.text)) reader.fail(`${name.text} is a word of Python's`, name);
  if (name.text.startsWith("_")) reader.fail("a name begins with a letter here", name);
  if (known.has(name.text)) reader.fail(`there are two of the name ${name.text}`, name);
  return name;
}

function parameter(reader, rule, known, star) {
  const name = named(reader, known), kind = [];
  if (reader.take(":")) {
    for (let depth = 0; reader.next.kind !== "end" && (depth || !["=", ",", ")"].includes(reader.next.text)); reader.k += 1) {
      depth += "([{".includes(reader.next.text) - ")]}".includes(reader.next.text);
      kind.push(reader.next.text);
    }
    if (!kind.length) reader.fail("after : stands what kind of value it is, as in beta: Decay = 0.9");
  }
  const given = reader.take("=");
  if (star) hyperParameter(reader, rule, name, kind, given);
  else if (given) memorySlot(reader, rule, name);
  else if (ASKED.has(name.text)) rule.asks.push(name.text);
  else if (name.text === "lr") reader.fail("the learning rate multiplies what a rule returns; the rule does not ask for it", name);
  else reader.fail(`a page has no ${name.text} to give: it has ${[...ASKED.keys()].join(", ")}; memory has a first value, as in m=0.0`, name);
  const level = star ? NUMBER : given ? rule.memory.get(name.text).level : ASKED.get(name.text)[0];
  known.set(name.text, { level, epsilon: rule.hyper.get(name.text)?.epsilon });
}

function hyperParameter(reader, rule, name, kind, given) {
  if (!given) reader.fail(`${name.text} needs a value, as in ${name.text}=0.9`);
  if (name.text === "lr") reader.fail("the learning rate multiplies what a rule returns; it is no number of the rule's", name);
  const outside = reader.take("outside");
  if (outside) reader.need("(", "after outside");
  const at = reader.next, whole = at.kind === "number" && /^\d+$/.test(at.text), value = plain(reader);
  if (outside) reader.need(")", "after the number");
  const [range, holds, towardsOne] = KINDS_OF_NUMBERS.get(kind.at(-1)) ?? ["", () => true, false];
  if (!holds(value)) reader.fail(`${name.text} is ${kind.at(-1)}: a number ${range}`, at);
  const share = kind.length ? towardsOne : value >= 0.5 && value < 1;
  rule.hyper.set(name.text, { value, share, whole, epsilon: Boolean(outside) });
}

function memorySlot(reader, rule, name) {
  if (ASKED.has(name.text)) reader.fail(`${name.text} is asked for, so it has no first value; memory has another name`, name);
  if (reader.take("like_p")) return rule.memory.set(name.text, { level: TENSOR, value: null });
  const one = reader.take("per_tensor", "per_model");
  if (!one && reader.next.kind === "name") reader.fail(`a page has no memory ${reader.next.text}: it has numbers such as 0.0, like_p, per_tensor(0.0) and per_model(0.0)`);
  if (!one) return rule.memory.set(name.text, { level: TENSOR, value: plain(reader) });
  const value = reader.take("(") ? plain(reader) : 0;
  if (reader.tokens[reader.k - 1].kind === "number") reader.need(")", "after the number");
  return rule.memory.set(name.text, { level: one.text === "per_model" ? NUMBER : PER_TENSOR, value });
}

function statement(reader, rule, known) {
  if (STATEMENTS.has(reader.next.text)) reader.fail(STATEMENTS.get(reader.next.text));
  if (reader.take("return")) {
    rule.results = returned(reader, rule, known);
    return;
  }
  const names = [target(reader, known)];
  while (reader.take(",")) names.push(target(reader, known));
  const sign = reader.take("=", ...(names.length > 1 ? [] : ["+=", "-=", "*=", "/="])) ?? reader.fail(LINE), values = [];
  for (const name of names) {
    if (values.length && !reader.take(",")) reader.fail(`${names.length} names, and ${values.length} value${values.length > 1 ? "s" : ""}`);
    const at = reader.next, value = expression(reader, known);
    values.push(sign.text === "=" ? value : updated(reader, known, sign, name, number(value, at)));
  }
  if (reader.next.kind !== "end") unexpected(reader);
  const word = names.find(({ text }) => known.called.has(text));
  if (word) reader.fail(`${word.text} is a word of this rule; give the value another name`, word);
  names.forEach(({ text }, k) => known.set(text, { level: values[k].level, condition: values[k].condition, epsilon: values[k].epsilon }));
  rule.lines.push(names.map(({ text }, k) => [text, values[k]]));
}

const LINE = "a line of a rule is `name = ...` or `return ...`";
function target(reader, known) {
  const name = reader.takeKind("name") ?? reader.fail(LINE);
  if (KEYWORDS.has(name.text)) reader.fail(LINE, name);
  return name;
}

// The value of `name += value` and its like.
function updated(reader, known, sign, name, value) {
  if (!known.has(name.text)) reader.fail(`${name.text} has no value yet`, name);
  const before = { ...known.get(name.text), run: (values) => values.get(name.text) };
  return applied(SIGNS.get(sign.text[0]), [number(before, name), value]);
}

function returned(reader, rule, known) {
  const begun = reader.next, results = [], slots = [...rule.memory];
  do {
    const at = reader.next, found = expression(reader, known), slot = slots[results.length - 1];
    if (![",", reader.end.text].includes(reader.next.text)) unexpected(reader);
    const value = number(found, at);
    if (slot && value.level > slot[1].level) reader.fail(`the memory ${slot[0]} is one number, and this is one ${value.level === TENSOR ? "an element" : "a tensor"}`, at);
    results.push(value);
  } while (reader.take(","));
  const wanted = ["the direction", ...slots.map(([name]) => name)].join(", ") + (slots.length ? "" : " alone");
  if (results.length !== slots.length + 1) reader.fail(`${rule.name} returns ${results.length} value${results.length > 1 ? "s" : ""}; wanted ${wanted}`, begun);
  return results;
}
