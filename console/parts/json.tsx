import { CopyButton } from './copy-button.tsx';
import { ScrollX } from './scroll-x.tsx';

/** A value as JSON; as text, whatever it holds. */
export function Json({ value, label }: { readonly value: unknown; readonly label: string }) {
  const text = typeof value === 'string' ? value : JSON.stringify(value, null, 2);
  return (
    <div class="code">
      <CopyButton text={text} />
      <ScrollX label={label}>
        <pre>{text}</pre>
      </ScrollX>
    </div>
  );
}
