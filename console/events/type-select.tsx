import type { Signal } from '@preact/signals';
import { useLive } from '../parts/use-live.ts';
import { eventTypes } from './event-types.ts';

const DAY_MS = 86_400_000;

type TypeSelectProps = {
  readonly value: Signal<string>;
  /** Whether it also offers prefixes, and any type; by default it does. */
  readonly isFilter?: boolean;
  readonly class?: string;
};

/** Chooses a type of event; in a filter also all with a prefix, or any, which is empty. */
export function TypeSelect({ value, isFilter = true, class: className }: TypeSelectProps) {
  const { data } = useLive(eventTypes, DAY_MS, []);
  const types = data.value?.map(({ type }) => type) ?? [value.value].filter(Boolean);
  const prefixes = [...new Set(types.map((type) => `${type.split('.')[0]}.*`))];
  return (
    <label class={className}>
      Type of event
      <select
        value={value.value}
        onChange={({ currentTarget }) => {
          value.value = currentTarget.value;
        }}
      >
        {isFilter && <option value="">any</option>}
        {[...(isFilter ? prefixes : []), ...types].map((each) => (
          <option key={each}>{each}</option>
        ))}
      </select>
    </label>
  );
}
