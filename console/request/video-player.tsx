import { useSignal } from '@preact/signals';
import { useEffect } from 'preact/hooks';
import type { SignedUrl, VideoRequest } from '../../client/client.ts';
import { Loading } from '../parts/empty.tsx';
import { ErrorNote } from '../parts/error-note.tsx';
import { Time } from '../parts/time.tsx';
import { bytes, span } from '../parts/words.ts';
import { api } from '../session/session.ts';

type VideoProps = { readonly request: VideoRequest };

/** The video: playing, on its way, or why there is none. */
export function VideoPanel({ request }: VideoProps) {
  const { video } = request;
  return (
    <section class="panel">
      <h2>Video</h2>
      {video?.state === 'stored' ? (
        <StoredVideo key={video.storedAt} request={request} />
      ) : (
        <Unstored request={request} />
      )}
    </section>
  );
}

function StoredVideo({ request: { requestId, video } }: VideoProps) {
  const url = useSignal<SignedUrl | undefined>(undefined);
  const error = useSignal<unknown>(undefined);
  const isPlayable = document.createElement('video').canPlayType(video?.contentType ?? '') !== '';
  const failed = useSignal(false);

  useEffect(() => {
    const controller = new AbortController();
    api()
      .requests.video(requestId, { inline: true, signal: controller.signal })
      .then((signed) => {
        url.value = signed;
      })
      .catch((thrown) => {
        if (!controller.signal.aborted) error.value = thrown;
      });
    return () => controller.abort();
  }, [requestId]);

  async function download(): Promise<void> {
    try {
      location.assign((await api().requests.video(requestId)).url);
    } catch (thrown) {
      error.value = thrown;
    }
  }
  /** A URL works for some minutes; a player that was left open needs a fresh one, once. */
  async function onError(): Promise<void> {
    const isOld = url.value && Date.parse(url.value.expiresAt) < Date.now();
    if (isOld) url.value = await api().requests.video(requestId, { inline: true });
    else failed.value = true;
  }

  return (
    <>
      {isPlayable && !failed.value && url.value && (
        // biome-ignore lint/a11y/useMediaCaption: the bridge stores videos as they are, and knows no captions
        <video controls playsInline preload="metadata" src={url.value.url} onError={() => void onError()} />
      )}
      {isPlayable && !failed.value && !url.value && !error.value && <Loading />}
      {(!isPlayable || failed.value) && (
        <p class="note">
          Browsers cannot play this {nameOf(video?.contentType, video?.key)}. Download it to watch it.
        </p>
      )}
      <ErrorNote error={error.value} />
      <dl class="facts">
        <dt>Size</dt>
        <dd>{bytes(video?.size ?? 0)}</dd>
        <dt>Type</dt>
        <dd>{video?.contentType}</dd>
        <dt>Stored</dt>
        <dd>
          <Time at={video?.storedAt} />
        </dd>
        <dt>Object</dt>
        <dd class="mono break">{`s3://${video?.bucket}/${video?.key}`}</dd>
        <dt>Checksum</dt>
        <dd class="mono break">
          {video?.checksum?.algorithm} {video?.checksum?.value}
        </dd>
      </dl>
      <button type="button" onClick={() => void download()}>
        Download
      </button>
    </>
  );
}

function Unstored({ request: { video, state } }: VideoProps) {
  if (!video)
    return (
      <p class="subtle">
        {state === 'active'
          ? 'No copy is due yet: it begins when the job is complete.'
          : 'No video was copied.'}
      </p>
    );
  const { copiedBytes = 0, size, bytesPerSecond, error, lastError } = video;
  if (video.state === 'failed')
    return (
      <div class="note bad">
        <p>The copy failed: {error}.</p>
        <p>Remove the cause, then restart the request: the bridge asks Topaz for a fresh download.</p>
      </div>
    );
  return (
    <>
      <progress value={copiedBytes} max={size ?? 1} aria-label="Copied" />
      <p>
        {video.state === 'pending'
          ? 'The copy is about to begin.'
          : `${bytes(copiedBytes)} of ${size ? bytes(size) : '?'} copied${
              bytesPerSecond && size
                ? `, ${bytes(bytesPerSecond)}/s, about ${span(((size - copiedBytes) / bytesPerSecond) * 1000)} left`
                : ''
            }.`}
      </p>
      {lastError && <p class="note warn">The copy waits: {lastError.reason}.</p>}
    </>
  );
}

function nameOf(type = '', key = ''): string {
  const ending = /\.(\w{2,4})$/.exec(key)?.[1];
  return ending ? `${ending} file` : type || 'file';
}
