import { expect, test } from 'vitest';
import { sentence } from '../../../../lambdas/domain/http/sentence.ts';

test('a clause and its remedy become a sentence', () => {
  expect(sentence('the URL is not encrypted', 'use https')).toBe('The URL is not encrypted: use https.');
});

test('a clause without a remedy becomes a sentence', () => {
  expect(sentence('port 25 is closed')).toBe('Port 25 is closed.');
});

test('a host that begins the clause stays as it is written', () => {
  expect(sentence('the.example cannot be reached')).toBe('the.example cannot be reached.');
});
