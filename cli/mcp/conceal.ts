const URLS = /https?:\/\/[^\s"'<>]+/gi;
const SECRETS = /whsec_[\w+/=-]+/g;

/**
 * The value as a model may see it: of URLs the origin alone, since a path or query may hold a token or a signature,
 * and no signing secret.
 */
export function conceal<T>(value: T): T {
  return JSON.parse(JSON.stringify(value), (_name, each: unknown) =>
    typeof each === 'string' ? each.replace(URLS, originOf).replace(SECRETS, 'whsec_…') : each,
  ) as T;
}

const originOf = (url: string): string => (URL.canParse(url) ? `${new URL(url).origin}/…` : 'https://…');
