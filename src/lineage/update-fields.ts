/** Fields of an object within a document, to be set one by one: those that a newer assay has put beside them stay. */
export const fieldsOf = (path: string, values: object): Record<string, unknown> =>
  Object.fromEntries(Object.entries(values).map(([field, value]) => [`${path}.${field}`, value]));
