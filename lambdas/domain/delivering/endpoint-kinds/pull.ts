import type { EndpointKindTraits } from './traits.ts';

export const pull = {
  description: 'Keeps signed messages until a client fetches and acknowledges them.',
  madeBy: 'person',
  transport: 'fetched',
  secrets: 'own',
  fields: [],
  required: [],
  ownFields: {},
} satisfies EndpointKindTraits;
