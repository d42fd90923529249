import { keepStore } from '../../src/dev/store/keeper.js';

// A keeper in a process of its own, which gives up after as many milliseconds as it is told.
const [home = '', idleMs = ''] = process.argv.slice(2);
await keepStore(home, Number(idleMs));
