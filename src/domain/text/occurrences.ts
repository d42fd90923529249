/**
 * The first `most` places at which a text holds another that is not empty, overlapping ones too. Knuth, Morris and
 * Pratt's way, since it costs the sum of both lengths: the engine's own `indexOf` can be made to cost their product.
 */
export function occurrences(text: string, wanted: string, most: number): number[] {
  const places: number[] = [];
  if (wanted === '' || wanted.length > text.length) return places;
  const borders = bordersOf(wanted);
  let held = 0;
  for (let at = 0; at < text.length && places.length < most; at += 1) {
    const letter = text.charCodeAt(at);
    while (held > 0 && (held === wanted.length || wanted.charCodeAt(held) !== letter))
      held = borders[held - 1] ?? 0;
    if (wanted.charCodeAt(held) === letter) held += 1;
    if (held === wanted.length) places.push(at - held + 1);
  }
  return places;
}

/** For each prefix the length of the longest shorter one that it ends in. */
function bordersOf(wanted: string): Int32Array {
  const borders = new Int32Array(wanted.length);
  let held = 0;
  for (let at = 1; at < wanted.length; at += 1) {
    const letter = wanted.charCodeAt(at);
    while (held > 0 && wanted.charCodeAt(held) !== letter) held = borders[held - 1] ?? 0;
    if (wanted.charCodeAt(held) === letter) held += 1;
    borders[at] = held;
  }
  return borders;
}
