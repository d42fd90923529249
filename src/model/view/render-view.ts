import type { LineageView } from '../../domain/session/view.js';
import { entriesOf, headLines, SECTIONS, TITLES, type Entry, type Section } from './sections.js';

/** The smallest budget that start and frontier need; a smaller one is raised to it. */
export const MIN_VIEW_TOKENS = 300;
/** Estimate that budgets rely on. */
export const CHARS_PER_TOKEN = 4;
/** Entries that are shown in full before others are shown at all. */
const FIRST_IN_FULL = 24;

/**
 * The lineage as text for a model, newest first, within a budget of tokens (at so many characters each, and
 * raised to MIN_VIEW_TOKENS where it is smaller). Start and frontier are always there; of the others the most useful
 * come first in the choice, and first in being shown in full. What is shown is shown in whole lines.
 */
export function renderView(
  view: LineageView,
  tokenBudget: number,
  charactersPerToken = CHARS_PER_TOKEN,
): string {
  const [head = '', ...more] = headLines(view);
  const entries = entriesOf(view);
  const tokens = Math.max(MIN_VIEW_TOKENS, Math.floor(tokenBudget));
  const choice = new Choice(entries, Math.floor(tokens * charactersPerToken));
  choice.take(head.length);
  for (const entry of entries) if (entry.isFixed) choice.show(entry, 0);
  const lines = [head, ...more.filter((line) => choice.fits(line.length + 1))];
  for (const entry of entries.slice(0, FIRST_IN_FULL)) choice.showLongest(entry);
  for (const entry of entries) choice.show(entry, 0);
  for (const entry of entries) choice.showLongest(entry);
  for (const section of SECTIONS) {
    const texts = choice.textsOf(section);
    if (texts.length > 0) lines.push('', titleLine(section), ...texts);
  }
  const dropped = entries.length - choice.shown;
  if (dropped > 0) lines.push('', droppedLine(dropped));
  return lines.join('\n');
}

const titleLine = (section: Section): string => `## ${TITLES[section]}`;
const droppedLine = (dropped: number): string => `(${dropped} more; the lineage tool shows them)`;

/** The forms of entries that are shown, within a budget of characters. */
class Choice {
  readonly #forms = new Map<Entry, number>();
  readonly #sections = new Set<Section>();
  #room: number;

  constructor(
    readonly entries: readonly Entry[],
    characters: number,
  ) {
    this.#room = characters - droppedLine(entries.length).length - 2;
  }

  get shown(): number {
    return this.#forms.size;
  }

  take(characters: number): void {
    this.#room -= characters;
  }

  /** Takes the room for a text where there is enough. */
  fits(characters: number): boolean {
    if (characters > this.#room) return false;
    this.take(characters);
    return true;
  }

  /** Shows an entry in the longest form that there is room for. */
  showLongest(entry: Entry): void {
    for (let form = entry.forms.length - 1; form >= 0; form -= 1) if (this.show(entry, form)) return;
  }

  /** Shows an entry in this form where it fits, or has to be there; returns true where it is shown in it or a longer one. */
  show(entry: Entry, form: number): boolean {
    const before = this.#forms.get(entry);
    if (before !== undefined && before >= form) return true;
    const cost =
      this.#cost(entry, form) - (before === undefined ? 0 : (entry.forms[before] ?? '').length + 1);
    const isNeeded = entry.isFixed && before === undefined;
    if (cost > this.#room && !isNeeded) return false;
    this.take(cost);
    this.#forms.set(entry, form);
    this.#sections.add(entry.section);
    return true;
  }

  textsOf(section: Section): string[] {
    return this.entries.flatMap((entry) => {
      const form = entry.section === section ? this.#forms.get(entry) : undefined;
      return form === undefined ? [] : [entry.forms[form] ?? ''];
    });
  }

  #cost(entry: Entry, form: number): number {
    const title = this.#sections.has(entry.section) ? 0 : titleLine(entry.section).length + 2;
    return title + (entry.forms[form] ?? '').length + 1;
  }
}
