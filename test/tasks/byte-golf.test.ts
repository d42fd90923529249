import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, mkdtemp, readFile, readdir, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Duplex } from 'node:stream';
import { text } from 'node:stream/consumers';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { evaluationSchema, type Evaluation } from '../../src/domain/trial/evaluation.js';
import { treeBytes } from '../../src/domain/task/entry-bytes.js';
import { knobsOf } from '../../src/domain/text/knobs.js';
import { loadTask } from '../../src/tasks/load.js';
import { BYTE_GOLF, KIT, numpyPython } from './numpy-python.js';

const run = promisify(execFile);
const TASK = BYTE_GOLF;
const SECRET = 'a1'.repeat(32);

let work: string;
let bin: string;

const settings = (more: Record<string, string>): Record<string, string> => ({
  PATH: `${bin}:/usr/local/bin:/usr/bin:/bin`,
  HOME: work,
  TMPDIR: work,
  LANG: 'C.UTF-8',
  OPENBLAS_NUM_THREADS: '1',
  OMP_NUM_THREADS: '1',
  PYTHONDONTWRITEBYTECODE: '1',
  ...more,
});

const python = (cwd: string, argv: string[], env: Record<string, string>): Promise<{ stdout: string }> =>
  run('python', argv, { cwd, env: settings(env) });

async function folder(...parts: string[]): Promise<string> {
  const path = join(work, ...parts);
  await mkdir(path, { recursive: true });
  return path;
}

async function prepared(name: string, secret: string): Promise<string> {
  const output = await folder(name);
  await python(TASK, ['prepare.py'], { ASSAY_OUTPUT: output, ASSAY_DATA_SECRET: secret });
  return output;
}

async function sizeOf(path: string): Promise<number> {
  const sizes = await Promise.all(
    (await readdir(path)).map(async (name) => (await stat(join(path, name))).size),
  );
  return sizes.reduce((sum, size) => sum + size, 0);
}

/** Runs twin servers and the evaluator as the harness does, their frames passing through this process. */
async function evaluated(
  server: string[],
  cwd: string,
  artifact: string,
  more: Record<string, string> = {},
): Promise<Evaluation> {
  const judge = spawn('python', ['evaluator/evaluate.py'], {
    cwd: TASK,
    env: settings({
      PYTHONPATH: KIT,
      ASSAY_DATA: join(work, 'first/search'),
      ASSAY_RESULT_FD: '3',
      ASSAY_SERVER_IN_FD: '4',
      ASSAY_SERVER_OUT_FD: '5',
      ASSAY_TWIN_IN_FD: '6',
      ASSAY_TWIN_OUT_FD: '7',
      ASSAY_HARNESS: join(work, 'harness.json'),
      ...more,
    }),
    stdio: ['ignore', 'ignore', 'inherit', 'pipe', 'pipe', 'pipe', 'pipe', 'pipe'],
  });
  const servers = [4, 6].map((at) => {
    const served = spawn('python', server, {
      cwd,
      env: settings({ ASSAY_ARTIFACT: artifact }),
      stdio: ['pipe', 'pipe', 'ignore'],
    });
    const [requests, answers] = [pipeOf(judge.stdio, at), pipeOf(judge.stdio, at + 1)];
    for (const stream of [served.stdin, served.stdout, requests, answers])
      stream.on('error', () => undefined);
    requests.pipe(served.stdin);
    served.stdout.pipe(answers);
    return served;
  });
  const verdict = await text(pipeOf(judge.stdio, 3));
  if (judge.exitCode === null) await once(judge, 'exit');
  for (const served of servers) served.kill('SIGKILL');
  return evaluationSchema.parse(JSON.parse(verdict));
}

function pipeOf(stdio: readonly unknown[], descriptor: number): Duplex {
  const stream = stdio[descriptor];
  if (!(stream instanceof Duplex)) throw new Error(`descriptor ${descriptor} is missing`);
  return stream;
}

