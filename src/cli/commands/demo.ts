import type { Command } from 'commander';
import { campaignRows } from '../../analysis/rows.js';
import { startLocalFleet } from '../fleet.js';
import { withGround, type Ground } from '../ground.js';
import { INTERRUPTED, interrupted } from '../interrupt.js';
import { renderDiff } from '../render/diff.js';
import { wantsColour } from '../render/paint.js';
import { score, signed } from '../render/numbers.js';
import { renderTrials } from '../render/trials.js';
import { followToEnd } from '../ending.js';
import { freeName, startCampaign } from '../start-campaign.js';
import { print, say, styled } from '../terminal.js';

interface Flags {
  trials: string;
  trainSeconds: string;
}

export function register(program: Command): void {
  program
    .command('demo')
    .description(
      'measure a small campaign on this machine: three specialists, 12 trials of byte-golf, no key needed',
    )
    .option('--trials <n>', 'trials to run', '12')
    .option('--train-seconds <s>', 'training budget of one trial', '3')
    .addHelpText('before', '\nExample:\n  npm run demo\n  npm run demo -- --trials 30')
    .action(async (flags: Flags) => {
      await withGround(['temporal', 'store'], (ground) => demo(ground, flags));
    });
}

/** Starts servers, workers and a campaign, and ends by itself with what was found. */
async function demo(ground: Ground, flags: Flags): Promise<void> {
  const { servers, lineage } = ground;
  if (servers.temporal.uiUrl !== null) say(`Temporal UI while this runs: ${servers.temporal.uiUrl}`);
  const fleet = await startLocalFleet(servers, { roles: [], pool: 'cpu' });
  const name = await freeName(lineage, 'demo');
  const stopping = new AbortController();
  try {
    const input = {
      task: 'byte-golf',
      trials: Number(flags.trials),
      trainSeconds: Number(flags.trainSeconds),
      trainHeartbeatSeconds: 20,
    };
    await startCampaign(await ground.client(), lineage, name, input);
    const end = await Promise.race([
      followToEnd(ground, name, false, stopping.signal),
      interrupted().then(() => INTERRUPTED),
      fleet.ended.then(() => 1),
    ]);
    stopping.abort();
    process.exitCode = end;
    if (end === INTERRUPTED)
      say('draining: work in flight goes on for up to 10 s; Ctrl-C again ends at once');
    else await showResult(ground, name);
  } finally {
    stopping.abort();
    await fleet.stop();
  }
  if (process.exitCode === INTERRUPTED)
    say(`stopped; campaign ${name} is kept and goes on under \`npx assay dev\``);
}

async function showResult({ lineage }: Ground, name: string): Promise<void> {
  const { rows, metric, frontier, start } = await campaignRows(lineage, name);
  print(renderTrials(rows, metric));
  const gain = start.score !== null && frontier.score !== null ? frontier.score - start.score : null;
  print(
    `start ${score(start.score)}, best ${score(frontier.score)} ${metric.unit} (${signed(gain)}), ${frontier.label}`,
  );
  print('Adopted greedily on single runs of unknown noise: nothing is claimed.');
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
