/** Part of a task that is read here. */
interface Measured {
  scoring: 'served' | 'direct';
  data?:
    | {
        train: string;
        search: string;
        claim?: string | undefined;
        reveal?: { folder: string } | undefined;
      }
    | undefined;
  gates: readonly { metric: string }[];
  phases: { pack?: unknown };
  replicate: { processes: number; deterministic: boolean };
}

/** Something that a task says of how it is measured, and cannot be. */
interface Issue {
  path: string[];
  message: string;
}

/** Names what a task says of processes and of revealed inputs that makes no sense. */
export function measuringIssues(task: Measured): Issue[] {
  return [...processIssues(task), ...revealIssues(task)];
}

function processIssues({ replicate, scoring, phases }: Measured): Issue[] {
  if (replicate.processes === 1) return [];
  const path = ['replicate', 'processes'];
  return [
    ...(scoring === 'served'
      ? [
          {
            path,
            message:
              'several processes leave an artifact each, and a server has one: with scoring "served" it is 1',
          },
        ]
      : []),
    ...(phases.pack === undefined
      ? []
      : [
          {
            path,
            message:
              'several processes leave an artifact each, and packing makes one: with phases.pack it is 1',
          },
        ]),
    ...(replicate.deterministic
      ? [{ path, message: 'a deterministic task measures the same in every process: leave it at 1' }]
      : []),
  ];
}

function revealIssues({ data, scoring, gates }: Measured): Issue[] {
  if (data?.reveal === undefined)
    return gates.some(({ metric }) => metric === 'reveal_s')
      ? [
          {
            path: ['gates'],
            message: 'reveal_s is the time with revealed inputs, and data.reveal reveals none',
          },
        ]
      : [];
  const path = ['data', 'reveal'];
  const { folder } = data.reveal;
  const others = [data.train, data.search, data.claim].filter((part) => part !== undefined);
  const shared = others.find((part) => isWithin(folder, part) || isWithin(part, folder));
  return [
    ...(scoring === 'served'
      ? [{ path, message: 'with scoring "served" a server is asked for what it answers: leave it out' }]
      : []),
    ...(shared === undefined
      ? []
      : [
          {
            path: [...path, 'folder'],
            message: `"${folder}" and "${shared}" overlap; the folder has to be one of its own, without labels`,
          },
        ]),
  ];
}

const parts = (folder: string): string[] => folder.split('/').filter((part) => part !== '' && part !== '.');

/** Returns true when a folder is another one, or lies in it. */
function isWithin(folder: string, outer: string): boolean {
  const inner = parts(folder);
  return parts(outer).every((part, at) => inner[at] === part);
}
