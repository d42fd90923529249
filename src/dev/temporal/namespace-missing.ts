/** A Temporal server that answers and does not have the namespace, and will not have it however long one waits. */
export class NamespaceMissing extends Error {
  override readonly name = 'NamespaceMissing';
}
