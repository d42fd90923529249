/** Runs repetitions for the process that started it, one a message, until that one is gone. */
import { repetitionInputSchema, runRepetition } from './comparison.js';

process.on('message', (message) => {
  process.send?.(runRepetition(repetitionInputSchema.parse(message)));
});
process.on('disconnect', () => process.exit());
