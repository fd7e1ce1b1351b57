/** A text of the API's document, with what stands between backticks as code. */
export function Prose({ text }: { readonly text: string }) {
  return (
    <>{text.split('`').map((part, i) => (i % 2 === 0 ? part : <code key={`${i}${part}`}>{part}</code>))}</>
  );
}
