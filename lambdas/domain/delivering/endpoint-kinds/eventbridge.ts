import type { EndpointKindTraits } from './traits.ts';

export const eventbridge: EndpointKindTraits = {
  description: 'Receives events on an event bus of EventBridge.',
  madeBy: 'person',
  transport: 'eventbridge',
  secrets: 'own',
  fields: ['busName', 'rateLimit', 'ordered'],
  required: ['busName'],
};
