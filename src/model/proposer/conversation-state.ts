import { applyEdit, withoutNumbers, type Edit } from '../../domain/text/edits.js';
import { knobsOf, type Knob } from '../../domain/text/knobs.js';
import { matchesGlob } from '../../domain/text/paths.js';
import { readCheckAnswer, readRebaseAnswer } from '../answers.js';
import { baseIn, editableIn } from '../prompt.js';
import { readSubmitAnswer, type SubmitReading } from '../trial-text/submit-answer.js';
import { readView } from '../view/read-view.js';
import { parseCall } from '../tools/tools.js';
import type { AnsweredCall, Conversation } from './request.js';

/** The values of all knobs by name. */
export type Point = ReadonlyMap<string, number>;

export interface PlacedKnob extends Knob {
  path: string;
}

/** A state of the recipe that was checked, refused or measured in this conversation. */
export interface Attempt {
  point: Point;
  /** The point of the trial that the workspace stood on. */
  from: Point;
  /** null where it never became a trial. */
  result: SubmitReading | null;
}

/** Knowledge of a proposer about its workspace after the calls so far; nothing is kept between requests. */
export interface ConversationState {
  editable: string[];
  /** Files listed but not yet read, or named and not yet read. */
  unread: string[];
  needsListing: boolean;
  files: Map<string, string>;
  /** Files as the trial has them that the workspace stands on. */
  clean: Map<string, string>;
  base: number | null;
  /** The check of the files as they are now. */
  checked: 'passed' | 'failed' | null;
  attempts: Attempt[];
  /** Knobs whose line could not be replaced. */
  stuck: Set<string>;
  /** The last submit was not adopted, and its edits still lie here. */
  astray: boolean;
  failures: number;
  minimize: boolean;
  finished: boolean;
  /** Files of trials seen, so that a rebase onto one needs no reading. */
  known: Map<number, Map<string, string>>;
}

const MOST_FILES = 8;

/** Plays the calls of a conversation again. */
export function conversationState(conversation: Conversation): ConversationState {
  const editable = editableIn(conversation.opening);
  const plain = editable.filter((glob) => !/[*?]|\/$/.test(glob));
  const desk: ConversationState = {
    editable,
    unread: plain.slice(0, MOST_FILES),
    needsListing: plain.length < editable.length,
    files: new Map(),
    clean: new Map(),
    base: baseIn(conversation.opening),
    checked: null,
    attempts: [],
    stuck: new Set(),
    astray: false,
    failures: 0,
    minimize: readView(conversation.opening)?.direction !== 'maximize',
    finished: false,
    known: new Map(),
  };
  for (const call of conversation.calls) play(desk, call);
  return desk;
}

function play(desk: ConversationState, answered: AnsweredCall): void {
  const { isError, text } = answered;
  const call = parseCall({ type: 'tool_use', id: '', name: answered.name, input: answered.input });
  if (isError && call.tool !== 'submit_trial') desk.failures++;
  if (call.tool === 'edit') playEdit(desk, call.edit, text, isError);
  else if (call.tool === 'check') playCheck(desk, text);
  else if (call.tool === 'submit_trial') playSubmit(desk, text);
  else if (call.tool === 'rebase') playRebase(desk, text);
  else if (call.tool === 'finish') desk.finished = true;
}

function playEdit(desk: ConversationState, edit: Edit, text: string, isError: boolean): void {
  if (edit.command === 'view') {
    if (edit.path === '.') {
      playListing(desk, text, isError);
      return;
    }
    desk.unread = desk.unread.filter((path) => path !== edit.path);
    if (isError) return;
    const read = withoutNumbers(text);
    desk.files.set(edit.path, read);
    desk.clean.set(edit.path, read);
    if (desk.base !== null) desk.known.set(desk.base, desk.clean);
  } else if (edit.command === 'str_replace') {
    if (isError) for (const knob of knobsOf(edit.old)) desk.stuck.add(knob.name);
    const after = applyEdit(desk.files, edit, ['**']);
    if (isError || 'error' in after) return;
    desk.files = new Map(after.files);
    desk.checked = null;
  }
}

function playListing(desk: ConversationState, text: string, isError: boolean): void {
  desk.needsListing = false;
  if (isError) return;
  const names = text.split('\n').flatMap((line) => /^(.*) \(\d+ lines\)$/.exec(line)?.slice(1, 2) ?? []);
  const fresh = names.filter((name) => matchesGlob(name, desk.editable) && !desk.files.has(name));
  desk.unread = [...new Set([...desk.unread, ...fresh])].slice(0, MOST_FILES);
}

function playCheck(desk: ConversationState, text: string): void {
  const reading = readCheckAnswer(text);
  desk.checked = reading !== null && (!reading.ok || reading.over) ? 'failed' : 'passed';
  if (desk.checked === 'failed') remember(desk, null);
}

function playSubmit(desk: ConversationState, text: string): void {
  const result = readSubmitAnswer(text);
  if (result === null) {
    desk.checked = 'failed';
    remember(desk, null);
    return;
  }
  remember(desk, result);
  desk.known.set(result.trial, new Map(desk.files));
  desk.checked = null;
  desk.astray = !(result.status === 'keep' || (result.status === 'measured' && isGain(desk, result.delta)));
  if (desk.astray) return;
  desk.base = result.trial;
  desk.clean = new Map(desk.files);
}

/** Returns true where a trial is better than its parent: without lineage nobody says whether it was adopted. */
const isGain = ({ minimize }: ConversationState, delta: number | null): boolean =>
  delta !== null && (minimize ? delta < 0 : delta > 0);

function playRebase(desk: ConversationState, text: string): void {
  const trial = readRebaseAnswer(text);
  if (trial === null) {
    // Without the rebase the workspace stands on the failed trial; its own edits can still be taken back.
    desk.astray = false;
    return;
  }
  desk.astray = false;
  desk.base = trial;
  desk.checked = null;
  const files = desk.known.get(trial);
  if (files === undefined) desk.unread = [...desk.files.keys()];
  desk.files = new Map(files);
  desk.clean = new Map(files);
}

function remember(desk: ConversationState, result: SubmitReading | null): void {
  desk.attempts.push({ point: pointOf(desk.files), from: pointOf(desk.clean), result });
}

/**
 * Lists the knobs that can be turned: a name that two files share is left alone, since its lines cannot be
 * distinguished.
 */
export function knobsIn(files: ReadonlyMap<string, string>): PlacedKnob[] {
  const all = [...files].flatMap(([path, text]) => knobsOf(text).map((knob) => ({ ...knob, path })));
  const once = new Set<string>();
  const shared = new Set<string>();
  for (const { name } of all) (once.has(name) ? shared : once).add(name);
  return all.filter((knob) => knob.low < knob.high && (!knob.log || knob.low > 0) && !shared.has(knob.name));
}

export function pointOf(files: ReadonlyMap<string, string>): Point {
  return new Map(knobsIn(files).map(({ name, value }) => [name, value]));
}
