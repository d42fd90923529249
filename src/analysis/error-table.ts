import { ERRORS, type Actor } from '../domain/errors.js';
import type { BadInput } from './bad-input.js';
import { BAD_PROGRAMS } from './bad-programs.js';
import { BAD_REQUESTS } from './bad-requests.js';

/** What comes of input that is wrong, for docs/errors.md. */
export const BAD_INPUTS: readonly BadInput[] = [...BAD_REQUESTS, ...BAD_PROGRAMS];

const WHO: Record<Actor, string> = {
  user: 'you',
  environment: 'whoever runs the machine',
  transient: 'nobody, at first',
  bug: 'the maintainers',
};

const RETRIED = { no: 'no', bounded: 'a few times', endless: 'until it passes' } as const;

/** What a code, a status or a message may hold that would break a table. */
const cell = (text: string): string => text.replaceAll('|', '\\|').replaceAll('\n', ' ');

const row = (...cells: string[]): string => `| ${cells.map(cell).join(' | ')} |`;

/** docs/errors.md: the registry of errors, and what comes of bad input. */
export function renderErrors(): string {
  return [
    '# Errors',
    '',
    'Written from `src/domain/errors.ts` and the files `src/analysis/bad-*.ts` by `ASSAY_RECORD=1 npx vitest run test/domain/errors.test.ts`; not to be edited by hand.',
    '',
    'On the command line an error is one line saying what is wrong and one saying what to do, on stderr; `--debug` adds the stack. In the Temporal UI the code is the type of the failure. "Retried" says how often Temporal tries the activity again by itself; after that, and at once for what is not retried, the campaign is `blocked` with its trials parked until a person has mended the cause and resumes it. Exit codes: 1 failed, 2 usage, 3 environment, 4 budget.',
    '',
    row('code', 'who acts', 'exit', 'retried', 'what to do'),
    row('---', '---', '---', '---', '---'),
    ...Object.entries(ERRORS).map(([code, { who, exit, retry, remedy }]) =>
      row(`\`${code}\``, WHO[who], String(exit), RETRIED[retry || 'no'], remedy),
    ),
    '',
    '## Bad input, and what it gets',
    '',
    'A proposal that fails is a result: its trial gets a status, never an error, and its agent is told the numbers. A fault of the infrastructure is never a status of a trial, except `cancelled` when it lasted. The last column quotes what is said; of rows marked ‡ a test shows the first step, and what follows is read from the code; rows marked † are only read from the code.',
    '',
    row('input', 'noticed', 'gets', 'how it reads'),
    row('---', '---', '---', '---'),
    ...BAD_INPUTS.map(inputRow),
    '',
  ].join('\n');
}

function inputRow({ input, noticed, gets, reads, tested }: BadInput): string {
  const got = gets.map((each) =>
    'error' in each ? `\`${each.error}\`` : 'status' in each ? `trial \`${each.status}\`` : each.words,
  );
  return row(`${input}${markOf(tested)}`, noticed, got.join(', then '), reads);
}

function markOf(tested: BadInput['tested']): string {
  if (tested === null) return ' †';
  return tested.whole ? '' : ' ‡';
}
