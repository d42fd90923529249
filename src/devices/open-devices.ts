import { AssayError } from '../domain/errors.js';
import { programOnPath } from '../sandbox/tiers/launch.js';
import { HostDevices, type HostDevicesSettings } from './host-devices.js';
import { NvidiaDevices } from './nvidia.js';
import type { DeviceProvider } from './provider.js';
import { SimulatedProvider } from './simulated/provider.js';

/** Variable that names the devices of a worker: `none`, `nvidia`, or `simulated:FOLDER`. */
export const DEVICES_VARIABLE = 'ASSAY_DEVICES';

/** Pool whose workers use no accelerators. */
const CPU_POOL = 'cpu';

/**
 * Opens the accelerators of this host for a pool: those that ASSAY_DEVICES names, else NVIDIA's where this host has its
 * program; null for the pool `cpu`, and where there are none.
 * @throws AssayError USAGE for a wrong ASSAY_DEVICES, DEVICE_FAULT when those that are asked for do not answer
 */
export async function openDevices({
  env,
  ...settings
}: HostDevicesSettings & { env: NodeJS.ProcessEnv }): Promise<HostDevices | null> {
  if (settings.pool === CPU_POOL) return null;
  const provider = providerNamed(env[DEVICES_VARIABLE] ?? '');
  return provider === null ? null : HostDevices.open(provider, settings);
}

function providerNamed(name: string): DeviceProvider | null {
  const [kind, folder] = splitAtColon(name);
  if (kind === 'none') return null;
  if (kind === 'nvidia' || (name === '' && programOnPath('nvidia-smi') !== null)) return new NvidiaDevices();
  if (kind === 'simulated' && folder !== '') return new SimulatedProvider(folder);
  if (name === '') return null;
  throw new AssayError('USAGE', `${DEVICES_VARIABLE} is "${name}"; it is none, nvidia or simulated:FOLDER`);
}

function splitAtColon(text: string): [string, string] {
  const at = text.indexOf(':');
  return at === -1 ? [text, ''] : [text.slice(0, at), text.slice(at + 1)];
}
