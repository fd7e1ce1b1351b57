import type { VideoRequest } from '../../client/client.ts';
import { STAGES, stageOf } from '../parts/stages.ts';

/** How far a request is, as one segment for each status; the present one is filled by its progress. */
export function StageBar({ request }: { readonly request: VideoRequest }) {
  const { status, progress } = request;
  const { label, color } = stageOf(status);
  const reached = STAGES.findIndex((stage) => stage.status === status);
  const text = progress === null ? label : `${label}, ${Math.round(progress)} %`;
  const isOff = reached < 0 && status !== 'registered';
  const isOver = status === 'complete';
  return (
    <span class="stage-bar" role="img" aria-label={text}>
      {STAGES.map((stage, i) => {
        if (isOff || i < reached || isOver)
          return <span key={stage.status} class={`full ${isOff ? color : stage.color}`} />;
        if (i > reached) return <span key={stage.status} />;
        const style = { '--part': `${partOf(status, progress) * 100}%` };
        return <span key={stage.status} class={stage.color} style={style} />;
      })}
    </span>
  );
}

const partOf = (status: string, progress: number | null): number =>
  status === 'processing' && progress !== null ? Math.max(0.08, progress / 100) : 0.5;
