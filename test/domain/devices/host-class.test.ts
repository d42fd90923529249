import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Device } from '../../../src/domain/devices/device.js';
import {
  differenceText,
  hostClassOf,
  mayBeOf,
  refusalOfClass,
  roundedGib,
  type CalibratedClass,
  type Machine,
} from '../../../src/domain/devices/host-class.js';
import { MACHINE } from '../../builders/machine.js';

const H100: Device = {
  uuid: 'GPU-1',
  index: 0,
  name: 'NVIDIA H100 80GB HBM3',
  memoryBytes: 80 * 2 ** 30,
  driver: '550.54.15',
  computeMode: 'Default',
  divided: false,
};
const LIBRARIES = 'Python 3.12.1 with 41 packages (0f3a6c1e)';
const classOf = (
  machine: Partial<Machine> = {},
  devices: readonly Device[] = [H100],
  libraries = LIBRARIES,
) => hostClassOf({ ...MACHINE, ...machine }, libraries, devices);

describe('memory of a class', () => {
  it.each([
    [15.6, 16],
    [16, 16],
    [23.5, 24],
    [31.2, 32],
    [94, 96],
    [125.8, 128],
    [503.5, 512],
    [0.9, 1],
    [0, 0],
  ])('%d GiB is %d', (bytes, rounded) => {
    expect(roundedGib(bytes * 2 ** 30)).toBe(rounded);
  });

  it('is never less than there is, and at most a quarter more', () => {
    fc.assert(
      fc.property(fc.integer({ min: 2 ** 20, max: 2 ** 44 }), (bytes) => {
        const rounded = roundedGib(bytes) * 2 ** 30;
        expect(rounded).toBeGreaterThanOrEqual(bytes);
        expect(rounded).toBeLessThanOrEqual(1.25 * bytes + 1);
      }),
    );
  });
});

describe('the class of a host', () => {
  it.each<[string, ReturnType<typeof classOf>]>([
    ['another processor', classOf({ processor: 'Another' })],
    ['more processors', classOf({ processors: 8 })],
    ['more memory', classOf({ memoryGib: 32 })],
    ['another platform', classOf({ platform: 'linux-arm64' })],
    ['another model of accelerators', classOf({}, [{ ...H100, name: 'NVIDIA A100' }])],
    ['another driver', classOf({}, [{ ...H100, driver: '560.1' }])],
    ['more accelerators', classOf({}, [H100, { ...H100, uuid: 'GPU-2', index: 1 }])],
    ['no accelerator', classOf({}, [])],
    ['other libraries', classOf({}, [H100], 'Python 3.12.1 with 42 packages (11112222)')],
  ])('is another one with %s, and the difference is named', (_what, other) => {
    expect(other.id).not.toBe(classOf().id);
    expect(differenceText(other.is, classOf().is)).not.toBe('');
  });

  it('is the same with another accelerator of the same model', () => {
    const other = classOf({}, [{ ...H100, uuid: 'GPU-9', index: 3 }]);
    expect(other).toEqual(classOf());
    expect(differenceText(other.is, classOf().is)).toBe('');
    expect(other.id).toMatch(/^linux-x64-[0-9a-f]{8}$/);
  });

  it.each<[string, Parameters<typeof mayBeOf>[0], boolean]>([
    ['is alike', { machine: MACHINE, devices: [H100] }, true],
    ['has more of its accelerators', { machine: MACHINE, devices: [H100, H100] }, true],
    ['has none', { machine: MACHINE, devices: [] }, false],
    ['has another model', { machine: MACHINE, devices: [{ ...H100, name: 'NVIDIA A100' }] }, false],
    ['has another driver', { machine: MACHINE, devices: [{ ...H100, driver: '560.1' }] }, false],
    ['has more memory', { machine: { ...MACHINE, memoryGib: 32 }, devices: [H100] }, false],
    ['does not say what it is', { machine: null, devices: [H100] }, false],
  ])('may be that of a host that reports and %s: %s', (_what, report, expected) => {
    expect(mayBeOf(report, classOf().is)).toBe(expected);
  });

  it('names what differs with its units, the accelerators first', () => {
    expect(differenceText(classOf({ memoryGib: 32 }, []).is, classOf().is)).toBe(
      'accelerator none, not NVIDIA H100 80GB HBM3; accelerators 0, not 1; driver none, not 550.54.15; memory 32 GiB, not 16 GiB',
    );
  });
});

describe('a host', () => {
  const own = classOf();
  const other = classOf({ memoryGib: 32 });
  const calibrated = (work: CalibratedClass['work'], of = own): CalibratedClass => ({
    work,
    trainedBy: '',
    shift: {},
    ...of,
  });

  it.each<[string, CalibratedClass[], string | null]>([
    ['may do the first work of a campaign', [], null],
    ['may work where it has calibrated', [calibrated('train')], null],
    ['may train where others evaluate', [calibrated('evaluate', other)], null],
    ['may work where its class is one of several', [calibrated('train', other), calibrated('train')], null],
    [
      'is refused where another class has calibrated, and the message says what differs',
      [calibrated('train', other), calibrated('evaluate')],
      `rex is of host class ${own.id}, and the campaign belongs to ${other.id}, which calibrated it (memory 16 GiB, not 32 GiB)`,
    ],
  ])('%s', (_what, classes, refusal) => {
    expect(refusalOfClass(classes, { work: 'train' }, { name: 'rex', hostClass: own })).toBe(refusal);
  });
});
