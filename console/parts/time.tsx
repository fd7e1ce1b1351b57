import { signal } from '@preact/signals';
import { agoInWords, roughly } from './words.ts';

/** ms since epoch; moves on every second. */
export const clock = signal(Date.now());
setInterval(() => {
  if (!document.hidden) clock.value = Date.now();
}, 1_000);

const FULL = new Intl.DateTimeFormat(undefined, { dateStyle: 'medium', timeStyle: 'medium' });
const CLOCK = new Intl.DateTimeFormat(undefined, { timeStyle: 'medium' });
const DAY = new Intl.DateTimeFormat(undefined, { dateStyle: 'medium' });
const SHORT_DAY = new Intl.DateTimeFormat(undefined, { month: 'short', day: 'numeric' });

/** A time in the viewer's zone; only the time of day for one of today. UTC is shown on hover. */
export function Time({ at }: { readonly at: string | null | undefined }) {
  if (!at) return <>–</>;
  const date = new Date(at);
  const isToday = DAY.format(date) === DAY.format(clock.value);
  return (
    <time dateTime={at} title={`${utcTime(date)} UTC`}>
      {(isToday ? CLOCK : FULL).format(date)}
    </time>
  );
}

/** How long ago, or in how long; the times themselves are shown on hover. */
export function Ago({ at }: { readonly at: string | null | undefined }) {
  if (!at) return <>–</>;
  return (
    <time dateTime={at} title={`${FULL.format(new Date(at))}, ${utcTime(at)} UTC`}>
      {agoInWords(clock.value - Date.parse(at))}
    </time>
  );
}

/** When something is due; what is overdue comes as soon as there is a worker for it. */
export function DueIn({ at }: { readonly at: string }) {
  return Date.parse(at) > clock.value ? <Ago at={at} /> : <>now</>;
}

/** For how long something has been so; since when is shown on hover. */
export function For({ since }: { readonly since: string | null | undefined }) {
  if (!since) return <>–</>;
  return (
    <time dateTime={since} title={`since ${FULL.format(new Date(since))}, ${utcTime(since)} UTC`}>
      for {roughly(Math.max(1_000, clock.value - Date.parse(since)))}
    </time>
  );
}

export const localTime = (at: number): string => CLOCK.format(at);
/** On an axis: the day at midnight, and otherwise the time of day. */
export const axisTime = (at: number): string =>
  new Date(at).setHours(0, 0, 0, 0) === at ? SHORT_DAY.format(at) : CLOCK.format(at);
export const localFull = (at: number): string => FULL.format(at);
export const utcTime = (at: string | number | Date): string =>
  new Date(at).toISOString().slice(0, 19).replace('T', ' ');
