import type { HostDocument, HostDevice } from '../../lineage/documents/host.js';
import type { Lineage } from '../../lineage/lineage.js';

/** A worker of a host that leases accelerators reports every 15 s; one that has not for this long may be gone. */
const SILENT_MS = 60_000;

/** `silent`: its worker has not reported for a minute; `lost`, `unfit` and `closed`: it gets no work; else free or leased. */
export type DeviceStanding = 'free' | 'leased' | 'unfit' | 'lost' | 'closed' | 'silent';

/** An accelerator of a host. */
export interface DeviceRow extends Omit<HostDevice, 'unfit' | 'present'> {
  host: string;
  pool: string;
  standing: DeviceStanding;
  /** Reason why it gets no work; null while it does. */
  why: string | null;
  /** Since when it gets none. */
  since: string | null;
  reportedAt: string;
}

/** `assay.devices/1`: the accelerators that workers lease, as they last reported them. */
export interface DevicesModel {
  schema: 'assay.devices/1';
  asOf: string;
  devices: DeviceRow[];
  /** Hosts of every pool whose workers reported lately and lease no accelerators. */
  without: { host: string; pool: string }[];
}

export async function devicesModel(lineage: Pick<Lineage, 'hosts'>, now: Date): Promise<DevicesModel> {
  const hosts = await lineage.hosts.list();
  const without = hosts
    .filter(({ devices, at }) => devices.length === 0 && now.getTime() - at.getTime() < 2 * SILENT_MS)
    .map(({ host, pool }) => ({ host, pool }));
  return {
    schema: 'assay.devices/1',
    asOf: now.toISOString(),
    devices: deviceRows(hosts, now),
    without: [...new Map(without.map((one) => [`${one.host}/${one.pool}`, one])).values()],
  };
}

/** One row a device: several workers of a host tell of the same ones, each of the leases that are its own. */
export function deviceRows(hosts: readonly HostDocument[], now: Date): DeviceRow[] {
  const rows = new Map<string, DeviceRow>();
  for (const host of [...hosts].sort((a, b) => a.at.getTime() - b.at.getTime()))
    for (const device of host.devices) {
      const key = `${host.host}/${device.uuid}`;
      const row = rowOf(host, device, now);
      const before = rows.get(key);
      const keepsLease = row.standing === 'free' && before?.standing === 'leased';
      if (!keepsLease) rows.set(key, row);
    }
  return [...rows.values()].sort((a, b) =>
    a.host === b.host ? a.index - b.index : a.host < b.host ? -1 : 1,
  );
}

function rowOf(
  { host, pool, at, healthy, why: closed, since: closedSince }: HostDocument,
  { unfit, present, ...device }: HostDevice,
  now: Date,
): DeviceRow {
  const silent = now.getTime() - at.getTime() >= SILENT_MS;
  const [standing, why, since] = silent
    ? (['silent', 'its worker does not report any more', at] as const)
    : unfit !== null
      ? ([present ? 'unfit' : 'lost', unfit.reason, unfit.since] as const)
      : !healthy
        ? (['closed', closed ?? 'its host is unhealthy', closedSince] as const)
        : ([device.heldFor === null ? 'free' : 'leased', null, null] as const);
  return {
    host,
    pool,
    ...device,
    standing,
    why,
    since: since?.toISOString() ?? null,
    reportedAt: at.toISOString(),
  };
}
