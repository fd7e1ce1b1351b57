import { expect, test } from 'vitest';
import { KINDS } from '../../../console/endpoints/endpoint-kinds.ts';
import {
  ENDPOINT_KINDS,
  traitsOf,
} from '../../../lambdas/domain/delivering/endpoint-kinds/endpoint-kinds.ts';

/** What the descriptors do not list, since the API takes it for most kinds. */
const UNLISTED = ['events', 'secret'];

test.each(ENDPOINT_KINDS)('the form of the kind %s has the fields that the API takes for it', (kind) => {
  const { description, fields } = KINDS[kind];
  const { madeBy, fields: shared, ownFields } = traitsOf({ kind });
  const isCreated = madeBy === 'person';
  expect(description !== undefined).toBe(isCreated);
  // A callback keeps the URL that it was registered with.
  const taken = [...shared, ...Object.keys(ownFields)].filter((field) => isCreated || field !== 'url');
  expect(fields.filter((field) => !UNLISTED.includes(field)).sort()).toEqual(taken.sort());
});
