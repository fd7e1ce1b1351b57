import { createHmac } from 'node:crypto';

/** What describes a job rather than names something; kept if it looks like a word of the bridge's or of Topaz's. */
const WORDS: ReadonlySet<string> = new Set([
  'kind',
  'state',
  'status',
  'previousStatus',
  'skipped',
  'type',
  'events',
  'algorithm',
]);
const WORD = /^[a-z]+(?:[._][a-z]+)*(?:\.\*)?$/;
const TIME = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?Z$/;
const BRIDGE_ID = /^(ep|msg|dlv|rpl)_/;

/**
 * Replaces whatever may name a person, a customer or a place: ids, URLs, metadata, names, keys and error texts. The same
 * value becomes the same pseudonym. Of texts only times and known words of statuses, states and types are kept, so that a
 * field that the bridge gains later is replaced, too; numbers are kept.
 *
 * @param salt a secret, without which a pseudonym cannot be compared with a guess
 */
export function createAnonymizer(salt: string): <T>(value: T) => T {
  const hash = (kind: string, text: string) =>
    createHmac('sha256', salt).update(`${kind}\0${text}`).digest('hex');

  function pseudonym(key: string, text: string): string {
    if (TIME.test(text) || (WORDS.has(key) && WORD.test(text))) return text;
    if (key === 'requestId') return hash('request', text).replace(UUID_OF_HEX, '$1-$2-$3-$4-$5');
    const [, prefix] = BRIDGE_ID.exec(text) ?? [];
    if (prefix) return `${prefix}_${hash(prefix, text).slice(0, 20)}`;
    if (/url$/i.test(key)) return `https://anonymous.example/${hash('url', text).slice(0, 12)}`;
    return `text_${hash('text', text).slice(0, 12)}`;
  }

  /** All of it, whatever it looks like: these are the words of people. */
  function pseudonyms(value: unknown): unknown {
    if (typeof value !== 'object' || value === null)
      return `text_${hash('text', String(value)).slice(0, 12)}`;
    return Object.fromEntries(
      Object.entries(value).map(([name, each]) => [
        `name_${hash('name', name).slice(0, 12)}`,
        pseudonyms(each),
      ]),
    );
  }

  function replace(key: string, value: unknown): unknown {
    if (typeof value === 'string') return pseudonym(key, value);
    if (Array.isArray(value)) return value.map((each) => replace(key, each));
    if (typeof value !== 'object' || value === null) return value;
    if (key === 'metadata') return pseudonyms(value);
    return Object.fromEntries(Object.entries(value).map(([name, each]) => [name, replace(name, each)]));
  }

  return <T>(value: T) => replace('', value) as T;
}

const UUID_OF_HEX = /^(.{8})(.{4})(.{4})(.{4})(.{12}).*$/;
