import { useSignal } from '@preact/signals';
import type { Endpoint } from '../../client/client.ts';
import { Choices } from '../parts/choices.tsx';
import { CopyButton } from '../parts/copy-button.tsx';
import { Dialog } from '../parts/dialog.tsx';
import { Json } from '../parts/json.tsx';
import { snippetsFor } from './snippets.ts';

type SecretDialogProps = {
  readonly title: string;
  readonly endpoint: Pick<Endpoint, 'id' | 'kind'>;
  readonly secret: string;
  readonly onClose: () => void;
};

/** Shows a fresh secret once, and how the receiver uses it. */
export function SecretDialog({ title, endpoint, secret, onClose }: SecretDialogProps) {
  const language = useSignal('JavaScript');
  const snippets = snippetsFor(endpoint);
  return (
    <Dialog title={title} onClose={onClose} wide>
      <p>
        Give this signing secret to your receiver. The page shows it only now; later,{' '}
        <code>GET /v1/endpoints/…/secret</code> gives it to keys with the role <code>admin</code>.
      </p>
      <p class="secret">
        <code>{secret}</code>
        <CopyButton text={secret} label="Copy the secret" class="primary" isFirst />
      </p>
      <Choices
        label="Language of the receiver"
        options={Object.keys(snippets).map((name) => [name, name] as const)}
        value={language.value}
        onChange={(each) => {
          language.value = each;
        }}
      />
      <Json value={snippets[language.value]} label={`How to verify in ${language.value}`} />
      <div class="buttons">
        <button type="button" onClick={onClose}>
          I have kept it
        </button>
      </div>
    </Dialog>
  );
}
