import { useSignal } from '@preact/signals';
import type { ComponentChildren } from 'preact';
import { Dialog } from './dialog.tsx';
import { ErrorNote } from './error-note.tsx';

type ActionProps = {
  readonly children: ComponentChildren;
  readonly run: () => Promise<unknown>;
  readonly class?: string;
  /** Asked before; `run` follows only on a second press. */
  readonly confirm?: { readonly title: string; readonly text: string; readonly button: string };
};

/** A button that makes a call. It shows that the call is under way, and an error in words. */
export function Action({ children, run, confirm, class: name }: ActionProps) {
  const busy = useSignal(false);
  const error = useSignal<unknown>(undefined);
  const asking = useSignal(false);

  async function start(): Promise<void> {
    busy.value = true;
    error.value = undefined;
    try {
      await run();
      asking.value = false;
    } catch (thrown) {
      error.value = thrown;
    } finally {
      busy.value = false;
    }
  }

  return (
    <>
      <button
        type="button"
        class={name}
        disabled={busy.value}
        onClick={() => {
          if (confirm) asking.value = true;
          else void start();
        }}
      >
        {children}
      </button>
      {confirm && asking.value && (
        <Dialog
          title={confirm.title}
          onClose={() => {
            asking.value = false;
          }}
        >
          <p>{confirm.text}</p>
          <ErrorNote error={error.value} />
          <div class="buttons">
            <button type="button" class="danger" disabled={busy.value} onClick={() => void start()}>
              {confirm.button}
            </button>
            <button
              type="button"
              data-focus
              onClick={() => {
                asking.value = false;
              }}
            >
              Keep it
            </button>
          </div>
        </Dialog>
      )}
      {!confirm && <ErrorNote error={error.value} />}
    </>
  );
}
