/** The tone of a state: a color and a sign, so that the color alone carries no meaning. */
export type Tone = 'good' | 'busy' | 'waiting' | 'warn' | 'bad' | 'idle';

const DELIVERY_TONES: Record<string, Tone> = {
  delivered: 'good',
  pending: 'waiting',
  held: 'warn',
  failed: 'bad',
  canceled: 'idle',
};
export const deliveryTone = (state: string): Tone => DELIVERY_TONES[state] ?? 'idle';
