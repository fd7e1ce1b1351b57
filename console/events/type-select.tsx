import type { Signal } from '@preact/signals';
import { useLive } from '../parts/use-live.ts';
import { eventTypes } from './event-types.ts';

const DAY_MS = 86_400_000;

type TypeSelectProps = { readonly value: Signal<string>; readonly class?: string };

/** Chooses a type of event, or all with a prefix; empty for any. */
export function TypeSelect({ value, class: className }: TypeSelectProps) {
  const { data } = useLive((signal) => eventTypes(signal), DAY_MS, []);
  const types = data.value?.map(({ type }) => type) ?? [];
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
        <option value="">any</option>
        {[...prefixes, ...types].map((each) => (
          <option key={each}>{each}</option>
        ))}
      </select>
    </label>
  );
}
