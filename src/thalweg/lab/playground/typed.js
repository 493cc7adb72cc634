// The box in which a rule is typed: what is read there walks beside the others.
const typed = new Map();

function taken(name) { return known(name) && !typed.has(name); }

// Let the rule of this text be known; returns its name. Throws Wrong, with the place, where it cannot be read.
function learn(text) {
  const { name, step, facts } = readRule(text, taken);
  if (!known(name)) $("add").append(option(name));
  [DATA.rules[name], STEPS[name]] = [facts, step];
  typed.set(name, text);
  return name;
}

function tellOfTyped(message, isWrong) {
  $("told").textContent = message;
  $("told").className = isWrong ? "wrong" : "";
  $("typed").setAttribute("aria-invalid", String(isWrong));
}

function runTyped() {
  let name;
  try {
    name = learn($("typed").value);
  } catch (wrong) {
    if (!(wrong instanceof Wrong)) throw wrong;
    tellOfTyped(wrong.message, true);
    $("typed").focus();
    $("typed").setSelectionRange(wrong.at.from, wrong.at.from + 1);
    return;
  }
  chosen = chosen.filter((one) => one.name !== name);
  const full = chosen.length >= LOOKS.length;
  choose(name);
  list();
  changed();
  walkFirst();
  tellOfTyped(full ? `${name} is read. Remove an optimizer, then add it.` : `${name} walks, at the best rate of the sweep.`, false);
}

$("asks").textContent = [...ASKED.keys()].join(", ");
$("has").textContent = [...WORDS.keys(), ...SUMS.keys()].sort().join(", ");
$("run").addEventListener("click", runTyped);
$("typed").addEventListener("keydown", (event) => { if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) runTyped(); });
