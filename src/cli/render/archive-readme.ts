import type { ArchiveManifest } from '../use-cases/archive-files.js';
import { plural } from './text.js';

/** README of an archive, for those who find the folder without assay. */
export function archiveReadme({ campaign, assay, exportedAt, documents, blobs }: ArchiveManifest): string {
  const trials = Math.max(0, (documents.trials?.count ?? 0) - 1);
  return `# Campaign ${campaign}

Written by assay ${assay} at ${exportedAt}: ${plural(trials, 'trial')} and their start, with ${plural(blobs, 'file')}.

| what | where |
| --- | --- |
| one row for each trial | results.tsv; columns.yaml says what its columns mean |
| the recipe of each trial | snapshots/ |
| every stored document, one JSON object a line | documents/ |
| trees, and the files of trees by SHA-256 | trees.ndjson, blobs/ |
| what an import checks all of this by | archive.json |

\`assay import .\` stores the campaign, read-only; \`assay report --archive .\` reads results.tsv alone. The secrets from
which held-out data are derived are not in here.
`;
}
