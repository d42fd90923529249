import { describe, expect, it } from 'vitest';
import { devicesIn, holdersIn, statesIn } from '../../src/devices/nvidia-smi.js';

const MIB = 1024 * 1024;

describe('what nvidia-smi says of devices', () => {
  it('is read line by line, ordered by number', () => {
    const csv = `GPU-b, 1, NVIDIA H100 80GB HBM3, 81559, 550.54.15, Default, Disabled
GPU-a, 0, NVIDIA H100 80GB HBM3, 81559, 550.54.15, Exclusive_Process, Enabled
`;
    expect(devicesIn(csv)).toEqual([
      {
        uuid: 'GPU-a',
        index: 0,
        name: 'NVIDIA H100 80GB HBM3',
        memoryBytes: 81559 * MIB,
        driver: '550.54.15',
        computeMode: 'Exclusive_Process',
        divided: true,
      },
      expect.objectContaining({ uuid: 'GPU-b', index: 1, divided: false }),
    ]);
  });

  it.each([
    ['No devices were found', []],
    ['', []],
    ['GPU-x, [N/A], Tesla, [N/A], [N/A], [N/A], [N/A]', []],
  ])('%j names %j', (csv, expected) => {
    expect(devicesIn(csv)).toEqual(expected);
  });
});

describe('the state of a device', () => {
  it.each([
    ['0x0000000000000001', []],
    ['0x0000000000000000', []],
    // the cap on power is usual at full load
    ['0x0000000000000004', []],
    ['0x0000000000000008', ['hardware slowdown']],
    ['0x0000000000000068', ['hardware slowdown', 'software thermal slowdown', 'hardware thermal slowdown']],
    ['0x0000000000000080', ['power brake']],
    ['[N/A]', []],
  ])('with reasons %s is slowed down by %j', (reasons, throttled) => {
    const csv = `GPU-a, 512, 81559, 37, 1980, ${reasons}, 0`;
    expect(statesIn(csv, new Map()).get('GPU-a')).toEqual({
      uuid: 'GPU-a',
      usedBytes: 512 * MIB,
      totalBytes: 81559 * MIB,
      holders: [],
      utilisation: 0.37,
      clockMhz: 1980,
      throttled,
      uncorrected: 0,
    });
  });

  it('is null where the driver does not say', () => {
    const state = statesIn('GPU-a, 0, 100, [N/A], [N/A], [N/A], [N/A]', new Map()).get('GPU-a');
    expect(state).toMatchObject({ utilisation: null, clockMhz: null, uncorrected: null });
  });

  it('names who is on it, also without a size', () => {
    const holders = holdersIn('GPU-a, 7, 3\nGPU-b, 8, [N/A]\nGPU-a, 9, 5\nNo running processes found\n');
    expect([...holders]).toEqual([
      [
        'GPU-a',
        [
          { pid: 7, bytes: 3 * MIB },
          { pid: 9, bytes: 5 * MIB },
        ],
      ],
      ['GPU-b', [{ pid: 8, bytes: 0 }]],
    ]);
    expect(statesIn('GPU-b, 0, 100, 0, 0, 0, 0', holders).get('GPU-b')?.holders).toHaveLength(1);
  });
});
