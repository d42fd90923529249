import { execFileSync } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, describe, expect, it } from 'vitest';
import { AssayError } from '../../src/domain/errors.js';
import { isWeaker } from '../../src/domain/task/isolation.js';
import { promiseTier, requirePromisedTier } from '../../src/sandbox/host/promised-tier.js';
import {
  answersJudged,
  attempted,
  failed,
  HOLDS,
  lacks,
  questionScript,
  refusalOf,
  type Question,
} from '../../src/sandbox/tiers/probing.js';
import { TIERS } from './programs.js';

const hostFault = (words: string, cause?: unknown): AssayError =>
  new AssayError('HOST_FAULT', words, { cause });
const withCode = (code: string): Error => Object.assign(new Error('mkdir'), { code });

describe('a probe', () => {
  it.each([
    ['lacks', hostFault('the sandbox could not be set up: bwrap: setting up uid map: Permission denied')],
    ['lacks', hostFault('bwrap: No permissions to create new namespace, likely because the kernel does not')],
    ['lacks', hostFault('bwrap: Creating new namespace failed: max_user_namespaces exceeded (ENOSPC)')],
    ['failed', hostFault('the sandbox could not be set up: bwrap: No space left on device')],
    ['failed', hostFault('a program could not be started: spawn /usr/bin/bwrap EAGAIN')],
    ['lacks', hostFault('a control group cannot be made', withCode('EACCES'))],
    ['failed', hostFault('a control group cannot be made', withCode('ENOMEM'))],
  ])('%s what %s says', async (kind, error) => {
    expect(refusalOf(error).kind).toBe(kind);
    expect((await attempted(() => Promise.reject(error))).kind).toBe(kind);
  });

  it('that could not be carried out is attempted again, and says nothing about the tier in the end', async () => {
    const found = [failed('busy'), failed('busy'), HOLDS];
    expect(await attempted(() => Promise.resolve(found.shift() ?? lacks('never')))).toEqual(HOLDS);
    expect(await attempted(() => Promise.resolve(failed('busy')))).toEqual(failed('busy'));
    expect(await attempted(() => Promise.reject(withCode('ENOENT')))).toEqual(failed('mkdir'));
    const refused = [lacks('no namespaces'), HOLDS];
    expect(await attempted(() => Promise.resolve(refused.shift() ?? HOLDS))).toEqual(lacks('no namespaces'));
  });
});

describe('a probe’s program', () => {
  const questions: Question[] = [
    ['write', 'true', 'yes'],
    ['secret', 'false', 'no'],
  ];
  const judged = (log: string, code = 0): string =>
    answersJudged(questions, log, { kind: 'exited', code }).kind;

  it('answers every question, so that one that has not could not be carried out', () => {
    const log = execFileSync('/bin/sh', ['-c', questionScript(questions)], { encoding: 'utf8' });
    expect(judged(log)).toBe('holds');
    const lines = log.trimEnd().split('\n');
    for (let said = 1; said < lines.length; said += 1)
      expect(judged(`${lines.slice(0, said).join('\n')}\n/bin/sh: 4: Cannot fork\n`, 2)).toBe('failed');
  });

  it('that never began, or answers otherwise, shows that the tier does not hold', () => {
    expect(judged('setpriv: setresuid failed: Operation not permitted\n', 1)).toBe('lacks');
    expect(judged('', 127)).toBe('lacks');
    expect(judged('began\nwrite yes\nsecret yes\n')).toBe('lacks');
    expect(judged('began\nwrite no\nsecret no\n')).toBe('lacks');
  });
});

describe('a worker that would hold a weaker tier than a person was told', () => {
  const none = () => Promise.resolve([]);
  let cache = '';
  afterEach(() => rm(cache, { recursive: true, force: true }));

  it('does not start, and says what is lacking and how to accept it', async () => {
    cache = await mkdtemp(join(tmpdir(), 'assay-promise-'));
    await requirePromisedTier(cache, 'E', none);
    await promiseTier(cache, 'A');
    await expect(requirePromisedTier(cache, 'E', none)).rejects.toMatchObject({
      code: 'PLATFORM_UNSUPPORTED',
      message: expect.stringMatching(
        /^this worker would hold isolation tier E, and `assay doctor` promised tier A on \d{4}-\d\d-\d\d; now A: a kernel/,
      ) as string,
      remedy: expect.stringContaining('ASSAY_TIER=E') as string,
    });
    await promiseTier(cache, 'E');
    await requirePromisedTier(cache, 'D', none);
  });
});

const SANDBOX = fileURLToPath(new URL('../../src/sandbox/sandbox.ts', import.meta.url));

it.runIf(isWeaker('E', TIERS[0] ?? 'E'))(
  'a host that cannot make the probe’s own folder has no sandbox, instead of a weaker one',
  () => {
    const code = `
      process.env.TMPDIR = '/dev/null/folder';
      const { openSandbox } = await import(${JSON.stringify(SANDBOX)});
      await openSandbox().then(
        ({ isolation }) => console.log('tier', isolation.tier),
        ({ code, message }) => console.log(code, message),
      );`;
    const args = ['--import', 'tsx', '--input-type=module', '--eval', code];
    const env = { ...process.env, ASSAY_TIER: '' };
    const printed = execFileSync(process.execPath, args, { env, encoding: 'utf8' });
    expect(printed).toMatch(/^HOST_FAULT it is not known whether isolation tier [B-D] holds: .*ENOTDIR/);
  },
);
