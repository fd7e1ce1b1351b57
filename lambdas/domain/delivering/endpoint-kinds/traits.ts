/** The fields of an endpoint that several kinds share, and others do not have. */
export const SHARED_FIELDS = ['url', 'headers', 'rateLimit', 'ordered'] as const;
type SharedField = (typeof SHARED_FIELDS)[number];

/** What the deployment allows endpoints. */
export type EndpointSettings = {
  /** The event bus that endpoints may name; by default none. */
  readonly eventBusName?: string | undefined;
};

/** A text that only one kind of endpoints has. */
export type OwnField = {
  /** For the API's description. */
  readonly description: string;
  /** Whether a new endpoint of the kind must have it. */
  readonly required: boolean;
  readonly pattern: RegExp;
  /** What to give, for a text that does not match. */
  readonly mismatch: string;
  /** Why the deployment refuses a text that matches, and the remedy; undefined when it takes it. */
  readonly refusal?: (text: string, settings: EndpointSettings) => string | undefined;
};

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
  /** Which of the shared fields it has. */
  readonly fields: readonly SharedField[];
  /** Those of the shared fields that a new one must have. */
  readonly required: readonly SharedField[];
  /** The fields that no other kind has, by name. */
  readonly ownFields: Readonly<Record<string, OwnField>>;
};
