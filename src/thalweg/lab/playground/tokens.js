// Typed Python as logical lines of tokens, each with its place.
class Wrong extends Error {
  constructor(message, at) {
    super(`line ${at.line}, column ${at.column}: ${message}`);
    this.at = at;
  }
}

const TOKEN = new RegExp([
  "([ \\t\\f]+|#[^\\n]*|\\\\\\r?\\n)", "(\\r?\\n)", `("""[^]*?"""|'''[^]*?'''|"(?:[^"\\\\\\n]|\\\\.)*"|'(?:[^'\\\\\\n]|\\\\.)*')`,
  "((?:\\d+\\.?\\d*|\\.\\d+)(?:[eE][-+]?\\d+)?)", "([\\p{L}_][\\p{L}\\p{N}_]*)", "(\\*\\*=?|//=?|->|[-+*/<>=!]=|[-+*/<>=(),:&|^~@%.\\[\\]{}])",
].join("|"), "uy");
const KINDS = ["", "", "newline", "string", "number", "name", "sign"];
const PAIRS = { ")": "(", "]": "[", "}": "{" };

// [{ indent, tokens: [{ kind, text, line, column, from }] }], without empty lines; a line in brackets goes on to the next.
function logicalLines(text) {
  const lines = [], open = [];
  let line = 1, begun = 0, tokens = [], indent = "";
  for (let from = 0; from < text.length;) {
    TOKEN.lastIndex = from;
    const found = TOKEN.exec(text), at = { line, column: from - begun + 1, from };
    if (!found) throw new Wrong(unreadable(String.fromCodePoint(text.codePointAt(from))), at);
    const kind = KINDS[found.findIndex((part, k) => k && part !== undefined)], all = found[0];
    from += all.length;
    if (kind === "newline") {
      if (tokens.length && !open.length) tokens = void lines.push({ indent, tokens }) ?? [];
    } else if (kind) {
      if (!tokens.length) indent = text.slice(begun, at.from);
      tokens.push({ kind, text: all, ...at });
      const after = kind === "number" && /[\p{L}_]/u.test(text[from] ?? "") ? text[from] : "";
      if (after || (kind === "number" && /^0+[1-9]\d*$/.test(all))) throw new Wrong(`${all}${after} is no number`, at);
      if ("([{".includes(all)) open.push(tokens.at(-1));
      if (Object.hasOwn(PAIRS, all) && open.pop()?.text !== PAIRS[all]) throw new Wrong(`nothing is open that this ${all} closes`, at);
    }
    const ends = all.split("\n").length - 1;
    line += ends;
    if (ends) begun = from - (all.length - all.lastIndexOf("\n") - 1);
  }
  if (open.length) throw new Wrong(`this ${open.at(-1).text} is never closed`, open.at(-1));
  return tokens.length ? [...lines, { indent, tokens }] : lines;
}

const unreadable = (character) =>
  "\"'".includes(character) ? "this text is never closed" : `a rule has no place for ${JSON.stringify(character)}`;

const LONGEST = 500;

// The tokens of one line, read from left to right.
class Reader {
  constructor(tokens) {
    if (tokens.length > LONGEST) throw new Wrong(`a line of a rule has at most ${LONGEST} names, numbers and signs`, tokens[LONGEST]);
    const last = tokens.at(-1);
    [this.tokens, this.k] = [tokens, 0];
    this.end = { kind: "end", text: "the end of the line", line: last.line, column: last.column + last.text.length, from: last.from + last.text.length };
  }
  get next() { return this.tokens[this.k] ?? this.end; }
  take(...texts) {
    const { kind, text } = this.next;
    return kind !== "string" && texts.includes(text) ? this.tokens[this.k++] : null;
  }
  takeKind(kind) { return this.next.kind === kind ? this.tokens[this.k++] : null; }
  need(text, where) { return this.take(text) ?? this.fail(`a ${text} is missing ${where}`); }
  fail(message, at = this.next) { throw new Wrong(message, at); }
}
