import { createInterface } from 'node:readline/promises';
import { AssayError } from '../../domain/errors.js';
import { withContext } from '../context.js';
import { terminateCampaign, type TerminateAnswer } from '../use-cases/terminate-campaign.js';
import { print, printJson, say, type CommonFlags } from '../terminal/terminal.js';

interface Flags extends CommonFlags {
  yes?: boolean;
  reason?: string;
}

export async function run(campaign: string, flags: Flags): Promise<void> {
  const confirm = (running: number): Promise<void> =>
    flags.yes === true ? Promise.resolve() : confirmed(campaign, running);
  const answer = await withContext(['temporal', 'store'], (ground) =>
    terminateCampaign(ground, campaign, flags.reason, confirm),
  );
  if (flags.json === true) printJson(answer);
  else show(answer);
}

/** @throws AssayError USAGE unless a person at a terminal says yes */
async function confirmed(campaign: string, running: number): Promise<void> {
  if (!process.stdin.isTTY || !process.stderr.isTTY)
    throw new AssayError(
      'USAGE',
      'terminate asks before it ends anything, and there is no terminal to ask on',
      {
        remedy: `\`assay terminate ${campaign} --yes\` does not ask.`,
      },
    );
  const terminal = createInterface({ input: process.stdin, output: process.stderr });
  try {
    const answer = await terminal.question(`terminate ${campaign} with ${running} running workflows? [y/N] `);
    if (/^y(es)?$/i.test(answer.trim())) return;
  } finally {
    terminal.close();
  }
  throw new AssayError('USAGE', 'nothing was terminated', { remedy: 'Answer y to continue.' });
}

function show({ campaign, state, workflows, findings }: TerminateAnswer): void {
  for (const id of workflows) print(`${campaign}  workflow  ${id}  terminated`);
  for (const { what, key, did } of findings) print(`${campaign}  ${what}  ${key}  ${did}`);
  say(`${campaign} is ${state}; \`assay status ${campaign}\` shows its result`);
}
