/** A Temporal namespace as a worker or a command is connected to it. */
export interface TemporalNamespace {
  name: string;
  /**
   * Asks the server for the id, which no other namespace and no other server has; null for one that is gone and whose
   * id nobody has recorded.
   */
  id(): Promise<string | null>;
  /** Returns true when the server knows this execution: by its first run, or by a later one that a reset has made. */
  knowsRun(workflowId: string, firstExecutionRunId: string): Promise<boolean>;
}

/** Stored fields that say where a campaign runs. */
interface Placed {
  /** Its name, which is its workflow id. */
  _id: string;
  /** `namespace/firstExecutionRunId`. */
  owner: string;
  /** Id of its namespace; null for campaigns of an assay that did not record it. */
  namespaceId: string | null;
}

/** Reason why nothing of a campaign may be settled or ended from here. */
export type Elsewhere =
  { kind: 'namespace'; name: string } | { kind: 'server'; namespace: string } | { kind: 'unrecorded' };

/**
 * Finds out whether a campaign runs in the namespace at hand; returns null if it does. Several servers may share a
 * store, and their namespaces may have one name, so the id decides. A campaign without a recorded id runs here if the
 * server knows its workflow; a server that has forgotten it cannot be told from another one.
 */
export async function findElsewhere(
  { _id, owner, namespaceId }: Placed,
  here: TemporalNamespace,
): Promise<Elsewhere | null> {
  const slash = owner.lastIndexOf('/');
  const namespace = owner.slice(0, slash);
  if (namespace !== here.name) return { kind: 'namespace', name: namespace };
  if (namespaceId !== null) return namespaceId === (await here.id()) ? null : { kind: 'server', namespace };
  return (await here.knowsRun(_id, owner.slice(slash + 1))) ? null : { kind: 'unrecorded' };
}

export function elsewhereText(elsewhere: Elsewhere): string {
  if (elsewhere.kind === 'namespace') return `it belongs to the namespace "${elsewhere.name}"`;
  if (elsewhere.kind === 'server')
    return `it belongs to another Temporal server, whose namespace is called "${elsewhere.namespace}" as well`;
  return 'it was stored by an assay that did not record its server, and this server does not know its workflow';
}
