import { setTimeout as sleep } from 'node:timers/promises';
import { createLogUpdate } from 'log-update';
import { eventsBetween, type CampaignEvent, type EventLine } from '../../analysis/read-models/events.js';
import { Observer, type Snapshot } from '../../analysis/read-models/snapshot.js';
import type { StallReport } from '../../analysis/stall/types.js';
import { AssayError } from '../../domain/errors.js';
import { isEnded, needsPerson } from '../../domain/statuses.js';
import type { CampaignDocument } from '../../lineage/documents/campaign.js';
import { inspectNotStarted, inspectServer } from './inspect-server.js';
import type { CommandContext } from '../context.js';
import { renderEvent } from '../render/events.js';
import { renderLive } from '../render/live.js';
import { onStderr } from '../render/paint.js';
import { reasonText } from '../render/status.js';
import { StallWatcher } from './stall-watcher.js';
import { print, say } from '../terminal/terminal.js';
import { expectWorkflow } from './not-started.js';
import { throughOutage } from './outage.js';

const LOOK_EVERY_MS = 500;
/** Time for which a campaign may be missing in the store before that is said once. */
const PATIENCE_MS = 10_000;

/** Display of a campaign while it is followed. */
interface Display {
  show(snapshot: Snapshot, events: readonly CampaignEvent[], stallReport: StallReport): void;
  /** Says a line beside what is shown. */
  say(line: string): void;
  close(): void;
}

/**
 * Shows a campaign until it has ended or `signal` is aborted, and returns its last document. With `json`, events go
 * to stdout as NDJSON; else they go to stderr, as a live picture where that is a terminal. `isStarted` tells that this
 * command has started it.
 * @throws AssayError CAMPAIGN_UNKNOWN when neither the store nor Temporal knows the name; CAMPAIGN_INPUT or another
 * code when the campaign failed before it was stored
 */
export async function follow(
  ground: CommandContext,
  name: string,
  { json, signal, isStarted = false }: { json: boolean; signal: AbortSignal; isStarted?: boolean },
): Promise<CampaignDocument> {
  await appeared(ground, name, isStarted, signal);
  const observer = new Observer(ground.lineage, name);
  const display = displayFor(name, json);
  const stalls = new StallWatcher();
  let before: Snapshot | null = null;
  try {
    for (;;) {
      const snapshot = await throughOutage(() => observer.look(), {
        say: (line) => display.say(line),
        signal,
      });
      const happened = eventsBetween(before, snapshot);
      const events = [
        ...happened,
        ...stalls.after(snapshot, happened.length > 0, () =>
          inspectServer(ground, snapshot.campaign, snapshot.open),
        ),
      ];
      display.show(snapshot, events, stalls.report);
      before = snapshot;
      if (needsPerson(snapshot.state) || (await aborted(signal))) return snapshot.campaign;
    }
  } finally {
    display.close();
  }
}

/** Waits a moment; says whether the wait was ended from outside. */
async function aborted(signal: AbortSignal): Promise<boolean> {
  await sleep(LOOK_EVERY_MS, undefined, { signal }).catch(() => undefined);
  return signal.aborted;
}

/** A campaign that was just started is in the store once a worker has frozen it. */
async function appeared(
  ground: CommandContext,
  name: string,
  isStarted: boolean,
  signal: AbortSignal,
): Promise<void> {
  let isKnown = isStarted;
  const since = performance.now();
  let told = false;
  const find = () => ground.lineage.campaigns.find(name);
  while ((await throughOutage(find, { say, signal })) === null) {
    await throughOutage(() => expectWorkflow(ground, name, { isKnown }), { say, signal });
    isKnown = true;
    if (!told && performance.now() - since > PATIENCE_MS) {
      const examined = await inspectNotStarted(ground, name);
      for (const reason of examined?.reasons ?? []) say(`${name} has not begun: ${reasonText(reason)}`);
      told = true;
    }
    if (await aborted(signal))
      throw new AssayError('CAMPAIGN_UNKNOWN', `campaign "${name}" has not begun yet`);
  }
}

function displayFor(name: string, json: boolean): Display {
  if (json) return ndjson(name);
  return process.stderr.isTTY ? live(name) : lines();
}

function ndjson(name: string): Display {
  return {
    show(snapshot, events) {
      for (const event of events) {
        const line: EventLine = {
          schema: 'assay.event/1',
          at: snapshot.asOf.toISOString(),
          campaign: name,
          ...event,
        };
        print(JSON.stringify(line));
      }
    },
    say,
    close: () => undefined,
  };
}

function lines(): Display {
  return {
    show({ metric }, events) {
      for (const event of events) say(renderEvent(event, metric, onStderr));
    },
    say,
    close: () => undefined,
  };
}

/** Draws a live view: what has ended stays above, the present is redrawn below it. */
function live(name: string): Display {
  const update = createLogUpdate(process.stderr, { showCursor: true });
  return {
    show(snapshot, events, stallReport) {
      for (const event of events)
        if (event.event !== 'stage' && event.event !== 'submitted' && event.event !== 'stall')
          update.persist(renderEvent(event, snapshot.metric, onStderr));
      if (isEnded(snapshot.state)) update.clear();
      else update(renderLive(snapshot, name, onStderr, process.stderr.columns, stallReport));
    },
    say: (line) => update.persist(line),
    close: () => update.done(),
  };
}