/** A server whose every answer is right but for one fault. */
const FAULTY = `
import json, sys, time
import numpy as np
fault = sys.argv[1]
receive, send = sys.stdin.buffer, sys.stdout.buffer
while head := receive.read(4):
    request = json.loads(receive.read(int.from_bytes(head, 'little')))
    tokens = np.frombuffer(receive.read(request.get('bytes', 0)), np.uint8)
    answer, body = {**request, 'bytes': 0, 'vocab': 256}, b''
    if request['type'] in ('gather', 'blind'):
        claims, logits = np.full(request.get('count', 0), -np.log(256), '<f4'), np.zeros(256, '<f4')
        if fault == 'nan': logits[7] = np.nan
        if fault == 'infinite': claims[:1] = -np.inf
        if fault == 'positive': claims[-1:] = 1e-6
        if fault == 'looks_ahead': claims[::20] = 0
        body = (claims if request['type'] == 'gather' else logits).tobytes()
        if fault == 'short': body = body[4:]
        answer.update(bytes=len(body))
        if fault == 'claims_more': answer['bytes'] = 1 << 62
        if fault == 'wrong_id': answer['id'] = 'x'
        if fault == 'silent': time.sleep(60)
        if fault == 'dies': sys.exit()
    header = json.dumps(answer).encode()
    if fault == 'bad_json': header = b'{' * len(header)
    if fault == 'huge_header': send.write(b'\\xff\\xff\\xff\\xff')
    send.write(len(header).to_bytes(4, 'little') + header + body)
    if fault == 'extra' and request['type'] == 'bye': send.write(b'more')
    send.flush()
    if request['type'] == 'bye': break
`;

beforeAll(async () => {
  work = await mkdtemp(join(tmpdir(), 'assay-byte-golf-'));
  bin = await numpyPython();
  await writeFile(join(work, 'faulty.py'), FAULTY);
  await writeFile(join(work, 'harness.json'), '{}');
  await prepared('first', SECRET);
});

afterAll(() => rm(work, { recursive: true, force: true }));

