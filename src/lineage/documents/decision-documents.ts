export * from './claim.js';
export * from './decision.js';
