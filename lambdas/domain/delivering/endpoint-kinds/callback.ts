import type { EndpointKindTraits } from './traits.ts';

export const callback = {
  description: 'Receives signed webhooks of the requests that were registered with its URL.',
  madeBy: 'registration',
  transport: 'http',
  secrets: 'callback-secret',
  fields: ['url', 'headers', 'rateLimit', 'ordered'],
  required: ['url'],
  ownFields: {},
} satisfies EndpointKindTraits;
