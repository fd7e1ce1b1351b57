import type { Tone } from './tone.ts';

const SIGNS: Record<Tone, string> = { good: '✓', busy: '▸', waiting: '◦', warn: '!', bad: '✕', idle: '–' };

export function Badge({ tone, children }: { readonly tone: Tone; readonly children: string }) {
  return (
    <span class={`badge ${tone}`}>
      <span aria-hidden="true">{SIGNS[tone]}</span> {children}
    </span>
  );
}
