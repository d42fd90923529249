/**
 * Returns an update that sets the fields of a nested object one by one, so that those added by a newer assay stay.
 */
export const fieldsOf = (path: string, values: object): Record<string, unknown> =>
  Object.fromEntries(Object.entries(values).map(([field, value]) => [`${path}.${field}`, value]));
