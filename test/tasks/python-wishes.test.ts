import { execFileSync } from 'node:child_process';
import { createServer } from 'node:http';
import { chmod, mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { z } from 'zod';
import { sha256 } from '../../src/domain/digest.js';
import { isInRange, isPythonRange } from '../../src/domain/task/python-range.js';
import { matchingPython } from '../../src/tasks/matching-python.js';
import { findPython } from '../../src/tasks/python.js';
import { bringWheels } from '../../src/tasks/wheels.js';

const { signal } = new AbortController();

describe('a range of versions', () => {
  it.each([
    ['>=3.12', '3.12.0', true],
    ['>=3.12', '3.11.9', false],
    ['>3.12', '3.12.0', false],
    ['>3.12', '3.12.1', true],
    ['>=3.10,<3.13', '3.12.9', true],
    ['>=3.10, <3.13', '3.13.0', false],
    ['==3.12.*', '3.12.7', true],
    ['==3.12.*', '3.13.0', false],
    ['==3.12', '3.12.7', false],
    ['!=3.12.*', '3.12.7', false],
    ['!=3.12.1', '3.12.2', true],
    ['~=3.11', '3.14.0', true],
    ['~=3.11', '4.0.0', false],
    ['~=3.11.2', '3.11.1', false],
    ['~=3.11.2', '3.12.0', false],
    ['<=3.9', '3.9.1', false],
  ])('%s holds of %s: %s', (range, version, holds) => {
    expect(isInRange(version, range)).toBe(holds);
  });
  it.each(['', '3.12', '>=', '>=3.x', '>=3.12.*', '~=3', '>=3.12;<3.13', '>=3.12,'])(
    '"%s" is none',
    (range) => {
      expect(isPythonRange(range)).toBe(false);
    },
  );
});

describe('the Python of a task', () => {
  let folder: string;
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'assay-wishes-'));
    vi.stubEnv('VIRTUAL_ENV', '');
    vi.stubEnv('ASSAY_PYTHON', '');
  });
  afterEach(async () => {
    vi.unstubAllEnvs();
    await rm(folder, { recursive: true, force: true });
  });

  it('is the active one where it fits, else another that PATH names by its version', async () => {
    const active = await matchingPython(null, signal);
    expect(await matchingPython('>=3.10', signal)).toEqual(active);
    const other = join(folder, 'python3.29');
    // the real one, by another number
    await writeFile(
      other,
      `#!/bin/sh\n'${active.executable}' "$@" | sed 's/"version": "[0-9.]*"/"version": "3.29.5"/'\n`,
    );
    await chmod(other, 0o755);
    vi.stubEnv('PATH', [folder, process.env['PATH'] ?? ''].join(delimiter));
    expect((await matchingPython('==3.29.*', signal)).version).toBe('3.29.5');
    await expect(matchingPython('>=3.40', signal)).rejects.toMatchObject({
      code: 'PYTHON_UNAVAILABLE',
      message: expect.stringContaining(
        `needs Python >=3.40, and this host has ${active.executable} (Python ${active.version}`,
      ) as unknown,
      remedy: expect.stringContaining('Install one in that range') as unknown,
    });
  });

  it('has the wheels that it names, checked, and from the cache afterwards', async () => {
    const wheel = join(folder, 'only_a_wheel-1.0-py3-none-any.whl');
    execFileSync('python3', [
      '-c',
      `
import sys, zipfile
info = "only_a_wheel-1.0.dist-info/"
with zipfile.ZipFile(sys.argv[1], "w") as file:
    file.writestr("only_a_wheel.py", "answer = 42\\n")
    file.writestr(info + "METADATA", "Metadata-Version: 2.1\\nName: only-a-wheel\\nVersion: 1.0\\nRequires-Dist: torch\\n")
    file.writestr(info + "WHEEL", "Wheel-Version: 1.0\\nGenerator: test\\nRoot-Is-Purelib: true\\nTag: py3-none-any\\n")
    file.writestr(info + "RECORD", "only_a_wheel.py,,\\n" + "".join(info + name + ",,\\n" for name in ("METADATA", "WHEEL", "RECORD")))
`,
      wheel,
    ]);
    const digest = sha256(await readFile(wheel));
    const cache = join(folder, 'cache');
    const find = (sha256Of: string) =>
      findPython(cache, null, signal, { range: null, wheels: [{ url: wheel, sha256: sha256Of }] });
    await expect(find('0'.repeat(64))).rejects.toMatchObject({
      code: 'PYTHON_UNAVAILABLE',
      message: expect.stringContaining(`has SHA-256 ${digest}`) as unknown,
    });
    for (const url of ['https://h/a/..%2F..%2Fx.whl', 'https://h/100%zz.whl', 'https://h/x.zip'])
      await expect(
        findPython(cache, null, signal, { range: null, wheels: [{ url, sha256: digest }] }),
      ).rejects.toMatchObject({ message: `${url} does not end with the name of a wheel` });
    const python = await find(digest);
    const run = (): string =>
      execFileSync(python.executable, ['-c', 'import only_a_wheel; print(only_a_wheel.answer)'], {
        env: python.env,
      }).toString();
    expect(run()).toBe('42\n');
    await rm(wheel);
    await rm(python.environment ?? '', { recursive: true });
    await find(digest);
    expect(run()).toBe('42\n');
  });

  it('continues a wheel whose download was interrupted', async () => {
    const bytes = Buffer.alloc(4_000_000, 'wheel');
    const asked: (string | undefined)[] = [];
    let stalled = (): void => undefined;
    const half = new Promise<void>((resolve) => (stalled = resolve));
    const server = createServer((request, response) => {
      const from = Number(/bytes=(\d+)-/.exec(request.headers.range ?? '')?.[1] ?? 0);
      asked.push(request.headers.range);
      const length = { 'Content-Length': bytes.length - from, ETag: '"one"' };
      response.writeHead(from > 0 ? 206 : 200, length);
      if (asked.length > 1) response.end(bytes.subarray(from));
      // the rest never comes
      else response.write(bytes.subarray(0, 2_500_000), stalled);
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    try {
      const { port } = z.object({ port: z.number() }).parse(server.address());
      const url = `http://127.0.0.1:${port}/only_a_wheel-1.0-py3-none-any.whl`;
      const wheels = [{ url, sha256: sha256(bytes) }];
      const killed = new AbortController();
      const first = bringWheels(folder, wheels, killed.signal);
      const ended = expect(first).rejects.toThrow();
      await half;
      const part = join(folder, 'wheels', sha256(bytes), 'only_a_wheel-1.0-py3-none-any.whl.part');
      await expect
        .poll(async () => (await stat(part).catch(() => null))?.size ?? 0, { timeout: 20_000 })
        .toBeGreaterThan(1_000_000);
      killed.abort();
      await ended;
      const [file] = await bringWheels(folder, wheels, signal);
      expect(sha256(await readFile(file ?? ''))).toBe(sha256(bytes));
      expect(Number(/\d+/.exec(asked[1] ?? '')?.[0])).toBeGreaterThan(1_000_000);
    } finally {
      server.closeAllConnections();
      server.close();
    }
  });
});
