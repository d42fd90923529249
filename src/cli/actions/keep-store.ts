import { keepStore } from '../../dev/store/keeper.js';
import { homeFolder } from '../folders.js';

export async function run(): Promise<void> {
  // the command that asked for it then starts the store itself, and says what is wrong
  await keepStore(homeFolder()).catch(() => process.exit(1));
}
