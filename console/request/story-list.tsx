import { Time } from '../parts/time.tsx';
import { span } from '../parts/words.ts';
import type { Story } from './story.ts';

/** The timeline as a list, for those who prefer to read. */
export function StoryList({ story }: { readonly story: Story }) {
  const marks = story.lanes
    .flatMap((lane) => lane.marks.map((mark) => ({ ...mark, lane: lane.name })))
    .sort((a, b) => a.at - b.at);
  return (
    <details class="panel">
      <summary>All that happened, as a list ({marks.length})</summary>
      <ol class="plain story-list">
        {marks.map(({ at, until, text, detail, lane }, i) => (
          <li key={`${at}-${i}`}>
            <Time at={new Date(at).toISOString()} />
            <span>
              <strong>{text}</strong> {until !== undefined && span(until - at)}
              <span class="subtle">
                {' '}
                {lane}
                {detail && ` · ${detail}`}
              </span>
            </span>
          </li>
        ))}
      </ol>
    </details>
  );
}
