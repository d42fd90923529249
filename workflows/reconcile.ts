import type { Finding } from '../src/domain/campaign/reconcile.js';
import { reconcileActivities } from './proxies.js';

/** Run by a schedule every few minutes: after a terminate nobody else is left to settle things. */
export async function reconcile(): Promise<Finding[]> {
  return reconcileActivities.reconcile.executeWithOptions({ summary: 'bring store and server to agree' }, [
    {},
  ]);
}
