interface HelpText {
  /** Further explanation, in paragraphs. */
  notes?: string;
  /** Command lines, each with a comment behind it where it needs one. */
  examples: readonly string[];
}

/** Lines that the help of every command has. */
const EVERYWHERE = `Data goes to stdout, everything else to stderr; NO_COLOR is obeyed.
Exit codes: 0 ok, 1 failed, 2 usage, 3 environment (assay doctor), 4 budget, 130 Ctrl-C, 143 SIGTERM.`;

/** Text that follows usage and options in the help of a command: examples come last, where the eye is. */
export function helpText({ notes, examples }: HelpText): string {
  const shown = examples.map((line) => `  ${line}`).join('\n');
  const parts = [notes, EVERYWHERE, shown === '' ? undefined : `Examples:\n${shown}`];
  return `\n${parts.filter((part) => part !== undefined).join('\n\n')}`;
}
