// What the address says, or else the usual optimizers.
start = [...ground().start];
try {
  const said = JSON.parse(decodeURIComponent(location.hash.slice(1)));
  if (Object.hasOwn(DATA.surfaces, said.surface)) [surface, start] = [said.surface, [...DATA.surfaces[said.surface].start]];
  if (said.start?.length === ground().start.length && said.start.every(Number.isFinite)) start = said.start;
  $("noise").value = +said.noise || 0;
  $("factor").value = +said.factor || 0;
  for (const text of said.typed ?? []) {
    try { learn(String(text)); $("typed").value = text; } catch { /* it was not ours */ }
  }
  for (const [name, hyper] of said.rules) choose(name, hyper);
} catch { /* no state, or none of ours */ }
if (!chosen.length) DATA.first.forEach((name) => choose(name));
$("surface").value = surface;
tell();
list();
changed();
walkFirst();
