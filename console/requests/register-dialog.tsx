import { useSignal } from '@preact/signals';
import { useLocation } from 'wouter-preact';
import { Dialog } from '../parts/dialog.tsx';
import { ErrorNote } from '../parts/error-note.tsx';
import { pairsIn } from '../parts/pairs.ts';
import { api } from '../session/session.ts';

/** Registers one request, and goes to its page. */
export function RegisterDialog({ onClose }: { readonly onClose: () => void }) {
  const [, navigate] = useLocation();
  const error = useSignal<unknown>(undefined);
  const busy = useSignal(false);

  async function submit(event: SubmitEvent): Promise<void> {
    event.preventDefault();
    const form = new FormData(event.currentTarget as HTMLFormElement);
    const text = (name: string) => String(form.get(name) ?? '').trim();
    busy.value = true;
    try {
      const { requestId } = await api().requests.register({
        requestId: text('requestId'),
        ...(text('callbackUrl') ? { callbackUrl: text('callbackUrl') } : {}),
        metadata: pairsIn(text('metadata')),
        copy: form.has('copy'),
      });
      navigate(`/requests/${requestId}`);
    } catch (thrown) {
      error.value = thrown;
    } finally {
      busy.value = false;
    }
  }

  return (
    <Dialog title="Register a request" onClose={onClose}>
      <form onSubmit={(event) => void submit(event)}>
        <label>
          Request id
          <input
            name="requestId"
            required
            autocomplete="off"
            class="mono"
            placeholder="The UUID that Topaz gave it"
          />
        </label>
        <label>
          Callback URL <span class="subtle">(optional)</span>
          <input name="callbackUrl" type="url" placeholder="https://example.com/hooks/topaz" />
        </label>
        <label>
          Metadata <span class="subtle">(optional, a pair on each line)</span>
          <textarea name="metadata" rows={3} placeholder="order: 42" />
        </label>
        <label class="check">
          <input name="copy" type="checkbox" defaultChecked /> Copy the video into the bucket
        </label>
        <ErrorNote error={error.value} />
        <div class="buttons">
          <button type="submit" class="primary" disabled={busy.value}>
            Register
          </button>
        </div>
      </form>
    </Dialog>
  );
}
