/** Limits of a phase that are looked at here. */
interface OfPhase {
  run: string;
  resources?: { cpus?: number | undefined } | undefined;
}

/** Part of a task that is read here. */
interface Limited {
  resources: {
    pool: string;
    slots: number;
    gpus: number;
    gpu_kind?: string | undefined;
    gpu_memory_mb?: number | undefined;
    cpus?: number | undefined;
  };
  phases: Readonly<Record<string, OfPhase | undefined>>;
}

/** Names what a task says of its resources that cannot be. */
export function resourceIssues({ resources, phases }: Limited): { path: string[]; message: string }[] {
  const { pool, slots, gpus } = resources;
  const issues = (['gpu_kind', 'gpu_memory_mb'] as const)
    .filter((field) => resources[field] !== undefined && gpus === 0)
    .map((field) => ({
      path: ['resources', field],
      message: 'is about accelerators, and resources.gpus is 0; in a profile, null removes it',
    }));
  const asked: [string[], number | undefined][] = [
    [['resources', 'cpus'], resources.cpus],
    ...Object.entries(phases).map(([name, phase]): [string[], number | undefined] => [
      ['phases', name, 'resources', 'cpus'],
      phase?.resources?.cpus,
    ]),
  ];
  if (pool !== 'cpu') return issues;
  return [
    ...issues,
    ...asked
      .filter(([, cpus]) => cpus !== undefined && cpus > slots)
      .map(([path, cpus]) => ({
        path,
        message: `${cpus ?? 0} processors are more than the ${slots} of resources.slots: a slot of the pool cpu is one`,
      })),
  ];
}
