export { campaign } from './campaign.js';
export { specialist } from './specialist.js';
export { trial } from './trial.js';
export { reconcile } from './reconcile.js';
