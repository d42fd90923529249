import { setTimeout as sleep } from 'node:timers/promises';
import { WorkflowNotFoundError } from '@temporalio/client';
import { createLogUpdate } from 'log-update';
import { eventsBetween, type CampaignEvent, type EventLine } from '../analysis/events.js';
import { Observer, type Scene } from '../analysis/scene.js';
import { AssayError, messageOf } from '../domain/errors.js';
import { isEnded, needsPerson } from '../domain/statuses.js';
import type { CampaignDocument } from '../lineage/documents.js';
import type { Ground } from './ground.js';
import { renderEvent } from './render/events.js';
import { renderLive } from './render/live.js';
import { onStderr } from './render/paint.js';
import { print, say } from './terminal.js';

const LOOK_EVERY_MS = 500;
/** How long a campaign may stay unmentioned in the store before that is said once. */
const PATIENCE_MS = 20_000;

/** How a campaign is shown while it is followed. */
interface Display {
  show(scene: Scene, events: readonly CampaignEvent[]): void;
  close(): void;
}

/**
 * Shows a campaign until it has ended or `signal` is aborted, and returns its last document. With `json`, events go
 * to stdout as NDJSON; else they go to stderr, as a live picture where that is a terminal.
 * @throws AssayError CAMPAIGN_UNKNOWN when neither the store nor Temporal knows the name; CAMPAIGN_INPUT or another
 * code when the campaign failed before it was stored
 */
export async function follow(
  ground: Ground,
  name: string,
  { json, signal }: { json: boolean; signal: AbortSignal },
): Promise<CampaignDocument> {
  await appeared(ground, name, signal);
  const observer = new Observer(ground.lineage, name);
  const display = displayFor(name, json);
  let before: Scene | null = null;
  try {
    for (;;) {
      const scene = await observer.look();
      display.show(scene, eventsBetween(before, scene));
      before = scene;
      if (needsPerson(scene.state) || (await aborted(signal))) return scene.campaign;
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
async function appeared(ground: Ground, name: string, signal: AbortSignal): Promise<void> {
  const since = Date.now();
  let told = false;
  while ((await ground.lineage.campaigns.find(name)) === null) {
    await expectWorkflow(ground, name);
    if (!told && Date.now() - since > PATIENCE_MS) {
      say(`${name} waits for a worker: \`assay dev\` or \`assay worker\` runs one`);
      told = true;
    }
    if (await aborted(signal))
      throw new AssayError('CAMPAIGN_UNKNOWN', `campaign "${name}" has not begun yet`);
  }
}

async function expectWorkflow(ground: Ground, name: string): Promise<void> {
  const unknown = new AssayError('CAMPAIGN_UNKNOWN', `there is no campaign "${name}" in this store`);
  if (ground.servers.temporal.address === '') throw unknown;
  const handle = (await ground.client()).workflow.getHandle(name);
  const { status } = await handle.describe().catch((error: unknown) => {
    throw error instanceof WorkflowNotFoundError ? unknown : error;
  });
  if (status.name === 'RUNNING' || (await ground.lineage.campaigns.find(name)) !== null) return;
  const cause = await handle.result().then(
    () => 'it ended before it began',
    (error: unknown) => rootMessage(error),
  );
  throw new AssayError('CAMPAIGN_INPUT', `campaign "${name}" did not begin: ${cause}`);
}

function rootMessage(error: unknown): string {
  return error instanceof Error && error.cause instanceof Error ? rootMessage(error.cause) : messageOf(error);
}

function displayFor(name: string, json: boolean): Display {
  if (json) return ndjson(name);
  return process.stderr.isTTY ? live(name) : lines();
}

function ndjson(name: string): Display {
  return {
    show(scene, events) {
      for (const event of events) {
        const line: EventLine = {
          schema: 'assay.event/1',
          at: scene.asOf.toISOString(),
          campaign: name,
          ...event,
        };
        print(JSON.stringify(line));
      }
    },
    close: () => undefined,
  };
}

function lines(): Display {
  return {
    show({ metric }, events) {
      for (const event of events) say(renderEvent(event, metric, onStderr));
    },
    close: () => undefined,
  };
}

/** What has ended stays above; below it the present is drawn anew. */
function live(name: string): Display {
  const update = createLogUpdate(process.stderr, { showCursor: true });
  return {
    show(scene, events) {
      for (const event of events)
        if (event.event !== 'stage' && event.event !== 'submitted')
          update.persist(renderEvent(event, scene.metric, onStderr));
      if (isEnded(scene.state)) update.clear();
      else update(renderLive(scene, name, onStderr, process.stderr.columns));
    },
    close: () => update.done(),
  };
}
