import { expect, test } from 'vitest';
import { callbackEndpoint } from '../../../../lambdas/domain/delivering/callback-endpoint.ts';
import { newEndpoint } from '../../../../lambdas/domain/delivering/new-endpoint.ts';
import { endpointId } from '../../../../lambdas/domain/ids.ts';
import { endpointKey, listAt } from '../../../../lambdas/domain/rows.ts';
import { START } from '../../../support/rows.ts';

const ID = endpointId('account', new Uint8Array(16).fill(1));
const CALLBACK = endpointId('callback', new Uint8Array(16).fill(2));
const URL_A = 'https://receiver.example/hook';

test('an endpoint of which only the URL is said gets all but progress, and is healthy', () => {
  expect(newEndpoint(ID, { url: URL_A }, 'whsec_1', START)).toEqual({
    ...endpointKey(ID),
    id: ID,
    kind: 'http',
    url: URL_A,
    events: ['video.*', 'endpoint.*'],
    description: '',
    enabled: true,
    ordered: false,
    headers: {},
    secrets: [{ secret: 'whsec_1' }],
    createdAt: START,
    health: { state: 'healthy' },
    stateVersion: 0,
    listKey: 'endpoints#http',
    listAt: listAt(START, ID),
  });
});

test('an endpoint is as it was said to be, its filter without repetitions', () => {
  const given = {
    kind: 'eventbridge',
    busName: 'orders',
    events: ['video.*', 'video.*', 'endpoint.*'],
    description: 'the shop',
    enabled: false,
    rateLimit: 5,
    ordered: true,
    headers: { a: 'b' },
  } as const;
  expect(newEndpoint(ID, { ...given, events: [...given.events] }, 'whsec_1', START)).toEqual({
    ...endpointKey(ID),
    id: ID,
    ...given,
    events: ['video.*', 'endpoint.*'],
    disabledReason: 'disabled through the API',
    secrets: [{ secret: 'whsec_1' }],
    createdAt: START,
    health: { state: 'disabled' },
    stateVersion: 0,
    listKey: 'endpoints#eventbridge',
    listAt: listAt(START, ID),
  });
});

test('the endpoint behind a callback has no secret of its own, and is in the list of callbacks', () => {
  const callback = { endpointId: CALLBACK, url: URL_A, events: ['video.complete'] };
  expect(callbackEndpoint(callback, START)).toEqual({
    ...endpointKey(CALLBACK),
    id: CALLBACK,
    kind: 'callback',
    url: URL_A,
    // The filter is on the request.
    events: ['video.*'],
    description: '',
    enabled: true,
    ordered: false,
    headers: {},
    createdAt: START,
    health: { state: 'healthy' },
    stateVersion: 0,
    listKey: 'endpoints#callback',
    listAt: listAt(START, CALLBACK),
  });
});
