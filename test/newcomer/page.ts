/** A block of commands of a page. */
export interface Block {
  /** Runs until the reader ends it, in a terminal of its own. */
  beside: boolean;
  text: string;
}

/** The shell blocks of a Markdown page, in their order. */
export function shellBlocks(page: string): Block[] {
  return [...page.matchAll(/^```sh\n([^]*?)^```$/gm)].map(([, text = '']) => ({
    beside: text.startsWith('# in another terminal'),
    text,
  }));
}
