import * as z from 'zod/mini';
import { isFilterEntry } from '../../domain/events/event-filter.ts';
import { checkTargetUrl, MAX_URL_LENGTH } from '../../domain/http/target-url.ts';
import { invalid } from './problem.ts';

const MAX_FILTER_ENTRIES = 50;

/** A rule that is not one of zod's. `refusal` says what is wrong and the remedy; undefined when nothing is. */
export const rule = <T>(refusal: (value: T) => string | undefined) =>
  z.check<T>((context) => {
    const message = refusal(context.value);
    if (message !== undefined) {
      context.issues.push({ code: 'custom', input: context.value, message, continue: true });
    }
  });

/** Text that receivers can take: valid Unicode without NUL, which many databases refuse. */
export const wellFormed = rule<string>((text) => {
  if (text.includes('\0')) return 'This contains a NUL character (U+0000): remove it.';
  return text.isWellFormed() ? undefined : 'This contains half of a surrogate pair: send valid Unicode.';
});

/** A type of event, or a prefix of types. */
export const filterEntry = z
  .string()
  .check(
    rule((entry) =>
      isFilterEntry(entry)
        ? undefined
        : 'No type of event matches this; give a type, or a prefix such as video.*.',
    ),
  );

export const filter = z.array(filterEntry).check(z.minLength(1), z.maxLength(MAX_FILTER_ENTRIES));

/** A parameter of the query that switches something on. */
export const flag = (description: string) =>
  z.optional(z.enum(['true', 'false']).check(z.describe(description)));

export const time = z.string().check(
  z.iso.datetime({
    offset: true,
    error: 'This is not a time; give ISO 8601, such as 2026-11-23T20:15:02Z.',
  }),
);

/** A URL that the bridge sends to: public, unless loopback is allowed. */
export const targetUrl = ({ allowLoopback }: { readonly allowLoopback: boolean }) =>
  z.string().check(
    z.maxLength(MAX_URL_LENGTH, { abort: true }),
    rule((text) => {
      const check = checkTargetUrl(text, { allowLoopback });
      return check.ok ? undefined : check.reason;
    }),
  );

/** Throws a problem when a range from `since` to `until` (ms since epoch) has no time in it. */
export function refuseEmptyRange(since: number, until: number): void {
  if (until <= since)
    throw invalid([{ path: 'until', message: 'This must be after `since`: give a later time.' }]);
}
