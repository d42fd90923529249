/** By how much a limit was crossed, to three digits, such as `, 0.2 over`; empty where it was only reached. */
export function overText(used: number, allowed: number): string {
  const over = Number((used - allowed).toPrecision(3));
  return over > 0 ? `, ${over} over` : '';
}
