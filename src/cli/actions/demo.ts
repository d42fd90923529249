import { campaignHeader } from '../../analysis/read-models/campaign-header.js';
import { resultsTable } from '../../analysis/read-models/results-table.js';
import { abortable } from '../../dev/process/abortable.js';
import { within } from '../terminal/deadline.js';
import { drain, startLocalFleet } from '../use-cases/local-fleet.js';
import { withContext, type CommandContext } from '../context.js';
import { endRequest, interruption } from '../terminal/interrupt.js';
import { renderAudit } from '../render/audit.js';
import { renderDiff } from '../render/diff.js';
import { onStdout, wantsColour } from '../render/paint.js';
import { besideScore } from '../render/estimate.js';
import { score, signed } from '../render/numbers.js';
import { renderTrials } from '../render/trials.js';
import { waitUntilStarted } from '../follow/not-started.js';
import { followToEnd } from '../follow/follow.js';
import { startUnderFreeName } from '../use-cases/start-campaign.js';
import { print, say, styled } from '../terminal/terminal.js';
import { audited, concludes } from './audit.js';

const CLOSE_MS = 1000;

interface Flags {
  trials: string;
  trainSeconds: string;
  claimRuns: string;
}

export async function run(flags: Flags): Promise<void> {
  const signal = endRequest();
  const left = await withContext(['temporal', 'store'], (ground) => demo(ground, flags, signal), signal);
  if (left !== null) say(`stopped; campaign ${left} is kept; \`npx assay dev\` resumes it`);
}

/** Starts workers and a campaign, and ends by itself with what was found; returns what to say at an early end. */
async function demo(ground: CommandContext, flags: Flags, signal: AbortSignal): Promise<string | null> {
  const { servers } = ground;
  if (servers.temporal.uiUrl !== null) say(`Temporal UI while this runs: ${servers.temporal.uiUrl}`);
  const fleet = await startLocalFleet(servers, { roles: [], pool: 'cpu' }, signal);
  let name: string | null = null;
  try {
    name = await abortable(
      signal,
      begin(ground, flags, (started) => {
        name = started;
      }),
    );
    const following = followToEnd(ground, name, false, signal);
    const workersEnded = fleet.ended.then(() => 1);
    process.exitCode = await abortable(signal, Promise.race([following, workersEnded])).catch(
      async (error: unknown) => {
        // the live picture is put away before anything else is said
        if (signal.aborted)
          await within(
            CLOSE_MS,
            'the last look',
            following.catch(() => undefined),
          );
        throw error;
      },
    );
    await showResult(ground, name);
    if (!(await abortable(signal, endsAudited(ground, name)))) process.exitCode = 1;
    return null;
  } catch (error) {
    const early = interruption();
    if (early === null) throw error;
    process.exitCode = early.exitCode;
    return name;
  } finally {
    await drain(fleet);
  }
}

/** Audits store, server and this machine after the run; prints what contradicts. */
async function endsAudited(ground: CommandContext, name: string): Promise<boolean> {
  const model = await audited(ground, [name]);
  if (!model.ok) print(renderAudit(model, onStdout));
  say(`\naudit of ${concludes(model)}`);
  return model.ok;
}

/** Starts the campaign and returns its name, which `started` is told before it has begun. */
async function begin(ground: CommandContext, flags: Flags, started: (name: string) => void): Promise<string> {
  const input = {
    task: 'byte-golf',
    trials: Number(flags.trials),
    trainSeconds: Number(flags.trainSeconds),
    calibration: 4,
    claim: { runs: Number(flags.claimRuns) },
    trainHeartbeatSeconds: 20,
  };
  const { name } = await startUnderFreeName(
    await ground.client(),
    ground.lineage,
    { stem: 'demo', input },
    (campaign) => {
      started(campaign.name);
      return waitUntilStarted(ground, campaign);
    },
  );
  return name;
}

async function showResult({ lineage }: CommandContext, name: string): Promise<void> {
  const { rows, metric, frontier, start } = await resultsTable(lineage, name);
  print(renderTrials(rows, metric));
  const beside = besideScore(frontier.estimate);
  const gain = start.score !== null && frontier.score !== null ? frontier.score - start.score : null;
  print(
    `start ${score(start.score)}, best ${score(frontier.score)} ${metric.unit} (${gain === 0 ? 'no gain' : signed(gain)}), ${frontier.label}${beside === '' ? '' : ` (${beside})`}`,
  );
  const { remark } = await campaignHeader(lineage, name);
  print(`${remark.slice(0, 1).toUpperCase()}${remark.slice(1)}.`);
  if (frontier.number > 0) {
    print(`\nthe best recipe against the start:`);
    print(renderDiff(frontier.diffToStart, wantsColour(process.stdout)));
  }
  say('');
  const best = `npx assay show ${name}/${frontier.label}`.padEnd(32);
  const all = `npx assay trials ${name}`.padEnd(32);
  say(`where to look further:
  ${styled('bold', best, process.stderr)} everything about the best trial
  ${all} all of them
  ${'npx assay dev'.padEnd(32)} servers, workers and the Temporal UI, until Ctrl-C`);
}
