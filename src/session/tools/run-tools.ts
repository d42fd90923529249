import { AssayError } from '../../domain/errors.js';
import { callKey } from '../../domain/keys.js';
import type { WorkMonitor } from '../../domain/trial/doing.js';
import type { AnswerDocument } from '../../lineage/documents/session.js';
import type { Lineage } from '../../lineage/lineage.js';
import { isDeferred, type ToolCall } from '../../model/tools/tools.js';
import { callsAt, storeAnswer, type ConversationContext, type TurnRef } from '../conversation.js';
import { meanwhile } from '../meanwhile.js';
import { VisibleTrials } from '../visible-trials.js';
import { workspaceAt } from '../workspace.js';
import { refused, said, type Answer, type Bench, type CallContext, type Checker } from './answer.js';
import { children, diff } from './compare.js';
import { curve } from './curve.js';
import { edit } from './edit.js';
import { knowledge } from './knowledge.js';
import { readLog } from './log.js';
import { merge } from './merge.js';
import { finish, keepNote, listNotes } from './notes.js';
import { listTrials, readTrial } from './read-trials.js';
import { probe } from './probe.js';
import { rebase } from './rebase.js';
import { shell } from './shell.js';

export interface ToolContext {
  lineage: Lineage;
  check: Checker | null;
  bench?: Bench;
  monitor: WorkMonitor;
}

/** Carries out the calls of a turn that look at or change the workspace; each is answered once, in order. */
export async function runTools(context: ToolContext, at: TurnRef): Promise<void> {
  const { lineage } = context;
  const calls = await callsAt(lineage, at.session, at.turn);
  const stored = await lineage.sessions.answersOf(at.session, at.turn, calls.length);
  const answered = new Map(stored.map((answer) => [answer.index, answer]));
  const { frozen } = await lineage.campaigns.byOwner(at.owner);
  const { spec } = await lineage.tasks.get(frozen.task.digest);
  const trials = new VisibleTrials(lineage, { ...at, mode: frozen.lineage });
  let workspace = await workspaceAt(lineage, { ...at, index: 0 });
  for (const [index, asked] of calls.entries()) {
    const before = answered.get(index);
    if (before === undefined && isDeferred(asked.call)) continue;
    const call = { ...at, index };
    const { snapshot, base } =
      before ?? (await answerTo({ ...context, call, frozen, spec, trials, workspace }, asked));
    workspace = { snapshot, base };
  }
}

async function answerTo(context: CallContext, asked: ConversationContext): Promise<AnswerDocument> {
  const { lineage, call, trials } = context;
  const { text, isError, workspace } = await carryOut(context, asked.call);
  const news = await meanwhile(lineage, trials, call.session);
  const told = news === null ? text : `${text}\n\n${news.line}`;
  const stored = await storeAnswer(lineage, call, asked, { text: told, isError, ...workspace });
  if (news !== null) await lineage.sessions.tell(call.session, news.told);
  return stored;
}

async function carryOut(context: CallContext, call: ToolCall): Promise<Answer> {
  switch (call.tool) {
    case 'malformed':
      return refused(context, call.error);
    case 'finish':
      return finish(context, call.note);
    case 'log':
      return readLog(context, call);
    case 'curve':
      return curve(context, call.trials);
    case 'diff':
      return diff(context, call);
    case 'children':
      return children(context, call);
    case 'knowledge':
      return knowledge(context, call);
    case 'merge':
      return merge(context, call.trial);
    case 'note':
      return keepNote(context, call.text);
    case 'notes':
      return listNotes(context, call);
    case 'check':
      return check(context);
    case 'shell':
      return shell(context, call);
    case 'probe':
      return probe(context, call);
    case 'profile':
      return probe(context, { ...call, command: null, timeoutS: null });
    case 'lineage':
      return listTrials(context, call);
    case 'read_trial':
      return readTrial(context, call.trial);
    case 'rebase':
      return rebase(context, call.trial);
    case 'submit_trial':
    case 'await_trials':
    case 'withdraw':
      throw new AssayError('INTERNAL', `${call.tool} is no tool of the workspace`);
    case 'edit':
      return edit(context, call.edit);
  }
}

async function check(context: CallContext): Promise<Answer> {
  if (context.check === null)
    throw new AssayError('INTERNAL', 'a check was asked of a worker that cannot run it');
  const { owner, session, turn, index } = context.call;
  const { text, failed } = await context.check(owner, context.workspace, context.monitor);
  const { snapshot } = context.workspace;
  await context.lineage.sessions.addCheck(session, { call: callKey(session, turn, index), snapshot, failed });
  return said(context, text);
}
