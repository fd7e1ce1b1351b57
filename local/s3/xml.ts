import { XMLParser } from 'fast-xml-parser';

const ESCAPES: Record<string, string> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  '\r': '&#13;',
};

/** Text for an XML document: escaped, so that any key or message survives. */
function text(value: string | number): string {
  return String(value).replace(/[&<>"\r]/g, (character) => ESCAPES[character]!);
}

/** `<name>value</name>`, or nothing when there is no value. */
export function element(name: string, value: string | number | boolean | undefined): string {
  return value === undefined ? '' : `<${name}>${text(String(value))}</${name}>`;
}

/** `<name>` around elements that are already XML. */
export function group(name: string, ...children: string[]): string {
  return `<${name}>${children.join('')}</${name}>`;
}

/** A whole document; S3's answers bear its namespace, its errors bear none. */
export function xmlDocument(root: string, ...children: string[]): string {
  const namespace = root === 'Error' ? '' : ' xmlns="http://s3.amazonaws.com/doc/2006-03-01/"';
  return `<?xml version="1.0" encoding="UTF-8"?>\n<${root}${namespace}>${children.join('')}</${root}>`;
}

const LISTS = new Set(['CompleteMultipartUpload.Part', 'Delete.Object', 'Tagging.TagSet.Tag']);

const parser = new XMLParser({
  parseTagValue: false,
  ignoreDeclaration: true,
  trimValues: false,
  htmlEntities: true, // for character references, too
  isArray: (_name, path) => LISTS.has(String(path)),
});

/** The content of `root` as nested objects of strings, or undefined when the text is no such document. */
export function parseXml(xml: string, root: string): Record<string, unknown> | undefined {
  if (xml.includes('<!DOCTYPE')) return undefined;
  try {
    const content: unknown = parser.parse(xml, true)[root];
    return typeof content === 'object' && content !== null ? (content as Record<string, unknown>) : undefined;
  } catch {
    return undefined;
  }
}
