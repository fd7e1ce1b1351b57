import type { Session } from '../command/session.ts';
import { durationText, printable } from '../frame/text.ts';
import type { Message, Result } from './forward.ts';

type Shown = { id: string; type: string; data: { requestId?: string; sequence?: number } };

/** Shows an event in a line, with what the receiver answered. */
export function showEvent({ out }: Session, { body }: Message, result: Result | undefined): void {
  const event = JSON.parse(body) as Shown;
  out.value(result ? { event, forwarded: result } : { event });
  const { requestId = '', sequence } = event.data;
  const number = sequence === undefined ? '' : ` #${sequence}`;
  const answer = result ? `  ${result.status} in ${durationText(result.durationMs)}` : '';
  const color = result && (result.status < 200 || result.status >= 300) ? 'red' : 'green';
  const time = new Date().toISOString().slice(11, 19);
  out.line(
    `${time}  ${printable(`${requestId.slice(0, 8)}${number} ${event.type}  ${event.id}`)}${out.paint(color, answer)}`,
  );
}
