const ENTITIES: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
};

/** All control and format characters (C0, C1, escape, direction marks) except tab and newline. */
const UNSAFE = /(?![\t\n])[\p{Cc}\p{Cf}]/gu;

/** Text of models and recipes as text of a page, wherever in it it stands. */
export function escape(text: string): string {
  return text.replace(UNSAFE, '\u{FFFD}').replace(/[&<>"']/g, (character) => ENTITIES[character] ?? '');
}
