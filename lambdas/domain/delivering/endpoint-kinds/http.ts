import type { EndpointKindTraits } from './traits.ts';

export const http = {
  description: 'Receives signed webhooks at its URL.',
  madeBy: 'person',
  transport: 'http',
  secrets: 'own',
  fields: ['url', 'headers', 'rateLimit', 'ordered'],
  required: ['url'],
  ownFields: {},
} satisfies EndpointKindTraits;
