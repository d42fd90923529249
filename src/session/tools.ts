import { setImmediate } from 'node:timers/promises';
import { AssayError } from '../domain/errors.js';
import { decisionMeasure } from '../domain/task/task.js';
import type { WorkMonitor } from '../domain/trial/doing.js';
import { applyInSlices, type Edit, type Tree } from '../domain/text/edits.js';
import { textOf } from '../domain/text/diff.js';
import { withoutDot } from '../domain/text/paths.js';
import type { AnswerDocument } from '../lineage/documents/session.js';
import type { TrialDocument } from '../lineage/documents/trial.js';
import type { Lineage } from '../lineage/lineage.js';
import { rowOf } from '../lineage/trials/view.js';
import { rebaseAnswer } from '../model/answers.js';
import { renderRows } from '../model/prompt.js';
import type { ToolCall } from '../model/tools.js';
import {
  callsAt,
  storeAnswer,
  type CallRef,
  type ConversationContext,
  type TurnRef,
} from './conversation.js';
import { workspaceAt, type Workspace } from './workspace.js';

/** Checks a workspace by running the task's own cheap phases; only hosts of the pool can. */
export type Checker = (owner: string, workspace: Workspace, monitor: WorkMonitor) => Promise<string>;

const READ_LOG_TAIL = 3000;
const READ_DIFF = 20_000;

interface Answer {
  text: string;
  isError: boolean;
  workspace: Workspace;
}

export interface ToolContext {
  lineage: Lineage;
  check: Checker | null;
  monitor: WorkMonitor;
}

/** Carries out the calls of a turn that look at or change the workspace; each is answered once, in order. */
export async function runTools(context: ToolContext, at: TurnRef): Promise<void> {
  const { lineage } = context;
  const calls = await callsAt(lineage, at.session, at.turn);
  const stored = await lineage.sessions.answersOf(at.session, at.turn, calls.length);
  const answered = new Map(stored.map((answer) => [answer.index, answer]));
  let { snapshot, base } = await workspaceAt(lineage, { ...at, index: 0 });
  for (const [index, asked] of calls.entries()) {
    const before = answered.get(index);
    if (before === undefined && asked.call.tool === 'submit_trial') continue;
    ({ snapshot, base } = before ?? (await answerTo(context, { ...at, index }, asked, { snapshot, base })));
  }
}

async function answerTo(
  context: ToolContext,
  call: CallRef,
  asked: ConversationContext,
  before: Workspace,
): Promise<AnswerDocument> {
  const { text, isError, workspace } = await carryOut(context, call.owner, asked, before);
  return storeAnswer(context.lineage, call, asked, { text, isError, ...workspace });
}

async function carryOut(
  { lineage, check, monitor }: ToolContext,
  owner: string,
  { call }: ConversationContext,
  workspace: Workspace,
): Promise<Answer> {
  const said = (text: string, isError = false): Answer => ({ text, isError, workspace });
  switch (call.tool) {
    case 'malformed':
      return said(call.error, true);
    case 'finish':
      return said('session finished');
    case 'check':
      if (check === null)
        throw new AssayError('INTERNAL', 'a check was asked of a worker that cannot run it');
      return said(await check(owner, workspace, monitor));
    case 'lineage':
      return said(await listTrials(lineage, owner, call));
    case 'read_trial':
      return readTrial(lineage, owner, call.trial, said);
    case 'rebase':
      return rebase(lineage, owner, call.trial, said);
    case 'submit_trial':
      throw new AssayError('INTERNAL', 'a submit is no tool of the workspace');
    case 'edit':
      return edit(lineage, owner, call.edit, workspace);
  }
}

