/** How a state is to be taken: its colour and its sign, so that nobody needs the colour. */
export type Tone = 'good' | 'busy' | 'waiting' | 'warn' | 'bad' | 'idle';

const DELIVERY_TONES: Record<string, Tone> = {
  delivered: 'good',
  pending: 'waiting',
  held: 'warn',
  failed: 'bad',
  canceled: 'idle',
};
export const deliveryTone = (state: string): Tone => DELIVERY_TONES[state] ?? 'idle';
