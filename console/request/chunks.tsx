import type { VideoRequest } from '../../client/client.ts';
import { ScrollX } from '../parts/scroll-x.tsx';
import { bytes, whole } from '../parts/words.ts';

type Chunk = NonNullable<VideoRequest['processingJobs']>[number];

/** What the nodes say of their parts of the video. */
export function Chunks({ chunks }: { readonly chunks: readonly Chunk[] }) {
  return (
    <section class="panel">
      <h2>Chunks</h2>
      <ScrollX label="Chunks">
        <table>
          <thead>
            <tr>
              <th scope="col">Chunk</th>
              <th scope="col">Status</th>
              <th scope="col">Frames</th>
              <th scope="col">fps</th>
              <th scope="col">GPU</th>
              <th scope="col">GPU memory</th>
              <th scope="col">Size</th>
            </tr>
          </thead>
          <tbody>
            {chunks.map((chunk, i) => (
              <tr key={String(chunk.chunkId ?? i)}>
                <td>{text(chunk.chunkIndex ?? i)}</td>
                <td>{text(chunk.status)}</td>
                <td class="number">
                  {number(chunk.currentFrame)} / {number(chunk.expectedOutputFrames)}
                </td>
                <td class="number">{typeof chunk.fps === 'number' ? chunk.fps.toFixed(1) : '–'}</td>
                <td class="number">{percent(chunk.gpuUtilization)}</td>
                <td class="number">{percent(chunk.gpuMemoryUtilization)}</td>
                <td class="number">
                  {typeof chunk.currentSize === 'number' ? bytes(chunk.currentSize) : '–'}
                </td>
              </tr>
            ))}
          </tbody>
        </table>
      </ScrollX>
    </section>
  );
}

const text = (value: unknown): string => (value === undefined ? '–' : String(value));
const number = (value: unknown): string => (typeof value === 'number' ? whole.format(value) : '–');
const percent = (value: unknown): string => (typeof value === 'number' ? `${Math.round(value)} %` : '–');
