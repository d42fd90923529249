import { mkdir, readdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { AssayError } from '../../domain/errors.js';
import { trialLabel } from '../../domain/keys.js';
import type { CampaignDocument } from '../../lineage/documents/campaign.js';
import type { DecisionDocument } from '../../lineage/documents/decision.js';
import type { Lineage } from '../../lineage/lineage.js';
import { runGit } from '../../tasks/source/git.js';
import { archivePaths } from './archive-files.js';
import { writeOut } from './write-out.js';

/** Steps of a frontier that are read. */
const MOST_STEPS = 10_000;

/**
 * Writes a git repository with one commit for the start and for each trial that the frontier is built on, oldest first.
 * @returns the number of its commits
 * @throws AssayError GIT_FAILED
 */
export async function writeRepository(
  lineage: Lineage,
  { owner, _id: name }: CampaignDocument,
  folder: string,
): Promise<number> {
  const { repository } = archivePaths(folder);
  await mkdir(repository);
  await git(repository, ['init', '--quiet', '--initial-branch=main']);
  const frontier = await lineage.decisions.frontier(owner);
  const steps = frontier === null ? [] : (await lineage.decisions.chain(frontier, MOST_STEPS)).reverse();
  for (const step of steps) {
    const { snapshot, role, hypothesis, submittedAt } = await lineage.trials.require(owner, step.trial);
    await emptied(repository);
    await writeOut(lineage.blobs, repository, await lineage.blobs.tree(snapshot));
    await git(repository, ['add', '--all', '--force']);
    const message = join(repository, '.git', 'STEP');
    await writeFile(message, `${messageOf(name, step, hypothesis)}\n`);
    const author = [`--author=${role} <${role}@assay.invalid>`, `--date=${submittedAt.toISOString()}`];
    await git(repository, [...COMMITTER, 'commit', ...COMMIT, ...author, `--file=${message}`]);
  }
  return steps.length;
}

/** Settings of a person are not asked for, nor are their hooks and keys used. */
const COMMITTER = [
  '-c',
  'user.name=assay',
  '-c',
  'user.email=assay@assay.invalid',
  '-c',
  'commit.gpgsign=false',
];
const COMMIT = ['--quiet', '--allow-empty', '--no-verify'];

async function git(repository: string, args: readonly string[]): Promise<void> {
  const { ok, said } = await runGit(args, { cwd: repository, signal: new AbortController().signal });
  if (!ok)
    throw new AssayError('GIT_FAILED', `git ${args.find((arg) => /^[a-z]/.test(arg)) ?? ''} failed: ${said}`);
}

function messageOf(campaign: string, { trial, inputs }: DecisionDocument, hypothesis: string): string {
  const [first = '', ...rest] = hypothesis.trim().split('\n');
  const subject = `${trialLabel(trial)}: ${first.slice(0, 60)}`;
  const body = first.length > 60 || rest.length > 0 ? `\n\n${hypothesis.trim()}` : '';
  return `${subject}${body}\n\nCampaign: ${campaign}\nTrial: ${trialLabel(trial)}\nScore: ${inputs.score}`;
}

/** Removes all files of a work tree, since a step may have deleted some. */
async function emptied(repository: string): Promise<void> {
  for (const name of await readdir(repository))
    if (name !== '.git') await rm(join(repository, name), { recursive: true });
}