describe('byte-golf', () => {
  it('is a valid task whose recipe has knobs to turn', async () => {
    const { spec, files } = await loadTask(TASK);
    expect(spec.name).toBe('byte-golf');
    expect(files.map(({ path }) => path)).toContain('evaluator-kit/assay_serving/__init__.py');
    const recipe = files.find((file) => file.path === 'recipe/train.py');
    expect(knobsOf(recipe?.bytes.toString('utf8') ?? '').map((knob) => knob.name)).toContain('LR');
  });

  it('prepares the same bytes from the same secret, others from another, and three different texts', async () => {
    const [again, other] = await Promise.all([prepared('again', SECRET), prepared('other', 'b2'.repeat(32))]);
    const manifest = (at: string): Promise<string> => readFile(join(at, 'manifest.json'), 'utf8');
    const first = await manifest(join(work, 'first'));
    expect(await manifest(again)).toBe(first);
    const digests = new Set(
      [first, await manifest(other)].flatMap((text) =>
        [...text.matchAll(/text\.bin.*\s.*\s.*"sha256": "(\w+)"/g)].map((match) => match[1]),
      ),
    );
    expect(digests.size).toBe(6);
  });

  it('finishes a preparation that was cut off', async () => {
    const at = await prepared('cut', SECRET);
    const manifest = await readFile(join(at, 'manifest.json'), 'utf8');
    await rm(join(at, 'manifest.json'));
    await rm(join(at, 'claim/text.json'));
    await writeFile(join(at, 'search/text.bin'), 'torn');
    const { stdout } = await python(TASK, ['prepare.py'], { ASSAY_OUTPUT: at, ASSAY_DATA_SECRET: SECRET });
    expect(stdout).toContain('train: already prepared');
    expect(await readFile(join(at, 'manifest.json'), 'utf8')).toBe(manifest);
  });

  it('trains, packs and scores between the limit and 8 bits a byte', async () => {
    const [out, artifact, recipe] = [await folder('out'), await folder('artifact'), join(TASK, 'recipe')];
    const training = { ASSAY_SEED: '7', ASSAY_DATA: join(work, 'first/train'), ASSAY_TRAIN_SECONDS: '1.5' };
    await python(recipe, ['train.py'], { ...training, ASSAY_OUTPUT: out });
    const packing = { ASSAY_INPUT: out, ASSAY_OUTPUT: artifact };
    const { stdout } = await python(recipe, ['train.py', '--pack'], packing);
    const bytes = treeBytes([
      { path: 'model.bin', bytes: await sizeOf(artifact) },
      { path: 'train.py', bytes: (await stat(join(recipe, 'train.py'))).size },
    ]);
    expect(await readdir(artifact)).toEqual(['model.bin']);
    expect(stdout).toContain(`names included: ${bytes}\n`);
    expect(bytes).toBeLessThan(24_000);
    const answer = await evaluated(['train.py', '--serve'], recipe, artifact);
    if (!('metrics' in answer)) throw new Error(answer.failure.reason);
    expect(answer.metrics['bpb']).toBeLessThan(5);
    expect(answer.metrics['bpb']).toBeGreaterThan(answer.metrics['limit_bpb'] ?? Infinity);
    expect(answer.feedback).toContain('person, again in paragraph');
  });

  it('stops by the clock that began before it, after a few steps even if that is over', async () => {
    const training = { ASSAY_DATA: join(work, 'first/train'), ASSAY_OUTPUT: await folder('late') };
    const late = { ...training, ASSAY_TRAIN_SECONDS: '1000', ASSAY_TRAIN_BEGAN: '-100000' };
    const { stdout } = await python(join(TASK, 'recipe'), ['train.py'], late);
    expect(stdout).toContain('done: 10 steps');
  });

  it('projects the packed size from the smoke run, without data', async () => {
    const [out, artifact, recipe] = [
      await folder('smoke'),
      await folder('smoke-artifact'),
      join(TASK, 'recipe'),
    ];
    await python(recipe, ['train.py', '--smoke'], { ASSAY_OUTPUT: out });
    await python(recipe, ['train.py', '--pack'], { ASSAY_INPUT: out, ASSAY_OUTPUT: artifact });
    expect(await sizeOf(artifact)).toBeGreaterThan(9_000);
    expect(await sizeOf(artifact)).toBeLessThan(14_000);
  });

  it.each([
    ['short', 'protocol'],
    ['claims_more', 'protocol'],
    ['wrong_id', 'protocol'],
    ['dies', 'protocol'],
    ['bad_json', 'protocol'],
    ['huge_header', 'protocol'],
    ['extra', 'protocol'],
    ['nan', 'invalid'],
    ['positive', 'invalid'],
    ['infinite', 'invalid'],
    ['silent', 'late'],
    ['looks_ahead', 'twins_disagree'],
  ])('calls a server that is %s %s', async (fault, kind) => {
    const answer = await evaluated(['faulty.py', fault], work, work);
    expect('failure' in answer ? answer.failure.kind : answer).toBe(kind);
  });

  it('scores in a rehearsal as much training text as its share of a full evaluation', async () => {
    const rehearsal = { ASSAY_DATA: join(work, 'first/train'), ASSAY_REHEARSAL: '0.1' };
    const answer = await evaluated(['faulty.py', 'none'], work, work, rehearsal);
    expect(answer.feedback).toContain('bits/byte on 2400 bytes');
  });

  it('measures a server that knows nothing at 8 bits a byte', async () => {
    const answer = await evaluated(['faulty.py', 'none'], work, work);
    expect('metrics' in answer && answer.metrics['bpb']).toBeCloseTo(8, 6);
  });
});
