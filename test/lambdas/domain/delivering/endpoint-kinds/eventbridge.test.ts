import { expect, test } from 'vitest';
import { eventbridge } from '../../../../../lambdas/domain/delivering/endpoint-kinds/eventbridge.ts';

const { busName } = eventbridge.ownFields;

test('only the bus that the deployment allows is taken, and a refusal says what to do', () => {
  expect(busName.refusal?.('orders', { eventBusName: 'orders' })).toBeUndefined();
  expect(busName.refusal?.('orders', { eventBusName: undefined })).toBe(
    'The deployment allows no event bus: deploy it with this bus as the setting `eventBusName`.',
  );
  expect(busName.refusal?.('orders', { eventBusName: 'shop' })).toBe(
    'The deployment allows only the event bus shop: give that, or change the setting `eventBusName`.',
  );
});

test.each([
  ['orders', true],
  ['aws.partner/example.com/orders', true],
  ['a'.repeat(256), true],
  ['a'.repeat(257), false],
  ['', false],
  ['arn:aws:events:us-east-1:1:event-bus/orders', false],
])('the name of a bus: %s: %s', (name, isName) => {
  expect(busName.pattern?.test(name)).toBe(isName);
});
