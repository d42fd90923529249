/** The folder of a host that keeps what is too large for the store. */
interface Place {
  host: string;
  folder: string;
}

/**
 * Names the queue of work that one host does, since it keeps the files for it. The folder is part of it: another home
 * of the same host has other files.
 */
export const hostQueue = (kind: 'train' | 'eval', { host, folder }: Place): string =>
  `assay-host-${host}-${folder}-${kind}`;
