import { setTimeout as sleep } from 'node:timers/promises';
import { sessionModel, sessionsModel } from '../../analysis/read-models/session.js';
import { AssayError } from '../../domain/errors.js';
import { withContext } from '../context.js';
import { renderHead, renderSessions, renderSum, renderTurns } from '../render/session.js';
import { wholeNumber } from '../terminal/parsing.js';
import { print, printJson, say, type CommonFlags } from '../terminal/terminal.js';
import type { Lineage } from '../../lineage/lineage.js';

interface Flags extends CommonFlags {
  follow?: boolean;
  full?: boolean;
  limit: string;
}

const POLL_MS = 1000;

export async function run(reference: string, flags: Flags): Promise<void> {
  const limit = wholeNumber('--limit', flags.limit, { min: 1, max: 10_000 });
  if (flags.follow === true && flags.json === true)
    throw new AssayError('USAGE', '--follow prints text: leave out --json');
  await withContext(['store'], async ({ lineage }) => {
    if (!reference.includes('/')) return list(lineage, reference, limit, flags);
    if (flags.follow === true) return follow(lineage, reference, flags.full === true);
    const model = await sessionModel(lineage, reference);
    if (flags.json === true) {
      printJson(model);
      return;
    }
    const full = flags.full === true;
    print([renderHead(model, full), ...renderTurns(model.turns, full), renderSum(model)].join('\n\n'));
  });
}

async function list(lineage: Lineage, campaign: string, limit: number, flags: Flags): Promise<void> {
  if (flags.follow === true)
    throw new AssayError('USAGE', '--follow takes one session, such as demo/arch-0/3');
  const model = await sessionsModel(lineage, campaign, limit);
  if (flags.json === true) {
    printJson(model);
    return;
  }
  print(renderSessions(model.sessions));
  const [first] = model.sessions;
  if (first !== undefined) say(`\n\`assay session ${first.session}\` shows one`);
}

/** Prints each turn once, when all its calls are answered, until the session is closed. */
async function follow(lineage: Lineage, reference: string, full: boolean): Promise<void> {
  let model = await sessionModel(lineage, reference);
  print(renderHead(model, full));
  for (let shown = 0; ; model = await sessionModel(lineage, reference)) {
    const isOpen = model.closedAt === null;
    const ready = model.turns.filter(
      ({ turn, model: by, calls }) =>
        turn >= shown && (!isOpen || (by !== null && calls.every(({ answer }) => answer !== null))),
    );
    for (const text of renderTurns(ready, full)) print(`\n${text}`);
    shown += ready.length;
    if (!isOpen) break;
    await sleep(POLL_MS);
  }
  print(`\n${renderSum(model)}`);
}
