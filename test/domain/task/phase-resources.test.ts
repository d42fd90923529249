import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import {
  largestDiskMb,
  outputDiskMb,
  resourcesOf,
  unfitDevices,
} from '../../../src/domain/task/phase-resources.js';
import { processorsOf, type Task } from '../../../src/domain/task/task.js';
import { parseTask } from '../../../src/tasks/load.js';
import { PARTS } from '../../fixtures/tiny.js';

const TEXT = readFileSync(join(PARTS, 'task.yaml'), 'utf8');
const task = (resources: string, more = ''): Task =>
  parseTask(`${TEXT.replace(/^resources: .*$/m, `resources: { ${resources} }`)}${more}`, 't.yaml');
const gpu = (more = ''): Task => task(`pool: gpu, gpus: 1${more}`);

describe('the limits of a phase', () => {
  const own = parseTask(
    TEXT.replace(/^resources: .*$/m, 'resources: { slots: 4, memory_mb: 1000, disk_mb: 50, cpus: 3 }')
      .replace(
        /^( +)train:\n/m,
        '$1train:\n$1  resources: { memory_mb: 3000, disk_mb: 70, shm_mb: 9, cpus: 2, processes: 7 }\n',
      )
      .replace(/^evaluate: \{/m, 'evaluate: { resources: { disk_mb: 90 },'),
    't.yaml',
  );
  it('are its own where it has some, else those of the task', () => {
    expect(resourcesOf(own, 'train')).toMatchObject({ memory_mb: 3000, shm_mb: 9, cpus: 2, processes: 7 });
    expect(resourcesOf(own, 'pack')).toMatchObject({ memory_mb: 1000, cpus: 3, processes: 64 });
    expect([largestDiskMb(own), outputDiskMb(own)]).toEqual([90, 70]);
  });
  it.each([
    [{ pool: 'cpu', slots: 4, gpus: 0, cpus: 2 }, 2],
    [{ pool: 'cpu', slots: 4, gpus: 0 }, 4],
    [{ pool: 'gpu', slots: 1, gpus: 2, cpus: 100 }, 16],
    [{ pool: 'gpu', slots: 1, gpus: 2, cpus: 5 }, 5],
  ])('let %j use %d processors of a host with 64 and 8 slots', (resources, expected) => {
    expect(processorsOf(resources, 8, 64)).toBe(expected);
  });
});

describe('the accelerators of a host', () => {
  const H100 = { name: 'NVIDIA H100 80GB HBM3', memoryBytes: 80 * 2 ** 30 };
  it.each<[Task, (typeof H100)[], string | null]>([
    [gpu(), [H100], null],
    [gpu(", gpu_kind: 'h100|H200'"), [H100], null],
    [
      gpu(', gpu_kind: L4'),
      [H100],
      'its accelerators are NVIDIA H100 80GB HBM3, and task "parts" asks for L4 (resources.gpu_kind)',
    ],
    [gpu(', gpu_memory_mb: 81920'), [H100], null],
    [
      gpu(', gpu_memory_mb: 81921'),
      [H100],
      'its accelerators have 81920 MiB of memory, and task "parts" asks for 81921 (resources.gpu_memory_mb)',
    ],
    [task('slots: 1'), [H100], null],
  ])('fit a training or do not: %#', (of, devices, expected) => {
    expect(unfitDevices(of, 'train', devices)).toBe(expected);
  });
  it('do not matter to work that uses none', () => {
    const evaluating = parseTask(
      TEXT.replace(/^resources: .*$/m, 'resources: { pool: gpu, gpus: 1, gpu_kind: L4 }').replace(
        /^evaluate: \{/m,
        'evaluate: { gpus: 0,',
      ),
      't.yaml',
    );
    expect(unfitDevices(evaluating, 'evaluate', [H100])).toBeNull();
  });
});

describe('resources', () => {
  it.each([
    ["slots: 1, gpu_kind: 'H100'", /resources\.gpu_kind: is about accelerators, and resources\.gpus is 0/],
    ['slots: 1, gpu_memory_mb: 5', /resources\.gpu_memory_mb: is about/],
    ["pool: gpu, gpus: 1, gpu_kind: 'H(100'", /resources\.gpu_kind: .*regular expression/],
    ['slots: 2, cpus: 3', /resources\.cpus: 3 processors are more than the 2 of resources\.slots/],
  ])('{ %s } are refused', (resources, message) => {
    expect(() => task(resources)).toThrow(message);
  });
});
