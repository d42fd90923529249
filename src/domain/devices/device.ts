/** An accelerator of a host. */
export interface Device {
  /** Name that never changes, such as `GPU-5d3…`; for CUDA_VISIBLE_DEVICES. */
  uuid: string;
  /** Number on its host, from 0, by which its device node is named. */
  index: number;
  /** Model, such as `NVIDIA H100 80GB HBM3`. */
  name: string;
  memoryBytes: number;
  /** Version of its driver; empty where unknown. */
  driver: string;
  /** As the driver says it: `Default`, `Exclusive_Process`, `Prohibited`; empty where unknown. */
  computeMode: string;
  /** True when it is divided into instances (MIG), which assay does not lease. */
  divided: boolean;
}

/** Accelerators of a lease, and what a run that uses them needs of its host. */
export interface DeviceAccess {
  /** In the order in which the run counts them. */
  uuids: readonly string[];
  /** Absolute paths of device nodes or sockets that the run may open: those of its devices, and the driver's own. */
  nodes: readonly string[];
  /** Absolute paths that the driver's libraries read, such as parts of /sys. */
  readable: readonly string[];
}
