/** Returns whether this machine lacks what a test needs, and prints the reason where it is therefore not run. */
export function lacks(missing: boolean, reason: string): boolean {
  if (missing) process.stderr.write(`not run here: ${reason}\n`);
  return missing;
}
