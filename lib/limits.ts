import { Token } from 'aws-cdk-lib';
import * as z from 'zod';
import { givesShortKeys } from '../lambdas/domain/copying/object-key.ts';

const PLACEHOLDER = /\{([^{}]*)\}/g;
const PLACEHOLDERS = ['requestId', 'filename', 'ext', 'date'];

/** The command line gives text where `cdk.json` has numbers. */
const wholeNumber = (min: number, max: number, unit: string) =>
  z.preprocess(
    (value) => (typeof value === 'string' ? Number(value) : value),
    z
      .int(`must be a whole number of ${unit}`)
      .min(min, `must be at least ${min}`)
      .max(max, `must be at most ${max}`),
  );

/** A value that only the deployment knows, such as the URL of another resource, cannot be checked before. */
const known = (isRight: (value: string) => boolean) => (value: string) =>
  Token.isUnresolved(value) || isRight(value);

const baseUrl = z
  .string()
  .refine(
    known((url) => URL.parse(url)?.protocol === 'https:'),
    { error: 'must be an https URL', abort: true },
  )
  .refine(
    known((url) => !/[?#@]/.test(url)),
    'must have no user, query or fragment',
  )
  .transform((url) => url.replace(/\/+$/, ''));

const keyTemplate = z
  .string()
  .regex(/^[^/]/, 'must not begin with a slash')
  .regex(/^\P{Cc}*$/u, 'must have no control characters')
  .refine((template) => !/(^|\/)\.{1,2}(\/|$)/.test(template), 'must have no segment that is . or ..')
  .refine(givesShortKeys, 'gives keys of more than 1024 bytes: shorten it')
  .refine((template) => template.includes('{requestId}'), 'must contain {requestId}, or keys would clash')
  .refine(
    (template) =>
      !/[{}]/.test(template.replace(PLACEHOLDER, (all, name) => (PLACEHOLDERS.includes(name) ? '' : all))),
    `may use only {${PLACEHOLDERS.join('}, {')}}`,
  );

/** How the bridge works within its bounds: each with its check and its default. */
export const LIMITS = {
  /** Where the Topaz API is, without a trailing slash. */
  topazBaseUrl: baseUrl.default('https://api.topazlabs.com'),
  /** About how many status requests to Topaz there are in a second, over all workers: each spaces its own share. */
  maxPollsPerSecond: wholeNumber(1, 1000, 'requests per second').default(10),
  /** How long upstream must answer 404 before a request counts as lost. */
  notFoundMinutes: wholeNumber(1, 1440, 'minutes').default(10),
  /** How long a request may stay pending: longer than upstream keeps data. Events outlive it (retention.ts). */
  pendingDays: wholeNumber(1, 12, 'days').default(8),
  /** Copy workers at a time. Each may work for 15 minutes, so that fewer fit into a small account. */
  maxCopies: wholeNumber(2, 1000, 'workers').default(4),
  /** Workers at a time that fan events out; each takes ten requests. */
  maxDispatches: wholeNumber(2, 1000, 'workers').default(10),
  /** Workers at a time of each of the two lanes of deliveries; with more, the index `due` would be the limit. */
  maxDeliveries: wholeNumber(2, 1000, 'workers').default(50),
  /** Calls that may wait for messages of pull endpoints at a time; each keeps a worker of the API for up to 20 s. */
  maxWaits: wholeNumber(1, 100, 'calls').default(5),
  /** Object key of a stored video; `{requestId}`, `{filename}`, `{ext}` and `{date}` are filled in. */
  keyTemplate: keyTemplate.default('videos/{requestId}/{filename}'),
  /** Days for which the rows of ended requests are kept. Videos are never deleted. */
  retentionDays: wholeNumber(1, 3650, 'days').default(30),
  /** Days for which the video links in webhooks work. */
  linkDays: wholeNumber(1, 3650, 'days').default(7),
};

/** The fewest workers at a time that Lambda allows to set. */
const LEAST_CONCURRENCY = 2;
/** Polls per second that one poll worker keeps up with. */
const POLLS_PER_WORKER = 20;
/** Polls per second that the fewest workers keep up with. */
export const LEAST_POLLS = LEAST_CONCURRENCY * POLLS_PER_WORKER;

/** Poll workers at a time that a cap on polls needs. */
export const pollWorkers = (maxPollsPerSecond: number): number =>
  Math.max(LEAST_CONCURRENCY, Math.ceil(maxPollsPerSecond / POLLS_PER_WORKER));

/** A link needs the rows of its request. */
export const linksEndInTime = ({ linkDays, retentionDays }: { linkDays: number; retentionDays: number }) =>
  linkDays <= retentionDays;

const schema = z.object(LIMITS).refine(linksEndInTime, {
  path: ['linkDays'],
  error: 'must be at most `retention`, since a link ends with the rows of its request',
});

type Limits = z.output<typeof schema>;

/**
 * Checks what is given and adds the defaults.
 * @param names what the user calls a limit, where that is another name
 * @throws Error that names every limit that is wrong, and why.
 */
export function checkLimits(
  given: z.input<typeof schema>,
  names: Partial<Record<keyof Limits, string>>,
): Limits {
  const limits = schema.safeParse(given);
  if (limits.success) return limits.data;
  const problems = limits.error.issues.map(({ path, message }) => {
    const name = path[0] as keyof Limits;
    return `\`${names[name] ?? name}\` ${message}`;
  });
  throw new Error(`Wrong properties of the webhook bridge: ${problems.join('; ')}.`);
}
