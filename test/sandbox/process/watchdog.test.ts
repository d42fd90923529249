import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { execa } from 'execa';
import { describe, expect, it, vi } from 'vitest';
import type { TierName } from '../../../src/domain/task/isolation.js';
import { markerOf, processTable } from '../../../src/sandbox/process/process-table.js';
import { requestFor, TIERS } from '../programs.js';

const SANDBOX = new URL('../../../src/sandbox/sandbox.ts', import.meta.url).href;
const WATCHDOG = new URL('../../../src/sandbox/process/watchdog.ts', import.meta.url).href;

interface Supervisor {
  /** The run that it supervises. */
  run: string;
  process: ReturnType<typeof launched>;
}

const launched = (code: string, boundS: number, options: readonly string[]) =>
  execa(process.execPath, ['--import', 'tsx', ...options, '--input-type=module', '-e', code], {
    reject: false,
    env: { ASSAY_WATCHDOG_S: String(boundS) },
    extendEnv: true,
  });

/** A process that supervises a run, and does `then` once the run has printed; returns when it says `up`. */
async function supervisor(
  tier: TierName,
  then: string,
  boundS: number,
  options: readonly string[] = [],
): Promise<Supervisor> {
  const request = requestFor('setsid sleep 600 & echo up; sleep 600');
  const code = `
    const { openSandbox } = await import(${JSON.stringify(SANDBOX)});
    const request = ${JSON.stringify({ ...request, signal: undefined })};
    const sandbox = await openSandbox({ tier: ${JSON.stringify(tier)} });
    let told = false;
    const onOutput = () => {
      if (told) return;
      told = true;
      process.stdout.write('up\\n', () => { ${then} });
    };
    const run = sandbox.run({ ...request, signal: new AbortController().signal, onOutput });
    const { ending } = await run;
    console.log(JSON.stringify(ending));`;
  const process = launched(code, boundS, options);
  await new Promise((resolve, reject) => {
    process.stdout.once('data', resolve);
    void process.then(({ stderr }) => reject(new Error(stderr)));
  });
  return { run: request.id, process };
}

async function survivors(run: string): Promise<number[]> {
  const rows = [...(await processTable()).values()];
  return rows.filter((row) => !row.zombie && markerOf(row.pid) === run).map((row) => row.pid);
}

const HANGS = 'for (;;);';

describe.each(TIERS)('a supervisor at tier %s whose event loop hangs', (tier) => {
  it('is ended with its run, and says why', async () => {
    const { run, process } = await supervisor(tier, HANGS, 1);
    const { signal, stderr } = await process;
    expect(signal).toBe('SIGKILL');
    expect(stderr.match(/this worker has not answered for 1 s: it is killed/g)).toHaveLength(1);
    expect(stderr).toContain(run);
    await vi.waitFor(async () => expect(await survivors(run)).toEqual([]), 10_000);
  });
});

describe('the watchdog', () => {
  it('ends a process that hangs while nothing runs', async () => {
    const code = `
      const { watchProcess } = await import(${JSON.stringify(WATCHDOG)});
      watchProcess();
      setTimeout(() => { ${HANGS} }, 100);`;
    const { signal, stderr } = await launched(code, 1, []);
    expect(signal).toBe('SIGKILL');
    expect(stderr).toContain('its runs are (none)');
  });

  it('does not mistake a process that was stopped for one that hangs', async () => {
    const boundS = 4;
    const { run, process } = await supervisor('E', '', boundS);
    process.kill('SIGSTOP');
    await sleep(2 * boundS * 1000);
    process.kill('SIGCONT');
    await sleep(2 * boundS * 1000);
    expect(await survivors(run)).not.toEqual([]);
    expect(process.exitCode).toBeNull();
    process.kill('SIGKILL');
    expect((await process).stderr).toBe('');
  });

  it('does not mistake a debugger that holds the process for one that hangs', async () => {
    const { run, process } = await supervisor('E', HANGS, 1, ['--inspect=0']);
    await sleep(3000);
    expect(await survivors(run)).not.toEqual([]);
    process.kill('SIGKILL');
    expect((await process).stderr).not.toContain('has not answered');
  });

  it('ends a run that its supervisor has forgotten, and lets the process live', async () => {
    const mark = `test-${randomUUID()}`;
    const code = `
      import { spawn } from 'node:child_process';
      const { watchOver } = await import(${JSON.stringify(WATCHDOG)});
      const child = spawn('/bin/sh', ['-c', 'sleep 600'], { detached: true, env: { ASSAY_RUN: ${JSON.stringify(mark)} } });
      watchOver({ mark: ${JSON.stringify(mark)}, group: child.pid, controlGroups: [], uid: null, wallS: 0.5 });
      child.once('exit', (_, signal) => console.log(signal));`;
    const { stdout, stderr, exitCode } = await launched(code, 1, []);
    expect([stdout, exitCode]).toEqual(['SIGKILL', 0]);
    expect(stderr).toContain(`run ${mark} is still there 1 s after its 0.5 s: its processes are killed`);
    expect(await survivors(mark)).toEqual([]);
  });

  it('keeps no command alive, and says what is wrong with its bound', async () => {
    const done = await launched(
      `const { watchOver } = await import(${JSON.stringify(WATCHDOG)});
       watchOver({ mark: 'test-none', group: 2 ** 22 - 1, controlGroups: [], uid: null, wallS: 600 });`,
      30,
      [],
    );
    expect([done.exitCode, done.stderr]).toEqual([0, '']);
    const wrong = await launched(
      `const { watchOver } = await import(${JSON.stringify(WATCHDOG)});
       try { watchOver({}); } catch (error) { console.log(error.code, error.message); }`,
      0,
      [],
    );
    expect(wrong.stdout).toBe('USAGE ASSAY_WATCHDOG_S is "0", not a number of seconds from 1 to 86400');
  });
});
