import { describe, expect, test } from 'vitest';
import { changeErrors } from '../../../../../lambdas/domain/delivering/endpoint-change.ts';
import {
  CREATED_KINDS,
  ENDPOINT_KINDS,
  kindErrors,
  OWN_FIELDS,
  traitsOf,
} from '../../../../../lambdas/domain/delivering/endpoint-kinds/endpoint-kinds.ts';
import { SHARED_FIELDS } from '../../../../../lambdas/domain/delivering/endpoint-kinds/traits.ts';

const GIVEN: Record<string, unknown> = {
  url: 'https://hooks.example.com/',
  headers: {},
  rateLimit: 1,
  ordered: true,
  ...Object.fromEntries(Object.keys(OWN_FIELDS).map((name) => [name, 'videos'])),
};

describe.each(ENDPOINT_KINDS)('kind %s', (kind) => {
  const { fields, required, ownFields } = traitsOf({ kind });
  const has: string[] = [...fields, ...Object.keys(ownFields)];

  test('takes its own fields, and names each other one with the remedy', () => {
    const own = Object.fromEntries(has.map((field) => [field, GIVEN[field]]));
    expect(kindErrors(kind, own)).toEqual([]);
    const others = [...SHARED_FIELDS, ...Object.keys(OWN_FIELDS)].filter((field) => !has.includes(field));
    expect(kindErrors(kind, GIVEN)).toEqual(
      others.map((path) => ({
        path,
        message: `\`${path}\` is not allowed for kind \`${kind}\`; remove it.`,
      })),
    );
  });

  test('demands what it cannot do without', () => {
    const ownRequired = Object.keys(ownFields).filter((name) => ownFields[name]?.required);
    expect(kindErrors(kind, {}).map(({ path }) => path)).toEqual([...required, ...ownRequired]);
  });

  test('takes ordered: false, which says nothing new', () => {
    expect(changeErrors({ kind, headers: {} }, { ordered: false })).toEqual([]);
  });
});

test('a person creates every kind but callbacks', () => {
  expect(CREATED_KINDS).toEqual(ENDPOINT_KINDS.filter((kind) => kind !== 'callback'));
});

test('the URL and the filter of a callback are those of its requests', () => {
  const given = { url: 'https://other.example.com/', events: ['video.*'], busName: 'videos', rateLimit: 2 };
  expect(changeErrors({ kind: 'callback', headers: {} }, given).map(({ path }) => path)).toEqual([
    'busName',
    'url',
    'events',
  ]);
});
