type Defined<T> = { [K in keyof T]?: NonNullable<T[K]> };

/** Keeps the fields that have a value: one that is null or undefined is left out. */
export function definedFields<T extends object>(fields: T): Defined<T> {
  const defined: Defined<T> = {};
  for (const key in fields) {
    const value = fields[key];
    if (value != null) defined[key] = value;
  }
  return defined;
}
