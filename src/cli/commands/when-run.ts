/** Action of a command: a module of its own, so that help and usage errors need not load it. */
interface Action<Args extends unknown[]> {
  run(...args: Args): Promise<void>;
}

/** Loads the action of a command when the command runs. */
export function whenRun<Args extends unknown[]>(
  load: () => Promise<Action<Args>>,
): (...args: Args) => Promise<void> {
  return async (...args) => (await load()).run(...args);
}
