import type { Signal } from '@preact/signals';

type TimeFieldProps = {
  readonly label: string;
  /** A note next to the label, such as what an empty field means. */
  readonly hint?: string;
  /** As the browser gives it, in the viewer's zone; empty for none. */
  readonly value: Signal<string>;
  readonly class?: string;
};

/** A field for a time. */
export function TimeField({ label, hint, value, class: className }: TimeFieldProps) {
  return (
    <label class={className}>
      {label} {hint && <span class="subtle">({hint})</span>}
      <input
        type="datetime-local"
        max="9999-12-31T23:59"
        value={value.value}
        onInput={({ currentTarget }) => {
          value.value = currentTarget.value;
        }}
      />
    </label>
  );
}

/** The time in a field as the API takes it; undefined for an empty one, or one that is no time yet. */
export function timeIn(value: string): string | undefined {
  const at = new Date(value);
  return Number.isNaN(at.getTime()) ? undefined : at.toISOString();
}
