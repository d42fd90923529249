import type { Finding } from '../src/domain/campaign/reconcile.js';
import { reconcileActivities } from './proxies.js';

/** Settles what a terminated workflow has left open; a schedule runs it every few minutes. */
export async function reconcile(): Promise<Finding[]> {
  return reconcileActivities.reconcile.executeWithOptions({ summary: 'bring store and server to agree' }, [
    {},
  ]);
}
