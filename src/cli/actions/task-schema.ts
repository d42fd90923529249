import { taskJsonSchema } from '../../domain/task/json-schema.js';
import { print } from '../terminal/terminal.js';

/** Prints the JSON Schema of task.yaml. */
export function run(): Promise<void> {
  print(JSON.stringify(taskJsonSchema(), null, 2));
  return Promise.resolve();
}
