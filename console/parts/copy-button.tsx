import { useSignal } from '@preact/signals';

type CopyButtonProps = {
  readonly text: string;
  readonly label?: string;
  readonly class?: string;
  /** Whether a dialog begins with the focus at it. */
  readonly isFirst?: boolean;
};

/** Puts a text into the clipboard. */
export function CopyButton({ text, label = 'Copy', class: name = 'quiet', isFirst }: CopyButtonProps) {
  const said = useSignal<string | undefined>(undefined);
  async function copy(): Promise<void> {
    try {
      await navigator.clipboard.writeText(text);
      said.value = 'Copied';
    } catch {
      said.value = 'Select and copy it yourself: the browser refused';
    }
    setTimeout(() => {
      said.value = undefined;
    }, 2_000);
  }
  return (
    <button
      type="button"
      class={name}
      data-focus={isFirst || undefined}
      onClick={() => void copy()}
      aria-live="polite"
    >
      {said.value ?? label}
    </button>
  );
}
