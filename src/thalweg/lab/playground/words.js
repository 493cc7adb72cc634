// The arithmetic of a typed rule, in which a tensor is an array. The element-wise words are in WORDS, printed from our own.

// Sums over the elements.
const sum = (x, of) => x.reduce((all, each) => all + of(each), 0);
const SUMS = new Map(Object.entries({
  norm: (x) => Math.sqrt(sum(x, (each) => each * each)), mean: (x) => sum(x, (each) => each) / x.length,
  total: (x) => sum(x, (each) => each), model_total: (x) => sum(x, (each) => each),
}));
const SIGNS = new Map(Object.entries({
  "+": (a, b) => a + b, "-": (a, b) => a - b, "*": (a, b) => a * b, "/": (a, b) => a / b, "**": (a, b) => a ** b,
  "<": (a, b) => a < b, "<=": (a, b) => a <= b, ">": (a, b) => a > b, ">=": (a, b) => a >= b, "==": (a, b) => a === b,
  "!=": (a, b) => a !== b, "&": (a, b) => a && b, "|": (a, b) => a || b,
}));
const COMPARED = ["<", "<=", ">", ">=", "==", "!="];

// The extent of a value: one number, one a tensor, one an element. What a rule may ask for, its extent, and where a step finds it.
const NUMBER = 0, PER_TENSOR = 1, TENSOR = 2;
const ASKED = new Map(Object.entries({
  g: [TENSOR, (p, g) => g], grad: [TENSOR, (p, g) => g], p: [TENSOR, (p) => p], t: [NUMBER, (p, g, asks) => asks.t], loss: [NUMBER, (p, g, asks) => asks.loss],
  gnorm: [NUMBER, (p, g) => SUMS.get("norm")(g)],
}));

// An expression: its level, whether it is a condition, and how it is computed from the values of names.
const isTensor = (x) => typeof x === "object";
const element = (x, i) => (isTensor(x) ? x[i] : x);
function applied(f, args) {
  const level = Math.max(...args.map((arg) => arg.level));
  if (level < TENSOR) return { level, run: (values) => f(...args.map((arg) => arg.run(values))) };
  const run = (values) => {
    const [a, b, c, d, e] = args.map((arg) => arg.run(values)), made = [], { length } = values.get("g");
    for (let i = 0; i < length; i++) made.push(f(element(a, i), element(b, i), element(c, i), element(d, i), element(e, i)));
    return made;
  };
  return { level, run };
}

// The step of a rule that has been read: as the printed ones, it changes memory and parameters in place.
function stepOf({ asks, memory, hyper, lines, results }) {
  return (state, parameters, gradient, numbers, asked) => {
    const values = new Map([["g", gradient], ...asks.map((name) => [name, ASKED.get(name)[1](parameters, gradient, asked)])]);
    for (const name of memory.keys()) values.set(name, state[name]);
    for (const [name, { value }] of hyper) values.set(name, numbers[name] ?? value);
    for (const line of lines) {
      const found = line.map(([name, expression]) => [name, expression.run(values)]);
      for (const [name, value] of found) values.set(name, value);
    }
    const [direction, ...kept] = results.map((each) => each.run(values)).map((x) => (isTensor(x) ? x.slice() : x));
    [...memory.keys()].forEach((name, k) => {
      if (!isTensor(state[name])) state[name] = kept[k];
      else if (isTensor(kept[k])) state[name].set(kept[k]);
      else state[name].fill(kept[k]);
    });
    for (let i = 0; i < parameters.length; i++) parameters[i] -= numbers.lr * element(direction, i);
  };
}
