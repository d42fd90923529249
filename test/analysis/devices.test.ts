import { expect, it } from 'vitest';
import { deviceRows } from '../../src/analysis/read-models/devices.js';
import type { HostDevice, HostDocument } from '../../src/lineage/documents/host.js';
import { renderDevices } from '../../src/cli/render/devices.js';

const NOW = new Date('2026-01-01T12:00:00Z');
const ago = (seconds: number): Date => new Date(NOW.getTime() - 1000 * seconds);

const DEVICE: HostDevice = {
  uuid: 'GPU-a',
  index: 0,
  name: 'NVIDIA H100',
  memoryBytes: 80 * 2 ** 30,
  driver: '550',
  present: true,
  usedBytes: 2 ** 30,
  utilisation: 0.5,
  throttled: [],
  heldFor: null,
  unfit: null,
};
const host = (devices: HostDevice[], more: Partial<HostDocument> = {}): HostDocument => ({
  _id: 'h/gpu/trainer',
  host: 'h',
  pool: 'gpu',
  roles: ['trainer'],
  healthy: true,
  why: null,
  since: ago(100),
  machine: null,
  tier: null,
  kept: null,
  devices,
  at: ago(5),
  ...more,
});

it.each<[string, HostDocument[], RegExp]>([
  ['free', [host([DEVICE])], /h +gpu +0 +NVIDIA H100 +1\.1 GB of 85\.9 GB +50 % +free$/],
  ['leased', [host([{ ...DEVICE, heldFor: 'training t00003 of night-1' }])], /training t00003 of night-1$/],
  [
    'leased by another worker of the host',
    [host([{ ...DEVICE, heldFor: 'training t3' }]), host([DEVICE], { _id: 'h/gpu/evaluator', at: ago(1) })],
    /training t3$/,
  ],
  ['slow', [host([{ ...DEVICE, throttled: ['heat'] }])], /free, slowed down by heat$/],
  [
    'unfit',
    [host([{ ...DEVICE, unfit: { reason: 'on it is process 7', since: ago(90) } }])],
    /no work: on it is process 7, since 1 min 30 s$/,
  ],
  [
    'lost',
    [
      host([
        {
          ...DEVICE,
          present: false,
          usedBytes: null,
          utilisation: null,
          unfit: { reason: 'it is lost', since: ago(5) },
        },
      ]),
    ],
    /– of 85\.9 GB +– +no work: it is lost, since 5\.0 s$/,
  ],
  [
    'closed',
    [host([DEVICE], { healthy: false, why: 'the disk is full' })],
    /no work: the disk is full, since/,
  ],
  [
    'silent',
    [host([DEVICE], { at: ago(61) })],
    /no work: its worker does not report any more, since 1 min 01 s$/,
  ],
])('a device that is %s', (_, hosts, line) => {
  const rows = deviceRows(hosts, NOW);
  expect(rows).toHaveLength(1);
  expect(renderDevices(rows, NOW).split('\n')[1]).toMatch(line);
});

it('devices are listed by host and number', () => {
  const second = { ...DEVICE, uuid: 'GPU-b', index: 1 };
  const rows = deviceRows([host([second, DEVICE], { host: 'z' }), host([second], { host: 'a' })], NOW);
  expect(rows.map(({ host: name, index }) => `${name}${index}`)).toEqual(['a1', 'z0', 'z1']);
});
