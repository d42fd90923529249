import { afterAll, beforeAll, expect, it } from 'vitest';
import { assay } from './assay.js';
import { DAEMON, expectOverrunInSmoke, expectOverrunInTraining, pushLimited } from './limited.js';
import { openLab, type Lab } from './test-task.js';
import type { RowName } from './rows.js';

const CODES = new Map<RowName, string>([
  ['endless', `${DAEMON}while True: time.sleep(0.01)\n`],
  [
    'disk-full',
    `${DAEMON}
for i in range(10**9):
    with open(f"{i}.bin", "wb") as file: file.write(bytes(1 << 20))
    time.sleep(0.02)
`,
  ],
  [
    'gigabyte',
    `${DAEMON}
for i in range(1024): sys.stdout.write("x" * (1 << 20))
`,
  ],
  ['memory-full', `${DAEMON}x = bytearray(900 << 20)\ntime.sleep(600)\n`],
]);

let lab: Lab;
beforeAll(async () => {
  lab = await openLab();
  await pushLimited(lab);
});
afterAll(() => lab.stop());

/** Submits each; answers with their numbers. */
async function submitAll(campaign: string): Promise<Map<RowName, number>> {
  await lab.open(campaign, campaign);
  const numbers = new Map<RowName, number>();
  for (const [row, code] of CODES) numbers.set(row, await lab.submit(campaign, code));
  return numbers;
}

it('a recipe that exhausts something in training ends as that, and no more of its log is kept than the task allows', async () => {
  const numbers = await submitAll('unchecked');
  for (const [row, number] of numbers) expectOverrunInTraining(row, await lab.ended('unchecked', number));
  const { stdout, exitCode } = await assay(
    ['log', `unchecked/${numbers.get('gigabyte')}`, '--json'],
    lab.world.env,
  );
  expect(exitCode).toBe(0);
  expect(stdout.length).toBeLessThan(64 * 1024);
  await lab.close('unchecked');
});

it('the same recipes take no lease where the task has a smoke run', async () => {
  const numbers = await submitAll('smoked');
  for (const [row, number] of numbers) expectOverrunInSmoke(row, await lab.ended('smoked', number));
  await lab.close('smoked');
});
