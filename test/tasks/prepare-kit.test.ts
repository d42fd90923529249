import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { KIT_SOURCE } from '../../src/tasks/kit.js';
import { downloadFile } from '../../src/tasks/download.js';
import { unpackCommit } from '../../src/tasks/source/archive.js';

const CONTENT = Buffer.from(Array.from({ length: 300_000 }, (_, at) => at % 251));
const DIGEST = createHash('sha256').update(CONTENT).digest('hex');

describe('assay_prepare', () => {
  let folder: string;
  let asked: string[];
  let answer: (request: IncomingMessage, response: ServerResponse) => void;
  let server: ReturnType<typeof createServer>;
  let url: string;

  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'assay-prepare-kit-'));
    asked = [];
    answer = whole;
    server = createServer((request, response) => {
      asked.push(`${request.url ?? ''} ${request.headers.range ?? ''}`.trim());
      answer(request, response);
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/data/train.bin`;
  });
  afterEach(async () => {
    await new Promise((resolve) => server.close(resolve));
    await rm(folder, { recursive: true, force: true });
  });

  const whole = (request: IncomingMessage, response: ServerResponse): void => {
    const from = Number(/bytes=(\d+)-/.exec(request.headers.range ?? '')?.[1] ?? 0);
    const isSame = request.headers['if-range'] === '"one"' && from > 0;
    response.writeHead(isSame ? 206 : 200, {
      etag: '"one"',
      'content-length': isSame ? CONTENT.length - from : CONTENT.length,
    });
    response.end(isSame ? CONTENT.subarray(from) : CONTENT);
  };
  /** Sends a part of the file and ends the connection, the first time. */
  const cutOnce = (request: IncomingMessage, response: ServerResponse): void => {
    answer = whole;
    response.writeHead(200, { etag: '"one"', 'content-length': CONTENT.length });
    response.write(CONTENT.subarray(0, 100_000), () => response.destroy());
  };

  /** Runs lines of a preparation; `time.sleep` is over at once. */
  const prepare = async (lines: string, env: Record<string, string> = {}): Promise<string> => {
    const program = `import sys, time\nsys.path.insert(0, ${JSON.stringify(KIT_SOURCE)})\ntime.sleep = lambda s: None\nfrom assay_prepare import *\nto = ${JSON.stringify(join(folder, 'out', 'train.bin'))}\nurl = ${JSON.stringify(url)}\n${lines}`;
    const { stdout } = await promisify(execFile)('python3', ['-c', program], {
      env: { PATH: process.env['PATH'] ?? '', ASSAY_DOWNLOADS: join(folder, 'downloads'), ...env },
    });
    return stdout;
  };
  const brought = (): Promise<Buffer> => readFile(join(folder, 'out', 'train.bin'));

  it('continues a download that was cut, and needs no network afterwards', async () => {
    answer = cutOnce;
    await prepare(`download(url, to, "${DIGEST}")`);
    expect((await brought()).equals(CONTENT)).toBe(true);
    expect(asked).toHaveLength(2);
    expect(asked[1]).toMatch(/^\/data\/train\.bin bytes=\d+-$/);
    await rm(join(folder, 'out'), { recursive: true });
    await prepare(`download(url, to, "${DIGEST}")`);
    expect((await brought()).equals(CONTENT)).toBe(true);
    expect(asked).toHaveLength(2);
  });

  it('begins anew where the file has changed since it was cut', async () => {
    answer = cutOnce;
    await prepare(`
import assay_prepare
assay_prepare.TRIES = 1
try: download(url, to)
except DownloadError: pass
`);
    answer = (_, response) => response.writeHead(200, { etag: '"two"' }).end('other');
    await prepare('download(url, to)');
    expect((await brought()).toString()).toBe('other');
  });

  it('records a checksum that nobody gave, and holds the file to it afterwards', async () => {
    expect(await prepare('download(url, to)')).toContain(`recorded the checksum of ${url}: sha256=${DIGEST}`);
    await rm(join(folder, 'downloads'), { recursive: true });
    await prepare('download(url, to)');
    const [kept = ''] = execFileSync('find', [join(folder, 'downloads'), '-name', 'train.bin'])
      .toString()
      .split('\n');
    await writeFile(kept, 'damaged');
    answer = (_, response) => response.end('changed upstream');
    await expect(prepare('download(url, to)')).rejects.toThrow(/by the first download it is [0-9a-f]{64}/);
    answer = whole;
    await prepare('download(url, to)');
    expect((await brought()).equals(CONTENT)).toBe(true);
  });

  it('refuses another content than the task says, and does not keep it', async () => {
    const wrong = prepare(`download(url, to, "${'0'.repeat(64)}")`);
    await expect(wrong).rejects.toThrow(new RegExp(`has SHA-256 ${DIGEST}, and by the task it is 0000`));
    await prepare(`download(url, to, "${DIGEST}")`);
    expect(asked).toHaveLength(2);
  });

  it('says at once what a server refuses', async () => {
    answer = (_, response) => response.writeHead(404).end();
    await expect(prepare('download(url, to)')).rejects.toThrow(
      /cannot be downloaded: the server answered 404.*ASSAY_MIRROR/,
    );
    expect(asked).toHaveLength(1);
  });

  it('takes a local copy, tells its progress in lines and writes a manifest', async () => {
    const host = new URL(url).host;
    await mkdir(join(folder, 'mirror', host, 'data'), { recursive: true });
    await writeFile(join(folder, 'mirror', host, 'data', 'train.bin'), CONTENT);
    const progress = join(folder, 'progress');
    const out = JSON.stringify(join(folder, 'out'));
    await prepare(`download(url, to, "${DIGEST}")\nwrite_manifest(${out})`, {
      ASSAY_MIRROR: join(folder, 'mirror'),
      ASSAY_PROGRESS: progress,
    });
    expect(asked).toEqual([]);
    const [line = ''] = (await readFile(progress, 'utf8')).trim().split('\n').slice(-1);
    expect(JSON.parse(line)).toMatchObject({
      file: 'train.bin',
      bytes: CONTENT.length,
      total: CONTENT.length,
      done: true,
    });
    expect(JSON.parse(await readFile(join(folder, 'out', 'manifest.json'), 'utf8'))).toEqual({
      schema: 'assay.data/1',
      files: [{ path: 'train.bin', bytes: CONTENT.length, sha256: DIGEST }],
    });
  });

  it('takes a copy by its last name alone only where it knows what it has to be', async () => {
    await mkdir(join(folder, 'mirror'));
    await writeFile(join(folder, 'mirror', 'train.bin'), 'of another set of data');
    const mirror = { ASSAY_MIRROR: join(folder, 'mirror') };
    await prepare('download(url, to)', mirror);
    expect((await brought()).equals(CONTENT)).toBe(true);
    await writeFile(join(folder, 'mirror', 'train.bin'), CONTENT);
    await rm(join(folder, 'downloads'), { recursive: true, force: true });
    asked.length = 0;
    await prepare(`download(url, to, "${DIGEST}")`, mirror);
    expect(asked).toEqual([]);
  });

  it('says where there is no room, without trying again', async () => {
    const limited = 'import resource\nresource.setrlimit(resource.RLIMIT_FSIZE, (1000, 1000))\n';
    const ignoring = 'import signal\nsignal.signal(signal.SIGXFSZ, signal.SIG_IGN)\n';
    await expect(prepare(`${limited}${ignoring}download(url, to)`)).rejects.toThrow(
      /cannot be written: File too large\. Make room/,
    );
  });

  it('brings what assay itself needs: a file with its digest, the archive of a commit', async () => {
    const { signal } = new AbortController();
    const to = join(folder, 'file');
    expect(await downloadFile({ url, to, sha256: DIGEST }, signal)).toBeNull();
    expect(await downloadFile({ url, to: `${to}2`, sha256: 'f'.repeat(64) }, signal)).toMatch(/has SHA-256/);
    await mkdir(join(folder, 'name-c0ffee'));
    await writeFile(join(folder, 'name-c0ffee', 'a.py'), 'a = 1\n');
    const archive = execFileSync('tar', ['-cz', '-C', folder, 'name-c0ffee']);
    answer = (_, response) => response.end(archive);
    const pin = { repository: new URL('/owner/name', url).href, commit: 'c0ffee'.padEnd(40, '0') };
    const unpacked = await unpackCommit(pin, folder, signal);
    expect(await readFile(join(unpacked, 'a.py'), 'utf8')).toBe('a = 1\n');
    expect(asked.at(-1)).toBe(`/owner/name/archive/${pin.commit}.tar.gz`);
  });
});