async function edit(lineage: Lineage, owner: string, change: Edit, workspace: Workspace): Promise<Answer> {
  const { frozen } = await lineage.campaigns.byOwner(owner);
  const { spec } = await lineage.tasks.get(frozen.task.digest);
  const tree = await textsFor(lineage, workspace.snapshot, change);
  const result = await inTurns(applyInSlices(tree, change, spec.recipe.editable));
  if ('error' in result) return { text: result.error, isError: true, workspace };
  if (result.files === tree) return { text: result.text, isError: false, workspace };
  const changed = [...result.files]
    .filter(([path, text]) => tree.get(path) !== text)
    .map(([path, text]) => ({ path, bytes: Buffer.from(text) }));
  const snapshot = await lineage.blobs.putChanged(workspace.snapshot, changed);
  return { text: result.text, isError: false, workspace: { ...workspace, snapshot } };
}

/** Does work that is cut in slices, and lets others run between them. */
async function inTurns<T>(work: Generator<undefined, T>): Promise<T> {
  for (;;) {
    const { done, value } = work.next();
    if (done === true) return value;
    await setImmediate();
  }
}

/**
 * Reads the text files of a snapshot. Where an edit is about one file, only that one is read; of the others there are
 * only the names.
 */
async function textsFor(lineage: Lineage, snapshot: string, change: Edit): Promise<Tree> {
  const files = await lineage.blobs.tree(snapshot);
  const where = change.path === undefined ? undefined : withoutDot(change.path);
  const one =
    change.command !== 'search' && (change.command !== 'view' || files.some(({ path }) => path === where));
  const texts = new Map<string, string>();
  for (const { path, sha256 } of files) {
    const text = one && path !== where ? '' : textOf(await lineage.blobs.get(sha256));
    if (text !== null) texts.set(path, text);
  }
  return texts;
}

async function listTrials(
  lineage: Lineage,
  owner: string,
  { role, status, limit }: Extract<ToolCall, { tool: 'lineage' }>,
): Promise<string> {
  const { frozen } = await lineage.campaigns.byOwner(owner);
  const { spec } = await lineage.tasks.get(frozen.task.digest);
  const trials = await lineage.trials.latest(owner, 500);
  const asked = trials.filter(
    (trial) => (role === null || trial.role === role) && (status === null || trial.status === status),
  );
  const rows = await Promise.all(asked.slice(0, limit).map((trial) => rowOf(lineage, trial)));
  return rows.length === 0 ? 'no such trials' : renderRows(rows, decisionMeasure(spec));
}

type Say = (text: string, isError?: boolean) => Answer;

async function readTrial(lineage: Lineage, owner: string, number: number, said: Say): Promise<Answer> {
  const trial = await lineage.trials.get(owner, number);
  if (trial === null) return said(`There is no trial ${number}.`, true);
  const { frozen } = await lineage.campaigns.byOwner(owner);
  const { spec } = await lineage.tasks.get(frozen.task.digest);
  const diff = await lineage.blobs.text(trial.diff);
  const parts = [
    renderRows([await rowOf(lineage, trial)], decisionMeasure(spec)),
    `metrics: ${JSON.stringify(trial.outcome?.metrics ?? {})}`,
    ...(trial.outcome?.feedback ? [`feedback: ${trial.outcome.feedback}`] : []),
    `diff against trial ${trial.parent ?? 'none'}:\n${diff.slice(0, READ_DIFF)}`,
    `log tail:\n${await logTail(lineage, trial)}`,
  ];
  return said(parts.join('\n\n'));
}

async function logTail(lineage: Lineage, trial: TrialDocument): Promise<string> {
  const [replicate] = await lineage.replicates.many(trial.replicates.slice(-1));
  const run = replicate?.trained?.runs.at(-1);
  if (run === undefined) return trial.preflight?.tail ?? '(none)';
  return (await lineage.blobs.text(run.log)).slice(-READ_LOG_TAIL);
}

async function rebase(lineage: Lineage, owner: string, number: number, said: Say): Promise<Answer> {
  const trial = await lineage.trials.get(owner, number);
  if (trial === null) return said(`There is no trial ${number}.`, true);
  return {
    text: rebaseAnswer(number),
    isError: false,
    workspace: { snapshot: trial.snapshot, base: number },
  };
}
