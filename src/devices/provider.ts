import type { Device, DeviceAccess } from '../domain/devices/device.js';
import type { DeviceState } from '../domain/devices/device-state.js';

/** Access to the accelerators of this host. */
export interface DeviceProvider {
  readonly kind: 'nvidia' | 'simulated';
  /** Lists the accelerators by their number; throws where they cannot be asked for. */
  discover(): Promise<Device[]>;
  /** Looks at all of them, by uuid; one that is lost is not in it. */
  look(): Promise<ReadonlyMap<string, DeviceState>>;
  /** Gives a run what it needs to use these, and no others. */
  access(devices: readonly Device[]): Promise<DeviceAccess>;
}
