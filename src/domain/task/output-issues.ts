/** Part of a task that is read here. */
interface Producing {
  data?: { train: string } | undefined;
  phases: {
    prewarm?: { output: string; reads: readonly string[] } | undefined;
    train: { output: string; reads: readonly string[] };
    pack?: { output: string; reads: readonly string[] } | undefined;
    serve?: unknown;
  };
}

interface Issue {
  path: string[];
  message: string;
}

const bare = (folder: string): string => folder.replace(/\/+$/, '');

/** Names what a task says of the outputs of its phases that cannot be. */
export function outputIssues(task: Producing): Issue[] {
  return [...sameNames(task), ...readBefore(task), ...unseenCache(task)];
}

const ORDER = ['prewarm', 'train', 'pack'] as const;

/** Outputs that `reads` could not tell apart. */
function sameNames({ data, phases }: Producing): Issue[] {
  const taken = new Map(data === undefined ? [] : [[bare(data.train), 'data.train']]);
  return ORDER.flatMap((name) => {
    const output = phases[name]?.output;
    if (output === undefined) return [];
    const other = taken.get(bare(output));
    taken.set(bare(output), `phases.${name}.output`);
    if (other === undefined) return [];
    const message = `"${output}" is ${other} already; each needs a name of its own, by which \`reads\` can ask for it`;
    return [{ path: ['phases', name, 'output'], message }];
  });
}

/** Phases that ask for what does not exist yet when they run. */
function readBefore({ phases }: Producing): Issue[] {
  return ORDER.flatMap((name, at) => {
    const later = ORDER.slice(at).flatMap((of) => phases[of]?.output ?? []);
    const asked = phases[name]?.reads.find(
      (entry) => entry.endsWith('/') && later.some((output) => bare(output) === bare(entry)),
    );
    if (asked === undefined) return [];
    const message = `"${asked}" is made by ${name} itself or after it, so that ${name} cannot read it`;
    return [{ path: ['phases', name, 'reads'], message }];
  });
}

/** A cache that is made for nobody. */
function unseenCache({ phases: { prewarm, train, pack, serve } }: Producing): Issue[] {
  if (prewarm === undefined || serve !== undefined) return [];
  const sees = ({ reads }: { reads: readonly string[] }): boolean =>
    reads.length === 0 || reads.some((entry) => entry.endsWith('/') && bare(entry) === bare(prewarm.output));
  if ([train, pack].some((phase) => phase !== undefined && sees(phase))) return [];
  const message = `no phase sees the cache: add "${bare(prewarm.output)}/" to phases.train.reads`;
  return [{ path: ['phases', 'prewarm', 'output'], message }];
}
