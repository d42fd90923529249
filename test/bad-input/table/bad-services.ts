import { campaign, error, shownBy } from './bad-input.js';

const FIRST = 'before anything else';

const servers = shownBy('test/bad-input/services.slow.test.ts', {
  'store-down': [
    'the store is down: a command',
    FIRST,
    error('STORE_UNAVAILABLE'),
    'ASSAY_MONGODB_URL is set, but the store does not answer: …',
  ],
  'store-silent': [
    'a store that takes the connection and says nothing: a command',
    `${FIRST}, after 10 s`,
    error('STORE_UNAVAILABLE'),
    'ASSAY_MONGODB_URL is set, but the store does not answer: …',
  ],
  'store-stalls': [
    'a store that falls silent in the midst of a command',
    'after 60 s, or `socketTimeoutMS` in the URL; reads are tried once more',
    error('STORE_UNREACHABLE'),
    'the store does not answer: …',
  ],
  'store-slow': ['a store that takes its time', 'never', 'the answer, later', ''],
  'store-url': [
    '`ASSAY_MONGODB_URL` that is no URL of a store; a password in it is shown nowhere',
    FIRST,
    error('STORE_UNAVAILABLE'),
    'ASSAY_MONGODB_URL is set, but the address of the store is no MongoDB URL: …',
  ],
  'store-old': [
    'a store older than MongoDB 4.4 (shown on a stand-in that reports such a version)',
    FIRST,
    error('STORE_UNAVAILABLE'),
    'ASSAY_MONGODB_URL is set, but the store is of a version that cannot be used: …',
  ],
  'store-schema': [
    'a database that a later version of assay wrote',
    'opening it',
    error('STORE_SCHEMA'),
    'the database "NAME" has schema N, written by assay …; this assay (…) reads N to N',
  ],
  'store-login-wrong': [
    'a store that needs a login, with a wrong one (shown on a stand-in that refuses like MongoDB)',
    FIRST,
    error('STORE_UNAVAILABLE'),
    'ASSAY_MONGODB_URL is set, but the store refuses the login: …',
  ],
  'store-login-none': [
    'a store that needs a login, with none (shown on a stand-in that refuses like MongoDB)',
    'opening the database: the sign of life needs no login',
    error('STORE_UNAVAILABLE'),
    'the store refuses the login: …',
  ],
  'temporal-down': [
    'Temporal is down: a command or a worker',
    FIRST,
    error('TEMPORAL_UNAVAILABLE'),
    'TEMPORAL_ADDRESS is set, but nothing answers at ADDRESS: …',
  ],
  'temporal-address': [
    '`TEMPORAL_ADDRESS` that is no address',
    FIRST,
    error('TEMPORAL_UNAVAILABLE'),
    'TEMPORAL_ADDRESS is set, but "ADDRESS" is not host:port',
  ],
  'temporal-namespace': [
    'a namespace that the Temporal server does not have',
    FIRST,
    error('TEMPORAL_UNAVAILABLE'),
    'TEMPORAL_ADDRESS is set, but no namespace "NAME" at ADDRESS: …',
  ],
  'temporal-other': [
    'an address where something else listens than Temporal',
    `${FIRST}, after 10 s`,
    error('TEMPORAL_UNAVAILABLE'),
    'TEMPORAL_ADDRESS is set, but ADDRESS listens, but not as Temporal: …',
  ],
});

const refused = (code: number): string => `…The model endpoint answered ${code}: WORDS OF THE PROVIDER…`;
const TURN = 'the turn that meets it; nothing is charged to the budget';
const PARKED = [
  error('MODEL_REQUEST_REFUSED'),
  campaign('blocked'),
  '`assay resume` repeats the turn; if it fails again, the lane begins another session',
];

const models = shownBy('test/bad-input/models.test.ts', {
  'model-no-key': [
    'no API key for a model that needs one',
    TURN,
    [error('MODEL_KEY_MISSING'), campaign('blocked'), '`assay resume` repeats the turn'],
    '…the model "NAME" needs a key, and this worker has none…',
  ],
  'model-wrong-key': ['a wrong API key (401); the key appears nowhere', TURN, PARKED, refused(401)],
  'model-unknown': ['a model that the provider does not know (404)', TURN, PARKED, refused(404)],
  'model-quota-400': [
    'an exhausted quota that the provider calls a bad request (400)',
    TURN,
    PARKED,
    refused(400),
  ],
  'model-quota-402': [
    'an exhausted quota that the provider calls a refusal (402)',
    TURN,
    PARKED,
    refused(402),
  ],
  'model-quota-403': [
    'an exhausted quota that the provider calls a refusal (403)',
    TURN,
    PARKED,
    refused(403),
  ],
  'model-rate': [
    'an exhausted quota that the provider calls a rate limit (429), or an overload (529)',
    TURN,
    [error('MODEL_OVERLOADED'), 'waited out as long as the provider asks, an hour at most a time; no end'],
    'The model endpoint answered N: WORDS OF THE PROVIDER',
  ],
});

/** Services that are not there, or not as they should be. */
export const BAD_SERVICES = { ...servers, ...models };
