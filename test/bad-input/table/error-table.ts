import { ERRORS, type Actor } from '../../../src/domain/errors.js';
import type { BadInput, Gets } from './bad-input.js';
import { BLAME } from './blame.js';
import { BAD_PROGRAMS } from './bad-programs.js';
import { BAD_REQUESTS } from './bad-requests.js';
import { BAD_SERVICES } from './bad-services.js';

/** Rows of docs/errors.md on bad input. Each is shown by the test that it names. */
export const BAD_INPUTS = { ...BAD_REQUESTS, ...BAD_SERVICES, ...BAD_PROGRAMS };

const WHO: Record<Actor, string> = {
  user: 'you',
  environment: 'the operator',
  transient: 'no one at first',
  bug: 'the maintainers',
};

const RETRIED = { no: 'no', bounded: 'a few times', endless: 'until it passes' } as const;

/** Escapes what would break a table in a code, a status or a message. */
const cell = (text: string): string => text.replaceAll('|', '\\|').replaceAll('\n', ' ');

const row = (...cells: string[]): string => `| ${cells.map(cell).join(' | ')} |`;

/** Renders docs/errors.md: the registry of errors, and the results of bad input. */
export function renderErrors(): string {
  return [
    '# Errors',
    '',
    'Written from `src/domain/errors.ts` and the files `test/bad-input/table/bad-*.ts` by `ASSAY_RECORD=1 npx vitest run test/domain/errors.test.ts`; not to be edited by hand.',
    '',
    'On the command line an error is one line saying what is wrong and one saying what to do, on stderr; `--debug` adds the stack. In the Temporal UI the code is the type of the failure. "Retried" says how often Temporal retries the activity by itself; after that, and at once for what is not retried, the campaign is `blocked` with its trials parked until a person fixes the cause and resumes it. Exit codes: 1 failed, 2 usage, 3 environment, 4 budget.',
    '',
    row('code', 'who acts', 'exit', 'retried', 'what to do'),
    row('---', '---', '---', '---', '---'),
    ...Object.entries(ERRORS).map(([code, { who, exit, retry, remedy }]) =>
      row(`\`${code}\``, WHO[who], String(exit), RETRIED[retry || 'no'], remedy),
    ),
    '',
    '## Bad input',
    '',
    'A proposal that fails is a result: its trial gets a status, never an error, and its agent gets the numbers. An infrastructure fault is never the status of a trial: if it does not pass, it blocks the campaign, and its trials wait. "Message" quotes what is printed: N stands for a number, words in capitals for what varies. Every row is shown by the test in the last column, on real servers, which also checks the message.',
    '',
    row('input', 'noticed', 'result', 'message', 'shown by'),
    row('---', '---', '---', '---', '---'),
    ...Object.values(BAD_INPUTS).map(inputRow),
    '',
    '## Evidence before blame',
    '',
    'A message names a recipe, a task, a host, an evaluator or a person only with the evidence in this table. Without it, the message says what is known and names nobody.',
    '',
    row('blamed', 'said', 'evidence', 'without it'),
    row('---', '---', '---', '---'),
    ...BLAME.map(({ blamed, said, evidence, without }) => row(blamed, said, evidence, without)),
    '',
  ].join('\n');
}

function inputRow({ input, noticed, gets, reads, shownBy }: BadInput): string {
  return row(input, noticed, gets.map(gotten).join(', then '), reads, `\`${shownBy}\``);
}

function gotten(got: Gets): string {
  if (typeof got === 'string') return got;
  if ('error' in got) return `\`${got.error}\``;
  return 'trial' in got ? `trial \`${got.trial}\`` : `campaign \`${got.campaign}\``;
}
