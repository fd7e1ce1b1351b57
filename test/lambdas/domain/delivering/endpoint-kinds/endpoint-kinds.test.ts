import { describe, expect, test } from 'vitest';
import { changeErrors } from '../../../../../lambdas/domain/delivering/endpoint-change.ts';
import {
  CREATED_KINDS,
  ENDPOINT_KINDS,
  kindErrors,
  traitsOf,
} from '../../../../../lambdas/domain/delivering/endpoint-kinds/endpoint-kinds.ts';
import { KIND_FIELDS } from '../../../../../lambdas/domain/delivering/endpoint-kinds/traits.ts';

const GIVEN = {
  url: 'https://hooks.example.com/',
  busName: 'videos',
  headers: {},
  rateLimit: 1,
  ordered: true,
};

describe.each(ENDPOINT_KINDS)('kind %s', (kind) => {
  const { fields, required } = traitsOf({ kind });

  test('takes its own fields, and names each other one with the remedy', () => {
    const own = Object.fromEntries(fields.map((field) => [field, GIVEN[field]]));
    expect(kindErrors(kind, own)).toEqual([]);
    const others = KIND_FIELDS.filter((field) => !fields.includes(field));
    expect(kindErrors(kind, GIVEN)).toEqual(
      others.map((path) => ({
        path,
        message: `\`${path}\` is not allowed for kind \`${kind}\`; remove it.`,
      })),
    );
  });

  test('demands what it cannot do without', () => {
    expect(kindErrors(kind, {}).map(({ path }) => path)).toEqual(required);
  });

  test('takes ordered: false, which says nothing new', () => {
    expect(changeErrors({ kind, headers: {} }, { ordered: false })).toEqual([]);
  });
});

test('a person creates every kind but callbacks', () => {
  expect([...CREATED_KINDS].sort()).toEqual(['eventbridge', 'http', 'pull']);
});

test('the URL and the filter of a callback are those of its requests', () => {
  const given = { url: 'https://other.example.com/', events: ['video.*'], busName: 'videos', rateLimit: 2 };
  expect(changeErrors({ kind: 'callback', headers: {} }, given).map(({ path }) => path)).toEqual([
    'busName',
    'url',
    'events',
  ]);
});
