import type { EndpointKindTraits, OwnField } from './traits.ts';

const busName: OwnField = {
  description: 'The event bus of an `eventbridge` endpoint.',
  required: true,
  pattern: /^[\w./-]{1,256}$/,
  mismatch: 'This is not the name of an event bus; give its name, not its ARN.',
  refusal: (name, { eventBusName }) => {
    if (name === eventBusName) return undefined;
    return eventBusName === undefined
      ? 'The deployment allows no event bus: deploy it with this bus as the setting `eventBusName`.'
      : `The deployment allows only the event bus ${eventBusName}: give that, or change the setting \`eventBusName\`.`;
  },
};

export const eventbridge = {
  description: 'Receives events on an event bus of EventBridge.',
  madeBy: 'person',
  transport: 'eventbridge',
  secrets: 'own',
  fields: ['rateLimit', 'ordered'],
  required: [],
  ownFields: { busName },
} satisfies EndpointKindTraits;
