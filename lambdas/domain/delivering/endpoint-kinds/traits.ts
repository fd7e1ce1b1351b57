/** The fields of an endpoint that only some kinds have. */
export const KIND_FIELDS = ['url', 'busName', 'headers', 'rateLimit', 'ordered'] as const;
export type KindField = (typeof KIND_FIELDS)[number];

/** What sets one kind of endpoints apart from the others. */
export type EndpointKindTraits = {
  /** What it is, for the API's description. */
  readonly description: string;
  /** Who makes it: a person, for the whole account, or a registration that names a callback URL. */
  readonly madeBy: 'person' | 'registration';
  /** How messages get there: the bridge sends them, or a client fetches them. */
  readonly transport: 'http' | 'eventbridge' | 'fetched';
  /** Which secrets sign its messages. */
  readonly secrets: 'own' | 'callback-secret';
  readonly fields: readonly KindField[];
  /** Those of the fields that a new one must have. */
  readonly required: readonly KindField[];
};
