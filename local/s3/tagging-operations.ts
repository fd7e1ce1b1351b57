import { checkTags } from './attributes.ts';
import { receiveText, statedChecksum } from './body.ts';
import { asList, type Call, findBucket, findObject, malformedXml, type Reply } from './operation.ts';
import { element, group, parseXml, xmlDocument } from './xml.ts';

export function getObjectTagging(call: Call): Reply {
  const tags = Object.entries(findObject(call).tags).map(([key, value]) =>
    group('Tag', element('Key', key), element('Value', value)),
  );
  return { body: xmlDocument('Tagging', group('TagSet', ...tags)) };
}

export async function putObjectTagging(call: Call): Promise<Reply> {
  findObject(call);
  const text = await receiveText(call.request, call.signer, statedChecksum(call.request));
  const tagSet = parseXml(text, 'Tagging')?.TagSet;
  if (tagSet === undefined) throw malformedXml();
  const pairs = tagSet === '' ? [] : asList((tagSet as { Tag?: unknown }).Tag);
  const tags = checkTags(pairs.map(({ Key, Value }) => [String(Key ?? ''), String(Value ?? '')]));
  call.store.putObject(findBucket(call), { ...findObject(call), tags });
  return {};
}
