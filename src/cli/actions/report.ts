import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { archiveReport } from '../../analysis/report/archive-report.js';
import { campaignReport } from '../../analysis/report/campaign-report.js';
import { html } from '../../analysis/report/html.js';
import { markdown } from '../../analysis/report/markdown.js';
import type { FinishedReport } from '../../analysis/report/run-report.js';
import { AssayError } from '../../domain/errors.js';
import { withContext } from '../context.js';
import { print, printJson, say, type CommonFlags } from '../terminal/terminal.js';
import { readArchive } from '../use-cases/read-archive.js';

interface Flags extends CommonFlags {
  archive?: string;
  columns?: string;
  into: string;
}

export async function run(campaign: string | undefined, flags: Flags): Promise<void> {
  const reports = await reportsOf(campaign, flags);
  if (flags.json === true) {
    printJson({ schema: 'assay.report/1', reports: reports.map(({ facts }) => facts) });
    return;
  }
  await mkdir(flags.into, { recursive: true });
  for (const { document } of reports) {
    const forms = { html: html(document), md: markdown(document) };
    for (const [ending, content] of Object.entries(forms)) {
      const file = join(flags.into, `${document.title}-report.${ending}`);
      await writeFile(file, content);
      print(file);
    }
  }
  say('docs/reports.md says what each figure means');
}

async function reportsOf(campaign: string | undefined, flags: Flags): Promise<FinishedReport[]> {
  const { archive, columns } = flags;
  if ((campaign === undefined) === (archive === undefined))
    throw new AssayError('USAGE', 'a report is on a campaign, or on an archive by --archive');
  if (archive !== undefined) return (await readArchive(archive, columns)).map(archiveReport);
  if (columns !== undefined) throw new AssayError('USAGE', '--columns belongs to --archive');
  const found: FinishedReport[] = [];
  await withContext(['store'], async ({ lineage }) => {
    found.push(await campaignReport(lineage, campaign ?? ''));
  });
  return found;
}
