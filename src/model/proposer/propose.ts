import { sha256 } from '../../domain/digest.js';
import { turned } from '../../domain/text/knobs.js';
import { roleSection } from '../prompt.js';
import { EDIT_TOOL } from '../tools/workspace.js';
import { readView } from '../view/read-view.js';
import {
  conversationState,
  knobsIn,
  pointOf,
  type ConversationState,
  type PlacedKnob,
  type Point,
} from './conversation-state.js';
import { evidenceOf, type Evidence } from './evidence.js';
import { nextPoint, randomFrom } from './moves.js';
import type { Conversation } from './request.js';

/** Next message of the proposer: some words and its tool calls; without calls it has nothing more to do. */
export interface Proposal {
  text: string;
  calls: { name: string; input: Record<string, unknown> }[];
}

const SUBMITS_PER_SESSION = 3;
/** Failed tool calls, refused submits and failed checks that a session bears. */
const MOST_FAILURES = 8;

/**
 * The next turn of a session, from its conversation alone: the same conversation gives the same turn. It is a
 * hyperparameter search: a control arm to compare models with, which reads no code but the marked knobs.
 */
export function propose(conversation: Conversation): Proposal {
  const desk = conversationState(conversation);
  if (desk.finished) return { text: 'The session is over.', calls: [] };
  const ended = endOf(conversation, desk);
  if (ended !== null) return finish(ended);
  if (desk.needsListing) return { text: 'Looking for the files.', calls: [view('.')] };
  if (desk.astray) return goBack(desk, conversation);
  if (desk.unread.length > 0) return { text: 'Reading the knobs.', calls: desk.unread.map(view) };
  const base = pointOf(desk.clean);
  const evidence = evidenceOf(conversation.opening, desk);
  const here = pointOf(desk.files);
  if (desk.checked === 'passed' && said(base, here) !== '') return submit(base, here, evidence);
  return turn(conversation, desk, base, evidence);
}

function endOf(conversation: Conversation, desk: ConversationState): string | null {
  const results = desk.attempts.flatMap(({ result }) => result ?? []);
  const left = results.at(-1)?.trialsLeft ?? readView(conversation.opening)?.trialsLeft ?? null;
  if (left === 0) return 'No trials are left.';
  if (results.length >= SUBMITS_PER_SESSION) return `${results.length} trials submitted.`;
  const failures = desk.failures + desk.attempts.filter(({ result }) => result === null).length;
  if (failures >= MOST_FAILURES) return `Given up after ${failures} calls that failed.`;
  const isRead = !desk.needsListing && desk.unread.length === 0;
  return isRead && knobsIn(desk.files).length === 0 ? 'The recipe has no marked knob to turn.' : null;
}

/** Onto the frontier after a trial that was not adopted; its files are read again where they are not known. */
function goBack(desk: ConversationState, conversation: Conversation): Proposal {
  const last = desk.attempts.findLast(({ result }) => result !== null)?.result;
  const frontier = last?.frontier ?? readView(conversation.opening)?.frontier ?? desk.base ?? 0;
  const reread = desk.known.has(frontier) ? [] : [...desk.files.keys()].map(view);
  return {
    text: `Back to trial ${frontier}.`,
    calls: [{ name: 'rebase', input: { trial: frontier } }, ...reread],
  };
}

/** A new point, written into the files and checked in one turn. */
function turn(
  conversation: Conversation,
  desk: ConversationState,
  base: Point,
  evidence: Evidence,
): Proposal {
  const knobs = knobsIn(desk.clean).filter(({ name }) => !desk.stuck.has(name));
  const role = roleSection(conversation.system);
  const named = new Set(role.match(/[A-Za-z_]\w*/g) ?? []);
  const random = randomFrom(seedOf(conversation));
  const target = nextPoint(knobs, base, evidence, (name) => named.has(name), random);
  if (target === null) return finish('No untried point was found near here.');
  const edits = knobsIn(desk.files).flatMap((knob) => editTo(desk, knob, target.get(knob.name)));
  return { text: `Trying ${said(base, target)}.`, calls: [...edits, { name: 'check', input: {} }] };
}

function editTo(desk: ConversationState, knob: PlacedKnob, value: number | undefined): Proposal['calls'] {
  if (value === undefined || value === knob.value) return [];
  const line = turned(knob, value);
  // A line that ends another one, as LR does BASE_LR, is recognised by the line end before it.
  const text = desk.files.get(knob.path) ?? '';
  const start = text.startsWith(knob.line) || text.split(knob.line).length === 2 ? '' : '\n';
  const input = {
    command: 'str_replace',
    path: knob.path,
    old_str: start + knob.line,
    new_str: start + line,
  };
  return [{ name: EDIT_TOOL, input }];
}

function submit(base: Point, here: Point, evidence: Evidence): Proposal {
  const gains = evidence.gains;
  const usual = gains.reduce((sum, gain) => sum + gain, 0) / gains.length;
  const size = gains.length > 0 ? usual : Math.abs(evidence.frontierScore ?? 1) / 100;
  const expected = Number((evidence.minimize ? -size : size).toPrecision(3));
  const hypothesis = said(base, here);
  return {
    text: `Submitting ${hypothesis}.`,
    calls: [{ name: 'submit_trial', input: { hypothesis, expected_delta: expected } }],
  };
}

function finish(note: string): Proposal {
  return { text: note, calls: [{ name: 'finish', input: { note } }] };
}

function view(path: string): Proposal['calls'][number] {
  return { name: EDIT_TOOL, input: { command: 'view', path } };
}

/** `LR 0.3 → 0.6; WIDTH 64 → 96`: what programs read back out of a hypothesis. */
function said(from: Point, to: Point): string {
  return [...to]
    .flatMap(([name, value]) => {
      const before = from.get(name);
      return before === undefined || before === value ? [] : [`${name} ${before} → ${value}`];
    })
    .join('; ');
}

function seedOf(conversation: Conversation): number {
  return Number.parseInt(sha256(JSON.stringify(conversation)).slice(0, 8), 16);
}
