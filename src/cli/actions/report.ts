import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { archiveReport } from '../../analysis/report/archive-report.js';
import { campaignReport } from '../../analysis/report/campaign-report.js';
import type { ReportDocument } from '../../analysis/report/blocks.js';
import { comparisonReport } from '../../analysis/report/comparison-report.js';
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
  compare?: boolean;
  into: string;
}

export async function run(campaigns: readonly string[], flags: Flags): Promise<void> {
  const reports = await reportsOf(campaigns, flags);
  const compared = flags.compare === true || campaigns.length > 1 ? comparisonReport(reports) : null;
  if (flags.json === true) {
    printJson({ schema: 'assay.report/1', reports: reports.map(({ facts }) => facts) });
    return;
  }
  await mkdir(flags.into, { recursive: true });
  if (compared !== null) await write(compared, join(flags.into, 'comparison-report'));
  else
    for (const { document } of reports) await write(document, join(flags.into, `${document.title}-report`));
  say('docs/reports.md says what each figure means');
}

async function write(document: ReportDocument, path: string): Promise<void> {
  for (const [ending, content] of Object.entries({ html: html(document), md: markdown(document) })) {
    await writeFile(`${path}.${ending}`, content);
    print(`${path}.${ending}`);
  }
}

/** Reports on the searches that are named: campaigns of this store, and runs of an archive. */
async function reportsOf(campaigns: readonly string[], flags: Flags): Promise<FinishedReport[]> {
  const { archive, columns } = flags;
  if (campaigns.length === 0 && archive === undefined)
    throw new AssayError('USAGE', 'a report is on a campaign, or on an archive by --archive');
  if (columns !== undefined && archive === undefined)
    throw new AssayError('USAGE', '--columns belongs to --archive');
  if (campaigns.length > 0 && archive !== undefined && flags.compare !== true)
    throw new AssayError('USAGE', 'a campaign and --archive are put into one report by --compare');
  const found = archive === undefined ? [] : (await readArchive(archive, columns)).map(archiveReport);
  if (campaigns.length === 0) return found;
  await withContext(['store'], async ({ lineage }) => {
    for (const campaign of campaigns) found.push(await campaignReport(lineage, campaign));
  });
  return found;
}
