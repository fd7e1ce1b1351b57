import { useLocation } from 'wouter-preact';
import type { VideoRequest } from '../../client/client.ts';
import { Action } from '../parts/action.tsx';
import { CopyButton } from '../parts/copy-button.tsx';
import { isTerminal } from '../parts/stages.ts';
import { api, isAdmin } from '../session/session.ts';

type RequestActionsProps = { readonly request: VideoRequest; readonly onDone: () => void };

/** What a person may do with a request. */
export function RequestActions({ request, onDone }: RequestActionsProps) {
  const [, navigate] = useLocation();
  const { requestId, state, status, parked, nextPollAt } = request;
  const { requests } = api();
  const isEnded = state === 'done' || state === 'stopped';
  // While the video is copied there is nothing left to ask upstream.
  const isPolled = parked !== undefined || nextPollAt !== null || !isTerminal(status);
  const done = (call: Promise<unknown>) => call.then(onDone);
  const curl = `curl -s ${location.origin}/v1/requests/${requestId} -H "authorization: Bearer $KEY"`;

  return (
    <div class="buttons">
      {isAdmin.value && !isEnded && isPolled && (
        <Action class={parked ? 'primary' : ''} run={() => done(requests.poll(requestId))}>
          {parked ? 'Try again now' : 'Poll now'}
        </Action>
      )}
      {isAdmin.value && isEnded && (
        <Action run={() => done(requests.register({ requestId }, { restart: true }))}>Restart</Action>
      )}
      {isAdmin.value && state !== 'stopped' && state !== 'done' && (
        <Action
          run={() => done(requests.stop(requestId))}
          confirm={{
            title: 'Stop tracking this request?',
            text: 'The bridge stops polling it and ends a running copy. Events observed so far are still delivered. The job at Topaz and a stored video stay. You can restart it.',
            button: 'Stop tracking',
          }}
        >
          Stop
        </Action>
      )}
      <CopyButton text={curl} label="Copy curl" class="" />
      {isAdmin.value && (
        <Action
          class="danger-quiet"
          run={() => requests.stop(requestId, { purge: true }).then(() => navigate('/requests'))}
          confirm={{
            title: 'Purge this request?',
            text: 'This stops tracking, cancels its deliveries and erases its events and metadata. This cannot be undone. A stored video stays in the bucket.',
            button: 'Purge',
          }}
        >
          Purge
        </Action>
      )}
    </div>
  );
}
