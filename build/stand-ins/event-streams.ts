/** No call of the bridge streams events (of S3 only SelectObjectContent does), so that none needs their codec. */
export const resolveEventStreamSerdeConfig = <T>(config: T): T => config;
export const eventStreamSerdeProvider = (): undefined => undefined;
export class EventStreamSerde {}
